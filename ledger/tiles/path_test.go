package tiles

import (
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/trialith/trialith/ledger/chain"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Path{
		"checkpoint":                     {Kind: Checkpoint},
		"rotations":                      {Kind: Rotations},
		"genesis":                        {Kind: Genesis},
		"tile/0/000":                     {Kind: Hashes, Width: 256},
		"tile/1/000.p/1":                 {Kind: Hashes, Level: 1, Width: 1},
		"tile/5/x123/456":                {Kind: Hashes, Level: 5, Index: 123456, Width: 256},
		"tile/entries/x001/x234/067":     {Kind: Entries, Index: 1234067, Width: 256},
		"tile/entries/000.p/255":         {Kind: Entries, Width: 255},
		"headers/999":                    {Kind: Headers, Index: 999, Width: 256},
		"headers/x001/000.p/12":          {Kind: Headers, Index: 1000, Width: 12},
		"transactions/x001/x000/000":     {Kind: Transactions, Index: 1000000, Width: 256},
		"transactions/x001/x000/000.p/7": {Kind: Transactions, Index: 1000000, Width: 7},
	} {
		got, err := ParsePath(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
		if got.String() != s {
			t.Errorf("%s is written %v", s, got)
		}
	}
	for _, s := range []string{
		"", "/", "checkpoint/", "/checkpoint", "Checkpoint", "tile", "tile/", "tile/0", "tile/0/", "tile/0/00", "tile/0/0000", "tile/0/x000/001", "tile/0/001/002",
		"tile/0/x001/x002", "tile/00/000", "tile/6/000", "tile/+1/000", "tile/-1/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/",
		"tile/0/000.p/1/", "tile/0/000.p/1.p/1", "tile/0/000.p", "tile/0/../000", "tile/entries/", "tile/entries/000/", "tile/0/+01", "tile/0/ 01", "headers/",
		"headers/x999/x999/x999/x999/x999/x999/999", "headers/" + strings.Repeat("x999/", 1000) + "999", "blocks/000", "tile/0/x0001/000", "tile/0/0x1",
		"tile/0/000\x00", "tile/8/0/000", "transactions/-01",
	} {
		if p, err := ParsePath(s); err == nil {
			t.Errorf("%q was taken as %+v", s, p)
		}
	}
}

// The paths are those of the standard, as another writes them.
func TestPathsAreTheStandards(t *testing.T) {
	t.Parallel()
	for _, index := range []uint64{0, 1, 999, 1000, 1001, 999999, 1000000, 1234567890} {
		for _, width := range []int{1, 255, 256} {
			for level := -1; level <= MaxLevel; level++ {
				p := Path{Kind: Hashes, Level: uint8(max(level, 0)), Index: index, Width: width}
				if level < 0 {
					p.Kind = Entries
				}
				want := torchwood.TilePath(tlog.Tile{H: 8, L: level, N: int64(index), W: width})
				if p.String() != want {
					t.Errorf("%v, the standard's is %s", p, want)
				}
			}
		}
	}
}

// Every file that a ledger has is met once by going from size to size, and a
// file is covered by just the checkpoints that it was listed for or later ones.
func TestSince(t *testing.T) {
	t.Parallel()
	at := func(n uint64) chain.Checkpoint { return chain.Checkpoint{Size: n, Height: n / 3} }
	full := map[Path]int{}
	steps := []uint64{0, 3, 250, 255, 256, 257, 600, 65_535, 65_536, 65_537, 66_000, 131_072}
	for i, n := range steps[1:] {
		Since(at(steps[i]), at(n), func(p Path) bool {
			if !p.CoveredBy(at(n)) {
				t.Errorf("%v is listed at %d and not covered", p, n)
			}
			if p.Full() {
				full[p]++
			} else if p.Index*Width+uint64(p.Width) != Items(at(n), p.Kind, p.Level) {
				t.Errorf("%v at %d is not the end", p, n)
			}
			return true
		})
	}
	once := 0
	Since(at(0), at(131_072), func(p Path) bool {
		if p.Full() {
			once++
			if full[p] != 1 {
				t.Errorf("%v was listed %d times", p, full[p])
			}
		}
		return true
	})
	if want := 131_072/256*3 + 2 + 131_072/3/256; once != want || len(full) != want {
		t.Errorf("%d full files, %d step by step, want %d", once, len(full), want)
	}
	n := 0
	Since(at(0), at(600), func(Path) bool { n++; return n < 2 })
	if n != 2 {
		t.Errorf("it went on %d times after false", n-2)
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"checkpoint", "tile/0/000", "tile/entries/x001/234.p/5", "headers/x001/000", "transactions/000.p/1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		if p.String() != s {
			t.Fatalf("%q is taken, and written %v", s, p)
		}
		if p.CoveredBy(chain.Checkpoint{}) != (p.Width == 0) {
			t.Fatalf("%q is covered by an empty log", s)
		}
		if p.Kind != Hashes && p.Kind != Entries {
			return
		}
		tile, err := torchwood.ParseTilePath(s)
		if err != nil || uint64(tile.N) != p.Index || tile.W != p.Width || (p.Kind == Hashes && tile.L != int(p.Level)) {
			t.Fatalf("%q is %+v, to the standard's reader %+v, %v", s, p, tile, err)
		}
	})
}
