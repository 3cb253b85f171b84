package trial

import (
	"slices"
	"strings"
	"testing"
)

func TestCID(t *testing.T) {
	t.Parallel()
	// The empty UnixFS directory, as every IPFS node names it.
	const empty = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
	c, err := ParseCID(empty)
	if err != nil || c.String() != empty || c[1] != 0x70 {
		t.Fatalf("%v %v", c, err)
	}
	var again CID
	if err := again.UnmarshalText([]byte(empty)); err != nil || again != c {
		t.Errorf("%v %v", again, err)
	}
	for _, bad := range []string{
		"", "b", strings.ToUpper(empty), "B" + empty[1:], empty[:58], empty + "a",
		"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn", // version 0
		"f" + empty[1:], empty[:1] + "b" + empty[2:], empty[:58] + "1", empty[:58] + "5",
	} {
		if x, err := ParseCID(bad); err == nil {
			t.Errorf("%q: accepted as %v", bad, x)
		}
	}
	c[1] = 0x71 // dag-cbor
	if c.Check() == nil {
		t.Error("a CID of another codec is accepted")
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	got := Exceptions([]Check{{ID: "a", Holds: true, Detail: "x"}, {ID: "b", Detail: "y"}, {ID: "b", Detail: "z"}})
	if !slices.Equal(got, []string{"b:y", "b:z"}) {
		t.Errorf("%q", got)
	}
	l := Label{Marks: []string{Late}}
	if !l.Marked(Late) || l.Marked(Retracted) {
		t.Errorf("%+v", l)
	}
}
