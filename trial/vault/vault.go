// Package vault keeps what must be forgettable: the details behind the
// commitments on the ledger, sealed under one data key a person.
//
// Each person of a trial has a data key of their own, wrapped by the vault's
// key, which lies in a file outside the vault. Destroying a data key makes all
// that was kept about the person unreadable, in every copy that lacks the key:
// the ledger keeps commitments whose salts are gone with it.
//
// What belongs to no person, such as a dataset's secret, is kept under a name
// that is no person's, such as "dataset/adsl".
//
// This is the vault's first form: files in one directory, held by one process.
// It does not hide how many records a person has, nor how long they are, from
// who holds the directory; names of files are keyed hashes. A copy of the
// directory made before a key was destroyed still has the wrapped key: whoever
// keeps copies destroys it there too.
package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unicode/utf8"

	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/trial"
)

// Limits of a record.
const (
	MaxContent = 1 << 20 // bytes
	MaxText    = 256     // bytes of a person's name, a kind or an id
)

// What a caller may branch on.
var (
	ErrNotFound  = errors.New("vault: no such record")
	ErrDestroyed = errors.New("vault: the person's key is destroyed; nothing of theirs can be read or kept again")
	ErrExists    = errors.New("vault: the record is kept with other content; records do not change, so give the new one another id")
)

// Ref names a record. Person is any name that tells people of a trial apart.
type Ref struct {
	Trial  trial.ID
	Person string
	Kind   string // what is committed to, such as "report": the kind of its commitment
	ID     string
}

func (r Ref) check() error {
	return errors.Join(checkText("person", r.Person), checkText("kind", r.Kind), checkText("id", r.ID))
}

func checkText(field, s string) error {
	if len(s) == 0 || len(s) > MaxText || !utf8.ValidString(s) {
		return fmt.Errorf("vault: %s: %d bytes; 1 to %d, of UTF-8", field, len(s), MaxText)
	}
	return nil
}

// Record is what is kept: content, and the salt that hides it in a commitment.
type Record struct {
	Ref
	Salt    [32]byte
	Content []byte
}

// Commitment is what the ledger may carry, H("commit", kind, salt, content).
func (r Record) Commitment() trial.Commitment {
	return trial.Commitment(wire.Sum("commit", r.Kind, r.Salt, r.Content))
}

// String hides the content from anything that prints it.
func (r Record) String() string { return "(record of the vault)" }

// GoString hides the content from anything that prints it.
func (r Record) GoString() string { return r.String() }

// sealed is a record's plaintext. Its name stands inside too, so that a list
// can be made; the name of the file binds it from outside.
type sealed struct {
	_       struct{} `cbor:",toarray"`
	Kind    string
	ID      string
	Salt    [32]byte
	Content []byte
}

// Vault is open. It is safe for use by several goroutines.
type Vault struct {
	dir   string
	outer box    // wraps data keys
	names []byte // keys the names of files

	mu   sync.Mutex
	keys map[string]box // by the person's folder
}

