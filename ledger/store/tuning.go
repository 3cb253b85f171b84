package store

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// memTable is the size of a table in memory. Up to four lie in the heap, as many
// logs are kept for re-use, and a start replays one: with four times as much a
// ledger of 100,000 transactions took more than twice the memory and disk.
const memTable = 8 << 20

// tune sets what is for speed alone. Most of what is read at the door is not
// there, such as an idempotency key that nobody used: the filters say so
// without a read. Most of what is written is hashes, which do not compress.
func tune(o *pebble.Options) {
	o.CacheSize = 32 << 20
	o.MemTableStopWritesThreshold = 4
	o.L0CompactionThreshold = 24 // merged later than usual, for the tables are small
	o.L0StopWritesThreshold = 64
	o.LBaseMaxBytes = 256 << 20
	o.CompactionConcurrencyRange = func() (lower, upper int) { return 1, 2 }
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	o.Levels[len(o.Levels)-1].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
}
