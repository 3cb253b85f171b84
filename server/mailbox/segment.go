package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// A file holds records of one size: box, sequence, time, body, and the SHA-256
// of all that. So a record that a crash cut off, or that the disk spoilt, is
// known, and those behind it are still found.
const (
	headSize   = 16 + 8 + 8
	recordSize = int64(headSize + Size + sha256.Size)

	fileRecords = 1024
	fileAge     = 24 * time.Hour
	suffix      = ".mail"
)

type record struct {
	box      Box
	sequence uint64
	time     int64
	body     [Size]byte
}

func (r *record) encode() []byte {
	b := append(make([]byte, 0, recordSize), r.box[:]...)
	b = binary.BigEndian.AppendUint64(b, r.sequence)
	b = binary.BigEndian.AppendUint64(b, uint64(r.time))
	b = append(b, r.body[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

var errDamaged = errors.New("a message is damaged on the disk")

func decodeRecord(b []byte) (*record, error) {
	if int64(len(b)) != recordSize {
		return nil, errDamaged
	}
	sum := sha256.Sum256(b[:headSize+Size])
	if !bytes.Equal(sum[:], b[headSize+Size:]) {
		return nil, errDamaged
	}
	r := &record{box: Box(b), sequence: binary.BigEndian.Uint64(b[16:]), time: int64(binary.BigEndian.Uint64(b[24:]))}
	copy(r.body[:], b[headSize:])
	return r, nil
}

// segment is one file of records, only ever appended to.
type segment struct {
	file          *os.File
	records       int64 // whole ones, damaged ones too
	first, newest int64 // times
}

func segmentPath(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x%s", number, suffix))
}

// segments lists the numbers of the files in a directory, ascending. Other
// files are not ours, and are left alone.
func segments(dir string) ([]uint64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, e := range entries {
		var n uint64
		if _, err := fmt.Sscanf(e.Name(), "%016x"+suffix, &n); err == nil && segmentPath("", n) == e.Name() {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out, nil
}

// newSegment makes an empty file, whose name is on the disk when it returns.
func newSegment(dir string, number uint64) (*segment, error) {
	f, err := os.OpenFile(segmentPath(dir, number), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &segment{file: f}, syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the directory
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// openSegment opens a file; a record that was cut off at its end is no part of it.
func openSegment(dir string, number uint64) (*segment, error) {
	f, err := os.OpenFile(segmentPath(dir, number), os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &segment{file: f, records: info.Size() / recordSize}, nil
}

// each calls fn for every record that is whole, and counts the others.
func (f *segment) each(fn func(*record, int64)) (bad int, err error) {
	b := make([]byte, recordSize)
	for at := range f.records {
		if _, err := f.file.ReadAt(b, at*recordSize); err != nil && !errors.Is(err, io.EOF) {
			return bad, err
		}
		r, err := decodeRecord(b)
		if err != nil {
			bad++
			continue
		}
		f.note(r.time)
		fn(r, at)
	}
	return bad, nil
}

func (f *segment) note(time int64) {
	if f.first == 0 {
		f.first = time
	}
	f.newest = max(f.newest, time)
}

// takes reports whether another record belongs into this file.
func (f *segment) takes(now int64) bool {
	return f.records < fileRecords && (f.first == 0 || now < f.first+fileAge.Milliseconds())
}

// append writes a record and syncs it. Where the write fails, the next one is
// written over what it left.
func (f *segment) append(r *record) (int64, error) {
	at := f.records
	if _, err := f.file.WriteAt(r.encode(), at*recordSize); err != nil {
		return 0, err
	}
	if err := f.file.Sync(); err != nil {
		return 0, err
	}
	f.records++
	f.note(r.time)
	return at, nil
}

func (f *segment) read(at int64) (*record, error) {
	b := make([]byte, recordSize)
	if _, err := f.file.ReadAt(b, at*recordSize); err != nil {
		return nil, err
	}
	return decodeRecord(b)
}

// sweepHourly throws away what has expired, without a clock of its own.
func (s *Store) sweepHourly(now int64) {
	if now-s.swept >= time.Hour.Milliseconds() || now < s.swept {
		s.sweep(now)
	}
}

func (s *Store) sweep(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swept = now
	dead := now - s.config.Keep.Milliseconds()
	for box, held := range s.boxes {
		held = slices.DeleteFunc(held, func(p place) bool { return p.time <= dead })
		if s.boxes[box] = held; len(held) == 0 {
			delete(s.boxes, box)
		}
	}
	s.files = slices.DeleteFunc(s.files, func(f *segment) bool {
		if f.newest > dead {
			return false
		}
		if err := errors.Join(os.Remove(f.file.Name()), f.file.Close()); err != nil {
			s.config.Log.Error("mailbox: expired messages not removed", "file", f.file.Name(), "error", err)
		}
		return true
	})
}
