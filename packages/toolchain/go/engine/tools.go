//go:build tools

// Package tools pins the version of the Pulumi CLI. The toolchain builds the imported package from this module.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
