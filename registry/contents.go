package registry

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/outcome"
)

// Contents is what a package says, read from its files by whoever is to judge
// it: a custodian before it signs, a verifier.
type Contents struct {
	// Protocol is the definition that the package was made by. Compare it with
	// the ledger's.
	Protocol trial.Protocol
	// Reported are the outcomes that the package reports, in the order of its
	// table: the list that a sponsor stages and a custodian vouches for.
	Reported []outcome.Reported
	// Manifest is the SHA-256 of the crate's metadata, which lists every file.
	Manifest trial.Digest
	// Missing are the ids of the registered outcomes that it says are missing.
	Missing []string
}

// maxDefinition bounds the registered protocol in bytes, far above what a
// transaction can register.
const maxDefinition = 1 << 20

// Read reads a package that Build could have made. It checks neither cells nor
// CID: CheckCells and CIDOf do.
func Read(files []File) (Contents, error) {
	var c Contents
	p := Package{Files: files}
	b, found := p.File(fileWire)
	if !found {
		return c, fmt.Errorf("package: no %s", fileWire)
	}
	if len(b) > maxDefinition {
		return c, fmt.Errorf("package: %s: %d bytes; at most %d", fileWire, len(b), maxDefinition)
	}
	if err := wire.Unmarshal(b, &c.Protocol); err != nil {
		return c, fmt.Errorf("package: %s: %w", fileWire, err)
	}
	if b, found = p.File(fileCrate); !found {
		return c, fmt.Errorf("package: no %s", fileCrate)
	}
	c.Manifest = sha256.Sum256(b)
	b, found = p.File(tableOutcomes + ".json")
	if !found {
		return c, fmt.Errorf("package: no %s.json", tableOutcomes)
	}
	t, err := decodeDataset(b)
	if err != nil {
		return c, fmt.Errorf("package: %s: %w", tableOutcomes, err)
	}
	for i, row := range t.rows {
		if err := c.outcome(row); err != nil {
			return c, fmt.Errorf("package: %s: row %d: %w", tableOutcomes, i+1, err)
		}
	}
	return c, outcome.CheckReported(c.Reported)
}

func (c *Contents) outcome(row []cell) error {
	if len(row) != len(outcomeColumns) {
		return errors.New("not the columns of the table")
	}
	id, status := text(row[1]), text(row[5])
	switch status {
	case statusMissing:
		c.Missing = append(c.Missing, id)
		return nil
	case statusReported, statusAdded:
	default:
		return fmt.Errorf("status %q; it is reported, missing or added", status)
	}
	n, _ := row[6].(int64)
	if n < 0 || n > 1<<32-1 {
		return fmt.Errorf("participants analysed: %d", n)
	}
	for _, level := range []trial.Level{trial.Primary, trial.Secondary, trial.Exploratory} {
		if level.String() == text(row[2]) {
			c.Reported = append(c.Reported, outcome.Reported{ID: id, Level: level, Name: text(row[3]), Timepoint: text(row[4]), N: uint32(n)})
			return nil
		}
	}
	return fmt.Errorf("level %q; it is primary, secondary or exploratory", text(row[2]))
}
