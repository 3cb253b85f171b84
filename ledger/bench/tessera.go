package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

// tesseraLog is Tessera's POSIX log. An entry is durable when its index is
// known; "tessera-published" waits until a signed checkpoint covers it, which
// is when a proof can be made.
type tesseraLog struct {
	appender *tessera.Appender
	shutdown func(context.Context) error
	reader   tessera.LogReader
	awaiter  *tessera.PublicationAwaiter // nil: the index is enough
	stop     context.CancelFunc
}

func openTessera(ctx context.Context, c options) (system, error) {
	key, _, err := note.GenerateKey(rand.Reader, "bench")
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(key)
	if err != nil {
		return nil, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: c.dir})
	if err != nil {
		return nil, err
	}
	batch, age := c.batch, c.age
	if batch == 0 {
		batch = c.clients
	}
	if age == 0 {
		if age = 10 * time.Millisecond; c.clients >= many {
			age = 20 * time.Millisecond
		}
	}
	ctx, stop := context.WithCancel(ctx)
	t := &tesseraLog{stop: stop}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(uint(batch), age).
		WithCheckpointInterval(100 * time.Millisecond) // the least it accepts
	if t.appender, t.shutdown, t.reader, err = tessera.NewAppender(ctx, driver, options); err != nil {
		stop()
		return nil, err
	}
	if c.system == "tessera-published" {
		t.awaiter = tessera.NewPublicationAwaiter(ctx, t.reader.ReadCheckpoint, 5*time.Millisecond)
	}
	return t, nil
}

func (t *tesseraLog) add(ctx context.Context, entry []byte) error {
	index := t.appender.Add(ctx, tessera.NewEntry(entry))
	if t.awaiter != nil {
		_, _, err := t.awaiter.Await(ctx, index)
		return err
	}
	_, err := index()
	return err
}

func (t *tesseraLog) prove(ctx context.Context, n int) (bytes int, each time.Duration, err error) {
	size, err := t.reader.IntegratedSize(ctx)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	for i := range uint64(n) {
		proofs, err := client.NewProofBuilder(ctx, size, t.reader.ReadTile)
		if err != nil {
			return 0, 0, err
		}
		path, err := proofs.InclusionProof(ctx, i*size/uint64(n))
		if err != nil {
			return 0, 0, err
		}
		bytes = max(bytes, 32*len(path))
	}
	return bytes, time.Since(start) / time.Duration(n), nil
}

func (t *tesseraLog) close() error {
	defer t.stop()
	return t.shutdown(context.Background())
}
