//go:build tools

// Package tools pins Pebble, a certificate authority for tests. See ../pebble.ts.
package tools

import _ "github.com/letsencrypt/pebble/v2/cmd/pebble"
