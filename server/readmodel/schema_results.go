package readmodel

// third adds what the second half of a trial needs: safety, data and results.
// A report is here as it is on the ledger: no person, no term, no arm.
const third = `
CREATE TABLE reports (
  trial BYTES NOT NULL, report BYTES NOT NULL, place BIGINT NOT NULL, site BYTES NOT NULL, clock INTEGER NOT NULL,
  received BIGINT NOT NULL, counted BIGINT NOT NULL, serious BOOLEAN NOT NULL, boundaries BYTES NOT NULL, late BOOLEAN NOT NULL,
  lowered BOOLEAN NOT NULL, follow_ups BIGINT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, report));
CREATE TABLE exposures (
  trial BYTES NOT NULL, site BYTES NOT NULL, until_day BIGINT NOT NULL, days BIGINT NOT NULL, time BIGINT NOT NULL,
  sequence BIGINT NOT NULL, PRIMARY KEY (trial, site, until_day));
CREATE TABLE looks (
  trial BYTES NOT NULL, look BIGINT NOT NULL, from_day BIGINT NOT NULL, as_of BIGINT NOT NULL, time BIGINT NOT NULL,
  board BYTES NOT NULL, days BIGINT NOT NULL, counts BYTES NOT NULL, opened BIGINT NOT NULL, arms BYTES NOT NULL,
  sequence BIGINT NOT NULL, opened_sequence BIGINT NOT NULL, PRIMARY KEY (trial, look));
CREATE TABLE flags (
  trial BYTES NOT NULL, boundary TEXT NOT NULL, arm TEXT NOT NULL, look BIGINT NOT NULL, crossed BIGINT NOT NULL,
  events BIGINT NOT NULL, days BIGINT NOT NULL, expected_micro BIGINT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, boundary, arm));
CREATE TABLE board_decisions (
  trial BYTES NOT NULL, place BIGINT NOT NULL, look BIGINT NOT NULL, boundary TEXT NOT NULL, decision INTEGER NOT NULL,
  reason TEXT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place));

CREATE TABLE datasets (
  trial BYTES NOT NULL, name TEXT NOT NULL, cut_day BIGINT NOT NULL, commits BIGINT NOT NULL, root BYTES NOT NULL,
  data_rows BIGINT NOT NULL, subjects BIGINT NOT NULL, column_names BYTES NOT NULL, committed BIGINT NOT NULL,
  locked BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, name, cut_day));
CREATE TABLE unblindings (
  trial BYTES NOT NULL, place BIGINT NOT NULL, whole BOOLEAN NOT NULL, site BYTES NOT NULL, cause INTEGER NOT NULL,
  open_names BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, place));
CREATE TABLE phases (
  trial BYTES NOT NULL, phase TEXT NOT NULL, day BIGINT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, phase));
CREATE TABLE plans (
  trial BYTES NOT NULL, place BIGINT NOT NULL, document BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, place));

CREATE TABLE cuts (
  trial BYTES NOT NULL, cut BIGINT NOT NULL, as_of BIGINT NOT NULL, checks BYTES NOT NULL, time BIGINT NOT NULL,
  sequence BIGINT NOT NULL, PRIMARY KEY (trial, cut));
CREATE TABLE stages (
  trial BYTES NOT NULL, stage BIGINT NOT NULL, package BYTES NOT NULL, manifest BYTES NOT NULL, outcomes BYTES NOT NULL,
  cut BIGINT NOT NULL, supersedes BIGINT NOT NULL, comparison BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, stage));
CREATE INDEX stages_package ON stages (package);
CREATE TABLE holdings (
  trial BYTES NOT NULL, stage BIGINT NOT NULL, custodian BYTES NOT NULL, name TEXT NOT NULL, holds BOOLEAN NOT NULL,
  refusal TEXT NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, stage, custodian));
CREATE TABLE releases (
  trial BYTES NOT NULL, stage BIGINT NOT NULL, place BIGINT NOT NULL, actor BYTES NOT NULL, label TEXT NOT NULL,
  exceptions BYTES NOT NULL, checks BYTES NOT NULL, comparison BYTES NOT NULL, time BIGINT NOT NULL, sequence BIGINT NOT NULL,
  PRIMARY KEY (trial, stage));
CREATE TABLE pins (
  trial BYTES NOT NULL, stage BIGINT NOT NULL, actor BYTES NOT NULL, node TEXT NOT NULL, until_day BIGINT NOT NULL,
  time BIGINT NOT NULL, sequence BIGINT NOT NULL, PRIMARY KEY (trial, stage, actor, node));
CREATE TABLE corrections (
  trial BYTES NOT NULL, stage BIGINT NOT NULL, corrects BIGINT NOT NULL, reason TEXT NOT NULL, time BIGINT NOT NULL,
  sequence BIGINT NOT NULL, PRIMARY KEY (trial, stage, corrects))
`
