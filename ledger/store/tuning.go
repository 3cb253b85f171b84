package store

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// tune sets what is for speed alone. Most of what is read at the door is not
// there, such as an idempotency key that nobody used: the filters say so
// without a read. Most of what is written is hashes, which do not compress.
func tune(o *pebble.Options) {
	o.CacheSize = 32 << 20
	o.MemTableStopWritesThreshold = 4
	o.L0CompactionThreshold = 8
	o.L0StopWritesThreshold = 64
	o.LBaseMaxBytes = 256 << 20
	o.CompactionConcurrencyRange = func() (lower, upper int) { return 1, 2 }
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	o.Levels[len(o.Levels)-1].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
}
