package verifier_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/trialith/trialith/circuits/field"
	"github.com/trialith/trialith/circuits/verifier"
)

// keyVector and batchVector are the forms of testdata/keys.json and
// testdata/batches.json, for other implementations.
type keyVector struct {
	Name  string `json:"name"`
	Valid bool   `json:"valid"`
	Key   string `json:"key"` // hexadecimal, of whatever length
}

type batchVector struct {
	Key     field.Root `json:"verifyingKey"` // its hash
	Batches []struct {
		Name  string   `json:"name"`
		Items []vector `json:"items"`
	} `json:"batches"`
}

func golden(t *testing.T, name string, made any) []byte {
	t.Helper()
	if *update {
		b, err := json.MarshalIndent(made, "", "\t")
		if err == nil {
			err = os.WriteFile(name, append(b, '\n'), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name) //nolint:gosec // of testdata
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefuse13KeyVectors(t *testing.T) {
	t.Parallel()
	made := []keyVector{{"the development key", true, hex.EncodeToString(verifier.Development().Bytes())}}
	for _, f := range forgedKeys() {
		made = append(made, keyVector{f.name, false, hex.EncodeToString(f.key)})
	}
	var read []keyVector
	if err := json.Unmarshal(golden(t, "testdata/keys.json", made), &read); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(read, made) {
		t.Error("testdata/keys.json is another; run the tests with -update")
	}
	for _, v := range read {
		b, err := hex.DecodeString(v.Key)
		if err == nil {
			_, err = verifier.ParseKey(b)
		}
		if (err == nil) != v.Valid {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
}

func TestRefuse18BatchVectors(t *testing.T) {
	t.Parallel()
	made := batchVector{Key: verifier.DevelopmentHash}
	for _, c := range cancelling() {
		var items []vector
		for i, item := range c.Items {
			items = append(items, vector{"", !slices.Contains(c.Bad, i), item.Proof.String(), text(item.Statement)})
		}
		made.Batches = append(made.Batches, struct {
			Name  string   `json:"name"`
			Items []vector `json:"items"`
		}{c.Name, items})
	}
	var read batchVector
	if err := json.Unmarshal(golden(t, "testdata/batches.json", made), &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Batches) != len(made.Batches) {
		t.Fatalf("%d batches", len(read.Batches))
	}
	for _, b := range read.Batches {
		var items []verifier.Item
		var want []int
		for i, v := range b.Items {
			s, err := v.Statement.parse()
			if err != nil {
				t.Fatal(err)
			}
			item := verifier.Item{Statement: s}
			if err := item.Proof.UnmarshalText([]byte(v.Proof)); err != nil {
				t.Fatal(err)
			}
			items = append(items, item)
			if !v.Valid {
				want = append(want, i)
			}
		}
		if got := verifier.Development().VerifyBatch(items); !slices.Equal(got, want) || want == nil {
			t.Errorf("%s: bad items %v, want %v", b.Name, got, want)
		}
	}
}
