package event

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fill sets every field of v to something, lists to one entry.
func fill(v reflect.Value, n *uint64) {
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(*n % 200)
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Array:
		for i := range v.Len() {
			v.Index(i).SetUint((*n + uint64(i)) % 256)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), n)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "_" {
				fill(v.Field(i), n)
			}
		}
	default:
		panic(v.Kind().String())
	}
}

// TestEveryEventRoundTrips: what a follower decodes is what the rules told.
func TestEveryEventRoundTrips(t *testing.T) {
	t.Parallel()
	for number, read := range readers {
		e, err := read(zero(t, number))
		if err != nil {
			t.Errorf("event %d: %v", number, err)
			continue
		}
		v := reflect.New(reflect.TypeOf(e)).Elem()
		var n uint64
		fill(v, &n)
		full := v.Interface().(Event)
		got, body := Encode(full)
		if got != number {
			t.Errorf("%T: number %d, read as %d", full, got, number)
		}
		back, err := Decode(got, body)
		if err != nil {
			t.Errorf("%T: %v", full, err)
			continue
		}
		if d := cmp.Diff(full, back, cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
			t.Errorf("%T: %s", full, d)
		}
		if _, err := Decode(got, append(body, 0)); err == nil {
			t.Errorf("%T: a trailing byte is accepted", full)
		}
	}
}

func zero(t *testing.T, number uint16) []byte {
	t.Helper()
	for _, e := range []Event{
		ActorRegistered{},
		KeyRotated{},
		ActorRevoked{},
		Delegated{},
		DelegationEnded{},
		Registered{},
		Amended{},
		Decided{},
		Classified{},
		SiteOpened{},
		ImpactDerived{},
		Opened{},
		LeafSet{},
		Enrolled{},
		Acted{},
		Left{},
		WordCorrected{},
		Replaced{},
		Transferred{},
		Counted{},
		Screened{},
		Randomised{},
		Entered{},
		Batched{},
		Countersigned{},
		Reported{},
		FollowedUp{},
		Exposed{},
		Looked{},
		PooledLook{},
		LookOpened{},
		BoardDecided{},
		DatasetCommitted{},
		DatasetLocked{},
		Unblinded{},
		UnblindedOne{},
		PhaseCompleted{},
		PlanLocked{},
		Appointed{},
		CutMade{},
		Staged{},
		PackageHeld{},
		Released{},
		Pinned{},
		ResultsCorrected{},
		ResultsRetracted{},
	} {
		if n, body := Encode(e); n == number {
			return body
		}
	}
	t.Fatalf("event %d is in no list of this test", number)
	return nil
}

// TestNumbers: never renumber; append.
func TestNumbers(t *testing.T) {
	t.Parallel()
	var got []uint16
	for n := range readers {
		got = append(got, n)
	}
	slices.Sort(got)
	want := []uint16{1, 2, 3, 4, 5, 16, 17, 18, 19, 20, 21, 22, 23, 32, 33, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 64, 65, 66, 67, 68, 69, 70, 80, 81, 82, 83, 96, 97, 98, 99, 100, 101, 102}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if _, err := Decode(999, nil); err == nil {
		t.Error("an unknown event is accepted")
	}
}
