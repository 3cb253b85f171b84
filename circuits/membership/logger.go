package membership

import "github.com/consensys/gnark/logger"

// The library logs to standard output while it compiles, sets up and proves, and
// standard output belongs to our commands' results. Its logger is one for the
// whole process, and so this is.
func init() { logger.Disable() }
