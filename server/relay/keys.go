package relay

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/trialith/trialith/ledger/tx"
	"github.com/trialith/trialith/ledger/wire"
	"github.com/trialith/trialith/server/relay/sealed"
	"github.com/trialith/trialith/trial"
	"github.com/trialith/trialith/trial/act"
	"github.com/trialith/trialith/trial/directory"
)

// kem makes the keys that acts are sealed to.
var kem = hpke.DHKEM(ecdh.P256())

// The files of a batcher's keys.
const (
	fileActor   = "actor.key"
	actorFormat = "trialith batcher key 1\nseed %x\n"
	extSeal     = ".seal"
	sealFormat  = "trialith seal key 1\nsecret %x\nuntil %d\n"
)

// Times of a key that acts are sealed to, in milliseconds. While the next one is
// announced, what was sealed to the one before still opens.
const (
	keyLife    = int64(30 * 24 * 60 * 60 * 1000)
	keyOverlap = int64(7 * 24 * 60 * 60 * 1000)
	keyLinger  = int64(24 * 60 * 60 * 1000) // after its end, for what is on the way
)

// Keys are a batcher's: the one it signs with, as an actor of the ledger, and
// those that acts are sealed to. They are safe for concurrent use.
type Keys struct {
	dir    string
	ledger wire.LedgerID
	id     trial.ActorID
	actor  ed25519.PrivateKey

	mu    sync.Mutex
	seals []sealPair // by their end, the latest last
}

type sealPair struct {
	private hpke.PrivateKey
	public  sealed.Key
	until   int64
}

// InitKeys makes the keys of a new batcher of a ledger. It replaces none.
func InitKeys(dir string, ledger wire.LedgerID) (*Keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, fileActor)); err == nil {
		return nil, fmt.Errorf("%s: it has a batcher's key already; take another directory", dir)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	if err := writeSecret(dir, fileActor, fmt.Sprintf(actorFormat, key.Seed())); err != nil {
		return nil, err
	}
	return OpenKeys(dir, ledger)
}

// OpenKeys reads the keys of a batcher of a ledger.
func OpenKeys(dir string, ledger wire.LedgerID) (*Keys, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileActor))
	if err != nil {
		return nil, err
	}
	k := &Keys{dir: dir, ledger: ledger}
	var seed []byte
	if n, err := fmt.Sscanf(string(b), actorFormat, &seed); n != 1 || err != nil || len(seed) != ed25519.SeedSize || fmt.Sprintf(actorFormat, seed) != string(b) {
		return nil, fmt.Errorf("%s: not a batcher's key, or damaged", fileActor)
	}
	k.actor = ed25519.NewKeyFromSeed(seed)
	k.id = act.ActorID(ledger, trial.Batcher, k.Public())
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), extSeal) {
			continue
		}
		p, err := readSeal(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		k.seals = append(k.seals, p)
	}
	k.order()
	return k, nil
}

func (k *Keys) order() {
	slices.SortFunc(k.seals, func(a, b sealPair) int {
		if a.until != b.until {
			return int(min(max(a.until-b.until, -1), 1))
		}
		return slices.Compare(a.public[:], b.public[:])
	})
}

func readSeal(path string) (p sealPair, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return p, err
	}
	var secret []byte
	if n, err := fmt.Sscanf(string(b), sealFormat, &secret, &p.until); n != 2 || err != nil || fmt.Sprintf(sealFormat, secret, p.until) != string(b) {
		return p, fmt.Errorf("%s: not a key to open with, or damaged", filepath.Base(path))
	}
	if p.private, err = kem.NewPrivateKey(secret); err != nil {
		return p, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	p.public = sealed.Key(p.private.PublicKey().Bytes())
	return p, nil
}

// Actor is the batcher's name on the ledger.
func (k *Keys) Actor() trial.ActorID { return k.id }

// Public is the key that the batcher signs with.
func (k *Keys) Public() tx.PublicKey { return tx.PublicKey(k.actor.Public().(ed25519.PublicKey)) }

// Register is what the ledger's regulator sends to register the batcher, signed
// by the batcher's key.
func (k *Keys) Register(name, country string) directory.Register {
	t := directory.Register{Role: trial.Batcher, Name: name, Country: country}
	t.Prove(k.ledger, k.actor)
	return t
}

// Statement says which key acts are sealed to from now on. A new one is made in
// time, and is on the disk before it is told; one whose time is long over is
// destroyed, so that what was sealed to it stays closed.
func (k *Keys) Statement(now int64) (sealed.Statement, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.rotate(now); err != nil {
		return sealed.Statement{}, err
	}
	newest, _ := k.newest(now) // rotate saw to it
	s := sealed.Statement{Ledger: k.ledger, Batcher: k.id, Key: newest.public, NotAfter: newest.until}
	s.Sign(k.actor)
	return s, nil
}

// newest is the key that ends last, of those that a clock which was far ahead did
// not make.
func (k *Keys) newest(now int64) (p sealPair, ok bool) {
	for _, s := range k.seals {
		if s.until <= now+keyLife+keyLinger {
			p, ok = s, true
		}
	}
	return p, ok
}

func (k *Keys) rotate(now int64) error {
	for len(k.seals) > 0 && now >= k.seals[0].until+keyLinger {
		if err := os.Remove(filepath.Join(k.dir, sealName(k.seals[0].public))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		k.seals = k.seals[1:]
	}
	if p, ok := k.newest(now); ok && now < p.until-keyOverlap {
		return nil
	}
	private, err := kem.GenerateKey()
	if err != nil {
		return err
	}
	p := sealPair{private: private, public: sealed.Key(private.PublicKey().Bytes()), until: now + keyLife}
	secret, err := private.Bytes()
	if err != nil {
		return err
	}
	if err := writeSecret(k.dir, sealName(p.public), fmt.Sprintf(sealFormat, secret, p.until)); err != nil {
		return err
	}
	k.seals = append(k.seals, p)
	k.order()
	return nil
}

func sealName(public sealed.Key) string { return public.ID().String() + extSeal }

// opener finds the private half that a message was sealed to.
func (k *Keys) opener(id sealed.KeyID) (hpke.PrivateKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, p := range k.seals {
		if p.public.ID() == id {
			return p.private, true
		}
	}
	return nil, false
}

func (k *Keys) promise(message sealed.Hash, epoch uint64) *sealed.Promise {
	p := &sealed.Promise{Ledger: k.ledger, Sealed: message, Epoch: epoch}
	p.Sign(k.actor)
	return p
}

// writeSecret writes a file whole, synced with its name, for its owner alone.
func writeSecret(dir, name, text string) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncDirectory(dir)
}

// PublicText is the public key as the directory takes it: lower-case hex.
func (k *Keys) PublicText() string {
	p := k.Public()
	return hex.EncodeToString(p[:])
}
