package usdm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/trialith/trialith/trial"
)

// item is one item of the WHO trial registration data set, version 1.3.1.
type item struct {
	number int
	name   string
	filled bool
	remedy string
}

// dataSet reports every item of the WHO data set that the protocol leaves
// empty. Items 16 to 18 and 23 have a natural value at registration; they are
// reported all the same, because leaving one out is a choice to be made.
func (m *mapping) dataSet(p *trial.Protocol) {
	registered := slices.ContainsFunc(m.study.Identifiers, func(id Identifier) bool {
		return strings.Contains(id.Organization.Type, "Registry")
	})
	secondary := len(p.Identifiers) > 1 || (len(p.Identifiers) == 1 && !registered)
	for _, i := range []item{
		{1, "primary registry and trial identifying number", registered, "register with a primary registry and add the number"},
		{2, "date of registration in primary registry", true, ""}, // the ledger's own, from the block
		{3, "secondary identifying numbers", secondary, "add the sponsor's number"},
		{4, "sources of monetary or material support", len(p.Funding) > 0, "name who pays"},
		{5, "primary sponsor", p.Sponsor != "", "name the sponsor"},
		{6, "secondary sponsors", len(p.CoSponsors) > 0, "name them, or say that there are none"},
		{7, "contact for public queries", p.PublicContact != "", "give a functional address, not a person's"},
		{8, "contact for scientific queries", p.ScientificQuery != "", "give a functional address, not a person's"},
		{9, "public title", p.PublicTitle != "", "write a title for lay readers"},
		{10, "scientific title", p.Title != "", "add the title of the protocol"},
		{11, "countries of recruitment", len(p.Countries) > 0, "list the two-letter codes"},
		{12, "health conditions studied", len(p.Conditions) > 0, "name the condition"},
		{13, "interventions", len(p.Interventions) > 0, "describe each arm's intervention"},
		{14, "key inclusion and exclusion criteria", len(p.Criteria) > 0, "write the criteria"},
		{15, "study type", p.StudyType != "", "say interventional or observational"},
		{16, "date of first enrolment", p.FirstEnrolment != "", "give the planned date"},
		{17, "sample size", p.SampleSize > 0, "give the planned number of participants"},
		{18, "recruitment status", p.Status != "", "say pending, recruiting, suspended or complete"},
		{19, "primary outcomes", hasLevel(p, trial.Primary), "register at least one primary outcome"},
		{20, "key secondary outcomes", hasLevel(p, trial.Secondary), "register them, or say that there are none"},
		{21, "ethics review", p.Ethics != "", "name the committee"},
		{22, "completion date", p.Completion != "", "give the planned date"},
		{23, "summary results", p.ResultsURL != "", "say where the results will stand"},
		{24, "plan to share individual participant data", p.DataSharing != "", "state the plan"},
	} {
		if !i.filled {
			m.lint(SeverityWarning, fmt.Sprintf("WHO item %d", i.number), "the file does not hold the "+i.name, i.remedy)
		}
	}
}

func hasLevel(p *trial.Protocol, level trial.Level) bool {
	return slices.ContainsFunc(p.Outcomes, func(o trial.Outcome) bool { return o.Level == level })
}
