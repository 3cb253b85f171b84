package relay

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/trialith/trialith/ledger/wire"
)

// A journal is one file of records, each whole or not there:
// magic ‖ length (uint32) ‖ CRC-32C of the payload ‖ payload (CBOR of a change).
// What a power cut left of the last ones was never answered.
const (
	fileJournal  = "journal"
	journalMagic = "TRLJ"
	frameBytes   = len(journalMagic) + 8
	maxRecord    = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal appends changes. Append orders them, Sync makes them durable: many
// who wait share one sync.
type journal struct {
	dir string

	mu   sync.Mutex // of what is below
	file *os.File
	end  int64

	turn   sync.Mutex // of syncs
	synced int64      // all before it is durable; under turn
	failed error      // why a sync failed; under turn
}

// openJournal reads a directory's journal into apply, in order, and begins it
// anew with what state then describes: so its size is that of what is held.
func openJournal(dir string, apply func(change), state func() []change) (*journal, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileJournal))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	replay(b, apply)
	j := &journal{dir: dir}
	return j, j.Rewrite(state())
}

// replay reads every whole record. Bytes that are none are passed over, up to
// the next record: each stands for itself, and one that is kept too many is
// found out by the ledger, while one too few would be lost.
func replay(b []byte, apply func(change)) {
	for len(b) >= frameBytes {
		c, n, ok := parseRecord(b)
		if !ok {
			b = b[1:]
			continue
		}
		apply(c)
		b = b[n:]
	}
}

func parseRecord(b []byte) (c change, n int, ok bool) {
	if string(b[:len(journalMagic)]) != journalMagic {
		return c, 0, false
	}
	length := binary.BigEndian.Uint32(b[len(journalMagic):])
	if length > maxRecord || int(length) > len(b)-frameBytes {
		return c, 0, false
	}
	n = frameBytes + int(length)
	payload := b[frameBytes:n]
	if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(b[frameBytes-4:]) {
		return c, 0, false
	}
	return c, n, wire.Unmarshal(payload, &c) == nil
}

func appendRecord(b []byte, c change) []byte {
	payload := wire.Marshal(c)
	b = append(b, journalMagic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(payload, castagnoli))
	return append(b, payload...)
}

// Append writes a change and returns what to Sync to.
func (j *journal) Append(c change) (int64, error) {
	b := appendRecord(nil, c)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(b) > maxRecord {
		return j.end, fmt.Errorf("journal: a record of %d bytes; at most %d", len(b), maxRecord)
	}
	n, err := j.file.Write(b)
	j.end += int64(n)
	return j.end, err
}

// Sync returns once everything up to an end is durable. After a sync failed
// nothing is known of the file, and every later one fails.
func (j *journal) Sync(end int64) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	if j.failed != nil || end <= j.synced {
		return j.failed
	}
	j.mu.Lock()
	file, all := j.file, j.end
	j.mu.Unlock()
	if err := file.Sync(); err != nil {
		j.failed = fmt.Errorf("journal: %w", err)
		return j.failed
	}
	j.synced = all
	return nil
}

// Rewrite puts a new file in the place of the journal, whole and durable. The
// caller lets nobody append meanwhile.
func (j *journal) Rewrite(state []change) error {
	j.turn.Lock()
	defer j.turn.Unlock()
	path := filepath.Join(j.dir, fileJournal)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var b []byte
	for _, c := range state {
		b = appendRecord(b, c)
	}
	n, err := f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncDirectory(j.dir)
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	var closing io.Closer = j.file
	if j.file == nil {
		closing = io.NopCloser(nil)
	}
	// Ends only grow, so that who waits for one of the file before is served.
	j.end += int64(n)
	j.file, j.synced = f, j.end
	return closing.Close()
}

// Close closes the file.
func (j *journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.file.Close()
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
