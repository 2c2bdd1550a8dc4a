//go:build tools

// Package tools pins the engine's command line: the toolchain builds that package out of this module.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
