package readmodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/glebarez/sqlite"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/trialith/trialith/ledger/chain"
	"github.com/trialith/trialith/ledger/engine"
	"github.com/trialith/trialith/ledger/tx"
)

// ErrUnknown says that the model holds no such row.
var ErrUnknown = errors.New("not in the read model")

// MaxLimit is the length of the longest list that one query returns.
const MaxLimit = 1000

// Config says where the tables are. Dir or DSN is needed.
type Config struct {
	Dir      string // SQLite: the directory of its file; made if it is not there
	DSN      string // PostgreSQL: its URL, postgres://…; then Dir is unused
	Genesis  chain.Genesis
	KindName func(tx.Kind) string // the name of a kind of transaction; nil: none has one
}

func (c *Config) validate() error {
	switch {
	case c.DSN == "" && c.Dir == "":
		return errors.New("readmodel: Dir: name a directory, or DSN: the URL of a PostgreSQL database")
	case c.DSN != "" && !strings.HasPrefix(c.DSN, "postgres://") && !strings.HasPrefix(c.DSN, "postgresql://"):
		return errors.New("readmodel: DSN: give a URL, postgres://…")
	}
	if c.KindName == nil {
		c.KindName = func(tx.Kind) string { return "" }
	}
	return nil
}

// Model is the tables of one ledger. Its methods are safe for concurrent use;
// one process writes.
type Model struct {
	config Config
	write  *gorm.DB // SQLite: its one writer
	read   *gorm.DB

	apply sync.Mutex // holds world
	world *world     // nil: read it from the tables first
	mu    sync.RWMutex
	shown shown
}

// shown is what readers see without a query.
type shown struct {
	height  uint64
	lists   map[listKey]list
	changed chan struct{} // closed at the next block
}

var _ engine.Follower = (*Model)(nil)

// Open opens the tables, making or migrating them.
func Open(c Config) (*Model, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	m := &Model{config: c, shown: shown{changed: make(chan struct{})}}
	if err := m.connect(); err != nil {
		return nil, fmt.Errorf("readmodel: %w", err)
	}
	err := migrate(m.write)
	if err == nil {
		err = m.belong()
	}
	if err == nil {
		err = m.reload(context.Background())
	}
	if err != nil {
		return nil, fmt.Errorf("readmodel: %w", errors.Join(err, m.Close()))
	}
	return m, nil
}

func (m *Model) connect() (err error) {
	if m.config.DSN != "" {
		m.write, err = connect(postgres.Open(m.config.DSN), 8)
		m.read = m.write
		return err
	}
	if err := os.MkdirAll(m.config.Dir, 0o700); err != nil {
		return err
	}
	// What a power cut takes is applied again from the ledger: the cursor goes
	// back with the rows, so the log need not be synced at each block.
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"
	name := "file:" + filepath.Join(m.config.Dir, "readmodel.db") + pragmas
	if m.write, err = connect(sqlite.Open(name), 1); err != nil {
		return err
	}
	m.read, err = connect(sqlite.Open(name+"&_pragma=query_only(1)"), 4)
	return err
}

// belong refuses the tables of another ledger: their cursor says nothing of
// this one's blocks.
func (m *Model) belong() error {
	if m.config.Genesis.Version == 0 {
		return nil
	}
	id := m.config.Genesis.ID()
	var stored []byte
	if err := m.write.Raw("SELECT ledger FROM cursors").Row().Scan(&stored); err != nil {
		return err
	}
	if len(stored) == 0 {
		return m.write.Exec("UPDATE cursors SET ledger = ?", id[:]).Error
	}
	if !bytes.Equal(stored, id[:]) {
		return fmt.Errorf("the tables are of ledger %x; this is %v: name others, or remove them", stored, id)
	}
	return nil
}

func connect(d gorm.Dialector, connections int) (*gorm.DB, error) {
	db, err := gorm.Open(d, &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true})
	if err != nil {
		return nil, err
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return db, nil
}

// Close closes the database.
func (m *Model) Close() error {
	var err error
	for _, db := range []*gorm.DB{m.write, m.read} {
		if db == nil {
			continue
		}
		pool, bad := db.DB()
		if bad == nil {
			bad = pool.Close()
		}
		err = errors.Join(err, bad)
	}
	return err
}

// Drop empties the tables and sets the cursor to 0, so that the ledger tells
// every block again.
func (m *Model) Drop(ctx context.Context) error {
	m.apply.Lock()
	defer m.apply.Unlock()
	err := m.write.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for _, t := range tables {
			if err := tx.Exec("DELETE FROM " + t).Error; err != nil {
				return err
			}
		}
		return tx.Exec("UPDATE cursors SET height = 0, places = 0").Error
	})
	if err != nil {
		return fmt.Errorf("readmodel: drop: %w", err)
	}
	return m.reload(ctx)
}
