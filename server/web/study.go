package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/reconsent"
	"github.com/trialith/trialith/server/readmodel"
	"github.com/trialith/trialith/trial"
)

// counted is a version with its verdict.
type counted struct {
	readmodel.Version
	Verdict   reconsent.Verdict
	NotDue    uint64
	Decisions []readmodel.Decision
}

func (v counted) sentence() string {
	return verdictSentence(v.Version.Version, v.Counters, v.NotDue, v.Verdict)
}

// word is the verdict as it is shown. Where nobody owes consent there is nothing
// to prove, and PROVEN would promise too much.
func (v counted) word() string {
	if v.Counters == (trial.Counters{}) {
		return "NOBODY ASKED YET"
	}
	return v.Verdict.String()
}

func (v counted) tag() string {
	if v.Counters == (trial.Counters{}) {
		return "govuk-tag--grey"
	}
	return tagOf(v.Verdict.Word)
}

// studyLine is a study in a list.
type studyLine struct {
	readmodel.Trial
	Versions []counted
}

// studyPage is all of a study.
type studyPage struct {
	readmodel.Trial
	Now        int64
	Versions   []counted // oldest first, at least one
	Latest     *trial.Protocol
	Sites      []readmodel.Site
	Trees      []readmodel.Tree
	Evidence   string
	Witnessing witnessing
	Safety     safetyPart
	Results    resultsPart
}

// worst is the version whose verdict is the gravest, the latest of equals.
func worst(versions []counted) counted {
	w := versions[0]
	for _, v := range versions[1:] {
		if gravity(v.Verdict.Word) >= gravity(w.Verdict.Word) {
			w = v
		}
	}
	return w
}

// headline is the sentence that a study's page begins with.
func headline(versions []counted) string {
	w := worst(versions)
	var owed uint64
	for _, v := range versions {
		owed += v.Counters.Owed
	}
	switch {
	case owed == 0:
		return "Nobody has been enrolled yet, so nobody owes consent."
	case w.Verdict.Word == reconsent.Proven && len(versions) > 1:
		return "Everyone who owed consent, to any version of this study, is accounted for by proofs alone."
	default:
		return w.sentence()
	}
}

func (s *site) count(ctx context.Context, v readmodel.Version) (counted, error) {
	n, err := s.notDue(ctx, v.Trial, v.Version)
	if err != nil {
		return counted{}, err
	}
	return counted{Version: v, NotDue: n, Verdict: reconsent.Judge(v.Counters, n)}, nil
}

// dueMemo keeps what NotDue counted while neither the ledger's head nor the
// minute has changed: counting reads every member of a version.
type dueMemo struct {
	mu     sync.Mutex
	height uint64
	minute int64
	known  map[dueKey]uint64
}

type dueKey struct {
	trial   trial.ID
	version trial.Version
}

func (s *site) notDue(ctx context.Context, id trial.ID, v trial.Version) (uint64, error) {
	m := &s.due
	m.mu.Lock()
	defer m.mu.Unlock()
	if height, minute := s.Config.Ledger.Head().Height, s.Now()/60_000; m.known == nil || m.height != height || m.minute != minute {
		m.height, m.minute, m.known = height, minute, map[dueKey]uint64{}
	}
	key := dueKey{id, v}
	if n, ok := m.known[key]; ok {
		return n, nil
	}
	n, err := s.NotDue(ctx, id, v)
	if err == nil {
		m.known[key] = n
	}
	return n, err
}

