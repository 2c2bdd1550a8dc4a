//go:build tools

// Package tools pins syft, which lists the packages in an image. See ../syft.ts.
package tools

import _ "github.com/anchore/syft/cmd/syft"
