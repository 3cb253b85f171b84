package reconsent

import (
	"slices"

	"github.com/trialith/trialith/trial"
)

// Impact derives whom a version affects from what changed (C7). Every change
// but an administrative one counts as substantial until ethics says otherwise.
// Those already enrolled are asked again unless all that changed decides only
// who may still enter: nobody unaffected is asked again.
func Impact(changes []trial.Change) trial.Impact {
	var i trial.Impact
	for _, c := range changes {
		i.Classes = append(i.Classes, c.Class)
		if c.Class == trial.Administrative {
			continue
		}
		i.Substantial = true
		i.Existing = i.Existing || c.Class != trial.EligibilityChange
	}
	slices.Sort(i.Classes)
	i.Classes = slices.Compact(i.Classes)
	return i
}
