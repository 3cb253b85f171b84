package act

import (
	"fmt"

	"github.com/trialith/trialith/trial"
)

// The trees of a trial by name. Names are public: devices ask for leaves by them.

// EligibleLeaves is the tree of leaves with screening attributes.
const EligibleLeaves = "eligible"

// SetTree is the tree of those who owe consent to v: N-v or E-v.
func SetTree(v trial.Version, s trial.Set) string { return fmt.Sprintf("%v-%v", s, v) }

// BothTree is the tree of those of v who also owe w: X-v-w.
func BothTree(v, w trial.Version) string { return fmt.Sprintf("X-%v-%v", v, w) }

// PassLeaves is the tree of the passes of all versions from a floor on.
func PassLeaves(floor trial.Version) string { return fmt.Sprintf("pass-%v", floor) }
