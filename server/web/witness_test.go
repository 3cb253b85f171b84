package web

import (
	"errors"
	"strings"
	"testing"

	"github.com/trialith/trialith/ledger/chain"
)

// quorum is a policy of one answer.
type quorum struct{ err error }

func (q quorum) Check([]byte) error { return q.err }

// cosignedOf is the checkpoint of the block before the head, as if witnesses had
// cosigned it.
func cosignedOf(t *testing.T, f *fake) []byte {
	t.Helper()
	head := f.Head()
	c := chain.Checkpoint{Origin: f.genesis.Origin, Size: head.Height, Height: head.Height - 1, Time: head.Time}
	note, err := c.Sign(chain.NewSigner(f.genesis.Origin, sponsor))
	if err != nil {
		t.Fatal(err)
	}
	return note
}

// TestWitnessesInPlainSight: a page says what witnesses cosigned, and warns where
// they did not, where the node's policy is not content, and where there is none.
func TestWitnessesInPlainSight(t *testing.T) {
	t.Parallel()
	note := cosignedOf(t, newFake())
	const warning, cosigned = "No witness has cosigned this ledger", "Independent witnesses have cosigned this ledger up to block 121"
	for name, x := range map[string]struct {
		note []byte
		q    *quorum
		want string
	}{
		"cosigned":         {note, &quorum{}, cosigned},
		"no quorum":        {note, &quorum{errors.New("one of two")}, warning},
		"no policy":        {note, nil, warning},
		"nothing cosigned": {nil, &quorum{}, warning},
		"not a checkpoint": {[]byte("x"), &quorum{}, warning},
	} {
		f := newFake()
		f.cosigned = x.note
		conf := config(f)
		if x.q != nil {
			conf.Witnesses = *x.q
		}
		h := serve(t, f, conf)
		for _, path := range []string{"/", "/ledger", "/studies/" + studyID.String(), "/ledger/" + f.entries[4].Hash.String()} {
			body := get(h, path).Body.String()
			if !strings.Contains(body, x.want) {
				t.Errorf("%s: %s does not say %q", name, path, x.want)
			}
			if (x.want == cosigned) != strings.Contains(body, "1 newer block is not cosigned yet") {
				t.Errorf("%s: %s: what is not cosigned yet", name, path)
			}
			if x.want == cosigned && strings.Contains(body, warning) {
				t.Errorf("%s: %s warns all the same", name, path)
			}
		}
	}
}
