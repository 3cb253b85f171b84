package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// raw is pebble alone: what storing the bytes costs with no hash, no proof
// and no order but the store's. Pebble itself syncs once for all who commit
// together.
type raw struct {
	db   *pebble.DB
	next atomic.Uint64
}

func openPebble(_ context.Context, c options) (system, error) {
	db, err := pebble.Open(c.dir, &pebble.Options{Logger: quiet{}})
	if err != nil {
		return nil, err
	}
	return &raw{db: db}, nil
}

func (r *raw) add(_ context.Context, entry []byte) error {
	return r.db.Set(binary.BigEndian.AppendUint64(nil, r.next.Add(1)), entry, pebble.Sync)
}

func (r *raw) prove(context.Context, int) (int, time.Duration, error) { return 0, 0, nil }

func (r *raw) close() error {
	if err := r.db.Flush(); err != nil {
		return err
	}
	return r.db.Close()
}

// quiet says nothing but what ends the process.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: pebble: "+format+"\n", args...)
	os.Exit(1)
}
