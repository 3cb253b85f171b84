//go:build never

package deps

import (
	_ "filippo.io/torchwood"
	_ "github.com/digitorus/timestamp"
	_ "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)
