//go:build tools

// Package tools pins the language host: the toolchain builds that package out of this module. It is older than the
// engine because this is the last version in which it is part of the sdk module; later it is a module that the Go
// module proxy doesn't have.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
