//go:build tools

// Package tools pins lego, the ACME client. See ../legoBinary.ts.
package tools

import _ "github.com/go-acme/lego/v5"