// Open opens the vault in dir, or makes it. The vault's key is read from
// keyFile, or made where neither it nor the vault exists; it must lie outside
// dir, and nobody else may read it.
func Open(dir, keyFile string) (*Vault, error) {
	if inside(dir, keyFile) {
		return nil, errors.New("vault: the key file lies in the vault, so that a copy of one holds both; keep it elsewhere")
	}
	if err := os.MkdirAll(filepath.Join(dir, temporary), 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	key, err := loadKey(keyFile, exists(filepath.Join(dir, marker)))
	if err != nil {
		return nil, err
	}
	v := &Vault{dir: dir, outer: key.derive("wrap"), names: key.bytes("names"), keys: map[string]box{}}
	if err := v.recognise(); err != nil {
		return nil, err
	}
	return v, v.finish()
}

// recognise refuses a key that is not this vault's.
func (v *Vault) recognise() error {
	path := filepath.Join(v.dir, marker)
	known, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return v.createAll(map[string][]byte{path: v.outer.seal([]byte(format), []byte(marker))})
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if plain, err := v.outer.open(known, []byte(marker)); err != nil || string(plain) != format {
		return errors.New("vault: the key file holds another vault's key; find the one that this vault was made with")
	}
	return nil
}

// Item is what is to be kept.
type Item struct {
	Ref
	Content []byte
}

// Put keeps content under a name, with a fresh salt, and returns once it is on
// the disk. The same content again gives the record as it was first kept, so
// that who does not know whether a Put arrived repeats it.
func (v *Vault) Put(ref Ref, content []byte) (Record, error) {
	out, err := v.PutAll([]Item{{Ref: ref, Content: content}})
	if err != nil {
		return Record{}, err
	}
	return out[0], nil
}

// PutAll keeps many records as Put keeps one, and waits for the disk once for
// all of them. After an error some may have been kept: repeat the whole.
func (v *Vault) PutAll(items []Item) ([]Record, error) {
	for _, x := range items {
		if err := x.check(); err != nil {
			return nil, err
		}
		if len(x.Content) > MaxContent {
			return nil, fmt.Errorf("vault: content: %d bytes; at most %d", len(x.Content), MaxContent)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	keys, err := v.keysOf(items)
	if err != nil {
		return nil, err
	}
	out, files := make([]Record, len(items)), map[string][]byte{}
	first := map[Ref]int{}
	for i, x := range items {
		if j, twice := first[x.Ref]; twice {
			if !bytes.Equal(items[j].Content, x.Content) {
				return nil, ErrExists
			}
			out[i] = out[j]
			continue
		}
		first[x.Ref] = i
		if out[i], err = v.keep(keys[i], x, files); err != nil {
			return nil, err
		}
	}
	return out, v.createAll(files)
}

// keep seals a record into files, unless it is kept already.
func (v *Vault) keep(key box, x Item, files map[string][]byte) (Record, error) {
	name := v.file(x.Ref)
	switch old, err := v.read(key, x.Trial, x.Person, name); {
	case err == nil && bytes.Equal(old.Content, x.Content):
		return old, nil
	case err == nil:
		return Record{}, ErrExists
	case !errors.Is(err, ErrNotFound):
		return Record{}, err
	}
	salt, err := newSecret()
	if err != nil {
		return Record{}, fmt.Errorf("vault: %w", err)
	}
	r := Record{Ref: x.Ref, Salt: salt, Content: bytes.Clone(x.Content)}
	plain := wire.Marshal(sealed{Kind: x.Kind, ID: x.ID, Salt: r.Salt, Content: x.Content})
	files[filepath.Join(v.folder(x.Trial, x.Person), name)] = key.seal(plain, bound(x.Trial, x.Person, name))
	return r, nil
}

// Get returns a record.
func (v *Vault) Get(ref Ref) (Record, error) {
	if err := ref.check(); err != nil {
		return Record{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := v.key(ref.Trial, ref.Person)
	if err != nil {
		return Record{}, err
	}
	return v.read(key, ref.Trial, ref.Person, v.file(ref))
}

// List names a person's records, in an order that says nothing.
func (v *Vault) List(id trial.ID, person string) ([]Ref, error) {
	if err := checkText("person", person); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	key, err := v.key(id, person)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(v.folder(id, person))
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	var out []Ref
	for _, e := range entries {
		if e.Name() == wrapped {
			continue
		}
		r, err := v.read(key, id, person, e.Name())
		if err != nil {
			return nil, err
		}
		out = append(out, r.Ref)
	}
	return out, nil
}

func (v *Vault) read(key box, id trial.ID, person, file string) (Record, error) {
	b, err := os.ReadFile(filepath.Join(v.folder(id, person), file))
	if errors.Is(err, os.ErrNotExist) {
		return Record{}, ErrNotFound
	}
	if err != nil {
		return Record{}, fmt.Errorf("vault: %w", err)
	}
	plain, err := key.open(b, bound(id, person, file))
	if err != nil {
		return Record{}, fmt.Errorf("vault: file %s was altered or moved; restore it from a copy", file)
	}
	var s sealed
	if err := wire.Unmarshal(plain, &s); err != nil {
		return Record{}, fmt.Errorf("vault: file %s: %w", file, err)
	}
	r := Record{Ref: Ref{Trial: id, Person: person, Kind: s.Kind, ID: s.ID}, Salt: s.Salt, Content: s.Content}
	if v.file(r.Ref) != file {
		return Record{}, fmt.Errorf("vault: file %s holds a record of another name", file)
	}
	return r, nil
}

// bound is what a seal holds beside its content: whose it is and, by the name
// of the file, which record it is.
func bound(id trial.ID, person, file string) []byte {
	return wire.Marshal([]any{"trialith/v1/vault", id, person, file})
}

// folder is where a person's files lie. A keyed hash gives a name from which no
// person can be told, and which no person's name can lead out of the vault.
func (v *Vault) folder(id trial.ID, person string) string {
	return filepath.Join(v.dir, v.keyed("person", id, person))
}

func (v *Vault) file(r Ref) string { return v.keyed("record", r.Trial, r.Person, r.Kind, r.ID) }

func (v *Vault) keyed(xs ...any) string {
	h := hmac.New(sha256.New, v.names)
	h.Write(wire.Marshal(xs))
	return hex.EncodeToString(h.Sum(nil))
}
