package usdm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	minutesPerHour = 60
	minutesPerDay  = 24 * minutesPerHour
	// maxOffset bounds a planned time: a century.
	maxOffset = 100 * 366 * minutesPerDay
)

// visits reads the encounters in order and places each on the main timeline.
func (d *decoder) visits() {
	nodes, err := d.chain(d.list(d.design, "encounters"))
	if err != nil {
		d.keep(err)
		return
	}
	timeline := d.timeline()
	epochs := map[string]string{}
	for _, e := range d.study.Epochs {
		epochs[e.ID] = e.Name
	}
	for _, n := range nodes {
		v := Visit{
			ID: d.need(n, "id"), Name: d.need(n, "name"), Label: d.words(n, "label"),
			Description: d.words(n, "description"), Type: d.code(n, "type").Words,
		}
		if at := timeline.instanceOf(d, n, v.ID); at != nil {
			v.Epoch = epochs[d.text(at, "epochId")]
			v.Timing = timeline.place(d, at)
		} else if d.err == nil {
			d.warn(n, "the main timeline does not hold this encounter", "add it to the schedule or remove it")
		}
		d.study.Visits = append(d.study.Visits, v)
	}
}

// timeline is the main schedule: its activities, and the timing of each.
type timeline struct {
	byEncounter map[string]*node // the first instance of an encounter
	timings     map[string]*node // by the id of the timing
	of          map[string]*node // the timing of an instance, by the instance's id
	offsets     map[string]*int64
	open        map[string]bool // being worked out now
}

func (d *decoder) timeline() *timeline {
	t := &timeline{
		byEncounter: map[string]*node{}, timings: map[string]*node{}, of: map[string]*node{},
		offsets: map[string]*int64{}, open: map[string]bool{},
	}
	var main *node
	for _, n := range d.list(d.design, "scheduleTimelines") {
		if main == nil && d.flag(n, "mainTimeline") {
			main = n
		}
	}
	if main == nil {
		return t
	}
	for _, n := range d.list(main, "instances") {
		if encounter := d.text(n, "encounterId"); encounter != "" && t.byEncounter[encounter] == nil {
			t.byEncounter[encounter] = n
		}
	}
	for _, n := range d.list(main, "timings") {
		t.timings[d.need(n, "id")] = n
		from := d.need(n, "relativeFromScheduledInstanceId")
		if earlier := t.of[from]; earlier != nil && d.err == nil {
			d.fail(n.fields["relativeFromScheduledInstanceId"], "%s times the same instance; one timing each", earlier.path())
		}
		t.of[from] = n
	}
	return t
}

// instanceOf is the scheduled instance of an encounter: the one its own timing
// names, else the first that names the encounter.
func (t *timeline) instanceOf(d *decoder, encounter *node, id string) *node {
	if timing := t.timings[d.text(encounter, "scheduledAtId")]; timing != nil {
		if at := d.byID[d.text(timing, "relativeFromScheduledInstanceId")]; at != nil && d.text(at, "encounterId") == id {
			return at
		}
	}
	return t.byEncounter[id]
}

func (t *timeline) place(d *decoder, instance *node) *Timing {
	id := d.need(instance, "id")
	offset := t.offset(d, id)
	if offset == nil || d.err != nil {
		return nil
	}
	n := t.of[id]
	out := &Timing{Label: d.text(n, "valueLabel"), Offset: *offset, Anchor: isAnchor(d, n)}
	lower, upper := d.text(n, "windowLower"), d.text(n, "windowUpper")
	if lower == "" && upper == "" {
		return out
	}
	early, okEarly := duration(lower)
	late, okLate := duration(upper)
	if !okEarly || !okLate {
		d.warn(n, "the window "+quoted(lower)+" to "+quoted(upper)+" is not a pair of durations", "write both as ISO 8601 durations in weeks, days, hours or minutes")
		return out
	}
	out.Early, out.Late, out.HasWindow = early, late, true
	return out
}

func isAnchor(d *decoder, timing *node) bool {
	return d.code(timing, "type").Words == "Fixed Reference"
}

// offset works out when an instance is, in minutes from the fixed reference,
// by following the timings that it rests on. A timing that rests on itself is
// refused; one that cannot be worked out is reported and gives nil.
func (t *timeline) offset(d *decoder, id string) *int64 {
	if done, known := t.offsets[id]; known {
		return done
	}
	n := t.of[id]
	if n == nil {
		t.offsets[id] = nil
		if at := d.byID[id]; at != nil {
			d.warn(at, "the timeline has no timing for this instance", "say when it is, relative to another")
		}
		return nil
	}
	if isAnchor(d, n) {
		t.offsets[id] = new(int64)
		return t.offsets[id]
	}
	if t.open[id] {
		d.fail(n, "the timing rests on itself through relativeToScheduledInstanceId; one instance must be the fixed reference")
		return nil
	}
	t.open[id] = true
	out := t.relative(d, n)
	t.offsets[id] = out
	return out
}

func (t *timeline) relative(d *decoder, n *node) *int64 {
	base := t.offset(d, d.need(n, "relativeToScheduledInstanceId"))
	if base == nil || d.err != nil {
		return nil
	}
	value := d.need(n, "value")
	minutes, ok := duration(value)
	if !ok {
		d.warn(n, "the value "+quoted(value)+" is not a duration of fixed length", "write it as an ISO 8601 duration in weeks, days, hours or minutes")
		return nil
	}
	switch kind := d.code(n, "type").Words; kind {
	case "Before":
		minutes = -minutes
	case "After":
	default:
		d.warn(n, "the type is "+quoted(kind), "say Before, After or Fixed Reference")
		return nil
	}
	out := *base + minutes
	if out > maxOffset || out < -maxOffset {
		d.fail(n, "more than a century from the fixed reference")
		return nil
	}
	return &out
}

// durations are ISO 8601 durations of fixed length. Years and months have
// none; seconds are finer than a visit.
var durations = regexp.MustCompile(`^P(?:([0-9]{1,5})W)?(?:([0-9]{1,5})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?)?$`)

// duration reads an ISO 8601 duration as minutes.
func duration(s string) (int64, bool) {
	part := durations.FindStringSubmatch(s)
	if part == nil || s == "P" || strings.HasSuffix(s, "T") {
		return 0, false
	}
	var total int64
	for i, unit := range []int64{7 * minutesPerDay, minutesPerDay, minutesPerHour, 1} {
		if part[i+1] != "" {
			v, err := strconv.ParseInt(part[i+1], 10, 64)
			if err != nil {
				return 0, false
			}
			total += v * unit
		}
	}
	return total, true
}

// Words says when the visit is: "day 1", "14 days after day 1".
func (t Timing) Words() string {
	switch {
	case t.Offset == 0:
		return "day 1"
	case t.Offset < 0:
		return span(-t.Offset) + " before day 1"
	}
	return span(t.Offset) + " after day 1"
}

// Window says how far the visit may move, empty where the file names none.
func (t Timing) Window() string {
	if !t.HasWindow {
		return ""
	}
	return span(t.Early) + " early to " + span(t.Late) + " late"
}

// span writes minutes in the largest unit that holds them exactly.
func span(minutes int64) string {
	n, unit := minutes, "minute"
	switch {
	case minutes%minutesPerDay == 0:
		n, unit = minutes/minutesPerDay, "day"
	case minutes%minutesPerHour == 0:
		n, unit = minutes/minutesPerHour, "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
