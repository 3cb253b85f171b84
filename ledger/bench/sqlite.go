package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// sqliteChain is a table in which each row holds the hash of the row before
// it: what a careful team builds on a database. One commit, one sync, a group.
type sqliteChain struct {
	db       *sql.DB
	insert   *sql.Stmt
	previous [sha256.Size]byte
	*grouping
}

func openSQLite(_ context.Context, c options) (system, error) {
	name := "file:" + filepath.Join(c.dir, "chain.db") + "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	s := &sqliteChain{db: db}
	if _, err = db.Exec("CREATE TABLE entry(id INTEGER PRIMARY KEY, previous BLOB, hash BLOB, entry BLOB)"); err == nil {
		s.insert, err = db.Prepare("INSERT INTO entry(previous, hash, entry) VALUES(?, ?, ?)")
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.grouping = group(c.clients, groupSize(c), s.write)
	return s, nil
}

// groupSize is how many entries share a sync.
func groupSize(c options) int {
	if c.batch > 0 {
		return c.batch
	}
	return 1024
}

func (s *sqliteChain) write(batch []waiting) error {
	t, err := s.db.Begin()
	if err != nil {
		return err
	}
	insert, previous := t.Stmt(s.insert), s.previous
	for _, w := range batch {
		hash := sha256.Sum256(append(previous[:], w.entry...))
		if _, err := insert.Exec(previous[:], hash[:], w.entry); err != nil {
			return errors.Join(err, t.Rollback())
		}
		previous = hash
	}
	if err := t.Commit(); err != nil {
		return err
	}
	s.previous = previous
	return nil
}

func (s *sqliteChain) add(_ context.Context, entry []byte) error { return s.grouping.add(entry) }

// prove: a chain has no proof shorter than itself.
func (s *sqliteChain) prove(context.Context, int) (int, time.Duration, error) { return 0, 0, nil }

func (s *sqliteChain) close() error {
	s.grouping.close()
	_, err := s.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, s.insert.Close(), s.db.Close())
}
