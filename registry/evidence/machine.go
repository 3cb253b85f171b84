package evidence

import (
	"fmt"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/contract"
)

// Machine makes the state machine of a ledger from its genesis, the same for
// whoever runs the ledger and whoever verifies it.
func Machine(g chain.Genesis, v contract.Verifier) (*contract.Machine, error) {
	c := contract.Config{Ledger: g.ID(), Genesis: g.Time, Epoch: g.Epoch, Node: g.Node, Verifier: v}
	for _, a := range g.Authorities {
		role, ok := trial.ParseRole(a.Role)
		if !ok {
			return nil, fmt.Errorf("genesis: authority %q: role %q is none of this rule set", a.Name, a.Role)
		}
		c.Authorities = append(c.Authorities, contract.Authority{Role: role, Name: a.Name, Country: a.Country, Key: a.Key})
	}
	return contract.New(c)
}