func (s *site) versions(ctx context.Context, id trial.ID) ([]counted, error) {
	rows, err := s.Model.Versions(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, readmodel.ErrUnknown
	}
	all := make([]counted, len(rows))
	for i, r := range rows {
		r.Trial = id
		if all[i], err = s.count(ctx, r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func trialID(c *gin.Context) (id trial.ID, err error) {
	if err := id.UnmarshalText([]byte(c.Param("trial"))); err != nil {
		return id, &failure{http.StatusNotFound, "No such study", "A study’s address ends in the 64 digits of its name. Look for the study on the home page."}
	}
	return id, nil
}

// diffsShown is how many versions a study's page shows with their changes; the
// others have pages of their own.
const diffsShown = 10

func (s *site) study(c *gin.Context) (view, error) {
	id, err := trialID(c)
	if err != nil {
		return view{}, err
	}
	p, err := s.readStudy(c, id)
	if err != nil {
		return view{}, err
	}
	return view{Title: studyName(p.Trial), Trail: []link{{"Home", "/"}}, Body: studyView(p)}, nil
}

func (s *site) readStudy(ctx context.Context, id trial.ID) (p studyPage, err error) {
	p.Now, p.Evidence, p.Witnessing = s.Now(), s.Evidence(id), s.witnessing()
	if p.Trial, err = s.Model.Trial(ctx, id); err != nil {
		return p, err
	}
	if p.Versions, err = s.versions(ctx, id); err != nil {
		return p, err
	}
	if err = s.fill(ctx, id, p.Versions[max(0, len(p.Versions)-diffsShown):]); err != nil {
		return p, err
	}
	p.Latest = p.Versions[len(p.Versions)-1].Protocol
	if p.Sites, err = s.Model.Sites(ctx, id); err != nil {
		return p, err
	}
	if p.Trees, err = s.Model.Trees(ctx, id); err != nil {
		return p, err
	}
	if p.Safety, err = s.readSafety(ctx, id, armNames(p.Latest)); err != nil {
		return p, err
	}
	p.Results, err = s.readResults(ctx, id, p.Latest)
	return p, err
}

// fill adds protocol, changes and decisions to versions of one study.
func (s *site) fill(ctx context.Context, id trial.ID, versions []counted) error {
	decisions, err := s.Model.Decisions(ctx, id)
	if err != nil {
		return err
	}
	for i := range versions {
		v := &versions[i]
		whole, err := s.Model.Version(ctx, id, v.Version.Version)
		if err != nil {
			return err
		}
		v.Protocol, v.Changes = whole.Protocol, whole.Changes
		if v.Protocol == nil {
			v.Protocol = new(trial.Protocol)
		}
		for _, d := range decisions {
			if d.Version == v.Version.Version {
				v.Decisions = append(v.Decisions, d)
			}
		}
	}
	return nil
}

func (s *site) version(c *gin.Context) (view, error) {
	id, err := trialID(c)
	if err != nil {
		return view{}, err
	}
	n, err := strconv.ParseUint(c.Param("version"), 10, 32)
	if err != nil {
		return view{}, &failure{http.StatusNotFound, "No such version", "A version is a number from 1 on."}
	}
	t, err := s.Model.Trial(c, id)
	if err != nil {
		return view{}, err
	}
	all, err := s.versions(c, id)
	if err != nil {
		return view{}, err
	}
	i := slices.IndexFunc(all, func(v counted) bool { return v.Version.Version == trial.Version(n) })
	if i < 0 {
		return view{}, readmodel.ErrUnknown
	}
	if err := s.fill(c, id, all[i:i+1]); err != nil {
		return view{}, err
	}
	return view{
		Title: "Version " + all[i].Version.Version.String() + " of " + studyName(t),
		Trail: []link{{"Home", "/"}, {studyName(t), studyAddress(id)}},
		Body:  versionView(t, all[i], len(all)),
	}, nil
}

// leafPage is what is public about one enrolment.
type leafPage struct {
	Trial  readmodel.Trial
	Member readmodel.Member
	Site   string
}

func (s *site) leaf(c *gin.Context) (view, error) {
	id, err := trialID(c)
	if err != nil {
		return view{}, err
	}
	var l field.Leaf
	if err := l.UnmarshalText([]byte(c.Param("leaf"))); err != nil {
		return view{}, readmodel.ErrUnknown
	}
	p := leafPage{}
	if p.Trial, err = s.Model.Trial(c, id); err != nil {
		return view{}, err
	}
	if p.Member, err = s.Model.Member(c, id, l); err != nil {
		return view{}, err
	}
	if p.Site, err = s.actorName(c, trial.ActorID(p.Member.Site)); err != nil {
		return view{}, err
	}
	return view{
		Title: "Leaf " + short(l.String()), Body: leafView(p),
		Trail: []link{{"Home", "/"}, {studyName(p.Trial), studyAddress(id)}},
	}, nil
}

func (s *site) limits(*gin.Context) (view, error) {
	return view{Title: "What this does not hide or prevent", Trail: []link{{"Home", "/"}}, Body: limitsView(s.witnessing())}, nil
}

func studyName(t readmodel.Trial) string {
	switch {
	case t.Acronym != "":
		return t.Acronym
	case t.Title != "":
		return t.Title
	default:
		return "Study " + short(t.ID.String())
	}
}

func studyAddress(id trial.ID) string { return "/studies/" + id.String() }

func versionAddress(id trial.ID, v trial.Version) string {
	return studyAddress(id) + "/versions/" + v.String()
}

// nameAddress is the page of an entry by its name in a study's stream or the
// directory's.
func nameAddress(id trial.ID, name string) string {
	return "/entries/" + name + "?trial=" + id.String()
}

// standing says where a study stands, in a few words.
func standing(t readmodel.Trial) string {
	switch t.Status {
	case "registered":
		return "Registered, waiting for ethics approval"
	case "approved":
		return "Approved, not open at any site yet"
	case "open":
		return "Open"
	default:
		return capital(t.Status)
	}
}

// deadlineWords says until when those already in a study may answer at a site.
func deadlineWords(o readmodel.Opening, now int64) string {
	switch {
	case !o.Existing:
		return "Only new participants are asked"
	case now > o.Deadline:
		return "Passed " + dayOf(o.Deadline)
	default:
		return "Until " + dayOf(o.Deadline)
	}
}
