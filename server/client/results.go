package client

import (
	"context"
	"time"

	"github.com/trialith/trialith/trial"
)

// Results are the label on a trial's results and what stands released.
type Results struct {
	Label      string    `json:"label"`
	Marks      []string  `json:"marks"`
	Exceptions []string  `json:"exceptions"` // check:detail
	Stage      uint32    `json:"stage"`      // 0: nothing is released
	PackageCID string    `json:"package_cid"`
	HeldBy     []string  `json:"held_by"`
	Packages   []Package `json:"packages"` // all that were ever named, oldest first
}

// Package is a results package that the sponsor named.
type Package struct {
	Stage        uint32    `json:"stage"`
	CID          trial.CID `json:"cid"`
	Cut          uint32    `json:"cut"`
	Label        string    `json:"label"` // as released; empty: it is not
	Exceptions   []string  `json:"exceptions"`
	Supersedes   uint32    `json:"supersedes"`
	SupersededBy uint32    `json:"superseded_by"`
}

// Results asks for the label on a trial's results, and its packages.
func (c *Client) Results(ctx context.Context, id trial.ID) (r Results, err error) {
	return r, c.get(ctx, "/v1/trials/"+id.String()+"/results", &r)
}

// Safety is what is public about a trial's harm.
type Safety struct {
	Reports Reports `json:"reports"`
	Looks   []Look  `json:"looks"`
	Flags   []Flag  `json:"flags"` // by arm only once the looks are opened
}

// Reports are sums over reports of adverse events.
type Reports struct {
	Total   uint64 `json:"total"`
	Serious uint64 `json:"serious"`
	Late    uint64 `json:"late"`
	Queries uint64 `json:"queries"`
	Days    uint64 `json:"person_days"`
}

// Look is a look of the monitoring board.
type Look struct {
	Look   uint32    `json:"look"`
	AsOf   trial.Day `json:"as_of"`
	Days   uint64    `json:"person_days"`
	Sealed bool      `json:"sealed"`
	Entry  string    `json:"entry"`
}

// Flag is a boundary crossed.
type Flag struct {
	Boundary      string    `json:"boundary"`
	Arm           string    `json:"arm"` // empty: all arms together
	Crossed       trial.Day `json:"crossed"`
	Look          uint32    `json:"look"`
	Events        uint64    `json:"events"`
	Days          uint64    `json:"person_days"`
	ExpectedMicro uint64    `json:"expected_micro"`
}

// Safety asks for reports, looks and flags.
func (c *Client) Safety(ctx context.Context, id trial.ID) (s Safety, err error) {
	return s, c.get(ctx, "/v1/trials/"+id.String()+"/safety", &s)
}

// Check is one condition of the gate.
type Check struct {
	ID     string `json:"id"`
	Holds  bool   `json:"holds"`
	Detail string `json:"detail"`
	Owner  string `json:"owner"` // the role that can mend it
}

// Exception names the check as labels name it: check:detail.
func (c Check) Exception() string { return c.ID + ":" + c.Detail }

// Gate asks for every check between the newest results and VERIFIED, as it
// stands now.
func (c *Client) Gate(ctx context.Context, id trial.ID) (checks []Check, err error) {
	return checks, c.get(ctx, "/v1/trials/"+id.String()+"/gate", &checks)
}

// Datasets are committed data, and since when arms are known.
type Datasets struct {
	Datasets  []Dataset `json:"datasets"`
	Unblinded time.Time `json:"unblinded,omitzero"`
}

// Dataset is a dataset as committed up to a cut.
type Dataset struct {
	Name   string       `json:"name"`
	Cut    trial.Day    `json:"cut"`
	Root   trial.Digest `json:"root"`
	Rows   uint64       `json:"rows"`
	Locked time.Time    `json:"locked,omitzero"`
}

// Datasets asks for a trial's committed data.
func (c *Client) Datasets(ctx context.Context, id trial.ID) (d Datasets, err error) {
	return d, c.get(ctx, "/v1/trials/"+id.String()+"/datasets", &d)
}
