package readmodel

import (
	"fmt"
	"strings"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/gorm"
)

// migrations are applied in order, each once. Never change one that was
// released; append.
var migrations = []*gormigrate.Migration{
	{ID: "0001-tables", Migrate: func(tx *gorm.DB) error { return run(tx, first) }},
	{ID: "0002-ledger", Migrate: func(tx *gorm.DB) error { return run(tx, "ALTER TABLE cursors ADD COLUMN ledger BYTES") }},
	{ID: "0003-results", Migrate: func(tx *gorm.DB) error { return run(tx, third) }},
	{ID: "0004-batches", Migrate: func(tx *gorm.DB) error { return run(tx, fourth) }},
}

// tables are all that hold rows, for Drop.
var tables = []string{
	"blocks", "entries", "actors", "actor_keys", "delegations", "trials", "versions", "decisions", "openings",
	"trial_sites", "counters", "leaves", "members", "memberships", "accounts", "randomisations", "visits", "leavings",
	"batches", "countersigned",
	"reports", "exposures", "looks", "flags", "board_decisions", "datasets", "unblindings", "phases", "plans", "cuts", "stages",
	"holdings", "releases", "pins", "corrections",
}

// first is the schema in what both dialects understand; BYTES is their word for
// a byte string.
const first = `
CREATE TABLE cursors (one INTEGER PRIMARY KEY CHECK (one = 1), height BIGINT NOT NULL, places BIGINT NOT NULL);
INSERT INTO cursors (one, height, places) VALUES (1, 0, 0);

CREATE TABLE blocks (height BIGINT PRIMARY KEY, time BIGINT NOT NULL, first BIGINT NOT NULL, count BIGINT NOT NULL);
CREATE TABLE entries (
  place BIGINT PRIMARY KEY, stream BYTES NOT NULL, sequence BIGINT NOT NULL, height BIGINT NOT NULL, idx BIGINT NOT NULL,
  time BIGINT NOT NULL, hash BYTES NOT NULL UNIQUE, kind INTEGER NOT NULL, code INTEGER NOT NULL, signer BYTES NOT NULL);
CREATE UNIQUE INDEX entries_stream ON entries (stream, sequence);
CREATE INDEX entries_height ON entries (height);

CREATE TABLE actors (
  actor BYTES PRIMARY KEY, role INTEGER NOT NULL, name TEXT NOT NULL, country TEXT NOT NULL, site BYTES NOT NULL,
  expires BIGINT NOT NULL, revoked BIGINT NOT NULL, public BYTES NOT NULL, registered BIGINT NOT NULL, place BIGINT NOT NULL);
CREATE TABLE actor_keys (key_id BYTES PRIMARY KEY, actor BYTES NOT NULL);
CREATE TABLE delegations (
  site BYTES NOT NULL, person BYTES NOT NULL, tasks BYTES NOT NULL, from_day BIGINT NOT NULL, until_day BIGINT NOT NULL,
  ended BIGINT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (site, person));

CREATE TABLE trials (
  trial BYTES PRIMARY KEY, title TEXT NOT NULL, acronym TEXT NOT NULL, sponsor TEXT NOT NULL, sponsor_actor BYTES NOT NULL,
  status TEXT NOT NULL, registered BIGINT NOT NULL, updated BIGINT NOT NULL, place BIGINT NOT NULL, sequence BIGINT NOT NULL,
  latest BIGINT NOT NULL, sites BIGINT NOT NULL, enrolled BIGINT NOT NULL, active BIGINT NOT NULL, randomised BIGINT NOT NULL,
  deviations BIGINT NOT NULL, visits BIGINT NOT NULL, doses BIGINT NOT NULL, attests BIGINT NOT NULL, departed BIGINT NOT NULL,
  withdrawn BIGINT NOT NULL, ended BIGINT NOT NULL, replaced BIGINT NOT NULL, acts BIGINT NOT NULL, refused BIGINT NOT NULL,
  accounts BIGINT NOT NULL);
CREATE TABLE versions (
  trial BYTES NOT NULL, version BIGINT NOT NULL, registered BIGINT NOT NULL, effective BIGINT NOT NULL, reason TEXT NOT NULL,
  form_set BYTES NOT NULL, impact BYTES NOT NULL, protocol BYTES NOT NULL, changes BYTES NOT NULL, opened_sites BIGINT NOT NULL,
  first_opened BIGINT NOT NULL, last_due BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, version));
CREATE TABLE decisions (
  trial BYTES NOT NULL, place BIGINT NOT NULL, version BIGINT NOT NULL, form TEXT NOT NULL, sites BYTES NOT NULL,
  approved BOOLEAN NOT NULL, reason TEXT NOT NULL, ethics BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, place));
CREATE TABLE openings (
  trial BYTES NOT NULL, site BYTES NOT NULL, version BIGINT NOT NULL, opened BIGINT NOT NULL, deadline BIGINT NOT NULL,
  existing BOOLEAN NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, site, version));
CREATE TABLE trial_sites (
  trial BYTES NOT NULL, site BYTES NOT NULL, opened BOOLEAN NOT NULL, enrolled BIGINT NOT NULL, active BIGINT NOT NULL,
  withdrawn BIGINT NOT NULL, randomised BIGINT NOT NULL, visits BIGINT NOT NULL, doses BIGINT NOT NULL,
  PRIMARY KEY (trial, site));
CREATE TABLE counters (
  trial BYTES NOT NULL, version BIGINT NOT NULL, member_set INTEGER NOT NULL, owed BIGINT NOT NULL, acts BIGINT NOT NULL,
  superseded BIGINT NOT NULL, left_proved0 BIGINT NOT NULL, left_proved1 BIGINT NOT NULL, left_word0 BIGINT NOT NULL,
  left_word1 BIGINT NOT NULL, ended BIGINT NOT NULL, PRIMARY KEY (trial, version, member_set));

CREATE TABLE leaves (
  trial BYTES NOT NULL, tree TEXT NOT NULL, place BIGINT NOT NULL, leaf BYTES NOT NULL, height BIGINT NOT NULL,
  PRIMARY KEY (trial, tree, place));
CREATE TABLE members (
  trial BYTES NOT NULL, leaf BYTES NOT NULL, place BIGINT NOT NULL, site BYTES NOT NULL, version BIGINT NOT NULL,
  day BIGINT NOT NULL, enrolled BIGINT NOT NULL, kiosk BOOLEAN NOT NULL, active BOOLEAN NOT NULL, departed BIGINT NOT NULL,
  way INTEGER NOT NULL, replaces BYTES NOT NULL, replaced BOOLEAN NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, leaf));
CREATE INDEX members_place ON members (trial, place);
CREATE TABLE memberships (
  trial BYTES NOT NULL, leaf BYTES NOT NULL, version BIGINT NOT NULL, member_set INTEGER NOT NULL, place BIGINT NOT NULL,
  way INTEGER NOT NULL, used BOOLEAN NOT NULL, PRIMARY KEY (trial, leaf, version));
CREATE TABLE accounts (
  trial BYTES NOT NULL, account BYTES NOT NULL, number BIGINT NOT NULL, version BIGINT NOT NULL, kind TEXT NOT NULL,
  consented BOOLEAN NOT NULL, act_sequence BIGINT NOT NULL, first_act BIGINT NOT NULL, latest_act BIGINT NOT NULL,
  sequence BIGINT NOT NULL, PRIMARY KEY (trial, account));
CREATE UNIQUE INDEX accounts_number ON accounts (trial, number);
CREATE TABLE randomisations (
  trial BYTES NOT NULL, place BIGINT NOT NULL, site BYTES NOT NULL, version BIGINT NOT NULL, day BIGINT NOT NULL,
  account BYTES NOT NULL, deviation TEXT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place));
CREATE TABLE visits (
  trial BYTES NOT NULL, place BIGINT NOT NULL, kind TEXT NOT NULL, site BYTES NOT NULL, slot TEXT NOT NULL, rep BIGINT NOT NULL,
  day BIGINT NOT NULL, account BYTES NOT NULL, floor BIGINT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, place));
CREATE INDEX visits_site ON visits (trial, site, place);
CREATE TABLE leavings (
  trial BYTES NOT NULL, place BIGINT NOT NULL, version BIGINT NOT NULL, leaf BYTES NOT NULL, site BYTES NOT NULL,
  member_set INTEGER NOT NULL, way INTEGER NOT NULL, used BOOLEAN NOT NULL, was_active BOOLEAN NOT NULL, corrected BOOLEAN NOT NULL,
  time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place, version))
`

func run(tx *gorm.DB, script string) error {
	bytes := "BLOB"
	if tx.Name() == "postgres" {
		bytes = "BYTEA"
	}
	for statement := range strings.SplitSeq(script, ";\n") {
		if err := tx.Exec(strings.ReplaceAll(statement, "BYTES", bytes)).Error; err != nil {
			return fmt.Errorf("%.60s: %w", strings.TrimSpace(statement), err)
		}
	}
	return nil
}

func migrate(db *gorm.DB) error {
	options := *gormigrate.DefaultOptions
	options.TableName = "readmodel_migrations"
	options.UseTransaction = true
	return gormigrate.New(db, &options, migrations).Migrate()
}
