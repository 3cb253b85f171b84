package readmodel

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/go-gormigrate/gormigrate/v2"

	"github.com/trialith/trialith/ledger/tx"
)

// TestMigrationKeepsLeavings: tables of before there were batches are taken over
// as they are.
func TestMigrationKeepsLeavings(t *testing.T) {
	t.Parallel()
	db, err := connect(sqlite.Open("file:"+filepath.Join(t.TempDir(), "old.db")), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err != nil || pool.Close() != nil {
			t.Error("the database does not close")
		}
	})
	options := *gormigrate.DefaultOptions
	options.TableName = "readmodel_migrations"
	if err := gormigrate.New(db, &options, migrations[:3]).Migrate(); err != nil {
		t.Fatal(err)
	}
	row := func(place uint64, leaf byte) leavingRow {
		return leavingRow{Trial: []byte{1}, Place: place, Version: 1, Leaf: []byte{leaf}, Site: []byte{2}, MemberSet: 1, Way: 1, Used: true, Time: 3, Sequence: 4}
	}
	if err := insert(db, []leavingRow{row(7, 1), row(8, 2)}); err != nil {
		t.Fatal(err)
	}
	if err := insert(db, []leavingRow{row(8, 3)}); err == nil {
		t.Fatal("the old table takes two leavings of an entry; the test shows nothing")
	}
	if err := migrate(db); err != nil {
		t.Fatal(err)
	}
	if err := insert(db, []leavingRow{row(8, 3)}); err != nil {
		t.Error(err)
	}
	var got []leavingRow
	if err := db.Order("place, leaf").Find(&got).Error; err != nil || len(got) != 3 || got[0].Leaf[0] != 1 || !got[1].Used || got[2].Leaf[0] != 3 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLatestTableOfASite: the list of sites asks for the latest table of each. A
// site that has none must not cost a look at every table that the others posted.
func TestLatestTableOfASite(t *testing.T) {
	t.Parallel()
	m, err := Open(Config{Dir: t.TempDir(), KindName: func(tx.Kind) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	var plan []struct{ Detail string }
	if err := m.read.Raw("EXPLAIN QUERY PLAN SELECT * FROM countersigned WHERE trial = ? AND site = ? ORDER BY place DESC LIMIT 1", []byte{1}, []byte{2}).Scan(&plan).Error; err != nil {
		t.Fatal(err)
	}
	if len(plan) != 1 || !strings.Contains(plan[0].Detail, "site=?") {
		t.Errorf("%+v", plan)
	}
}
