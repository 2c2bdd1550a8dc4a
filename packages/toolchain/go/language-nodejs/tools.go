//go:build tools

// Package tools pins the version of the Node.js language host. The toolchain builds the imported package from this
// module. The version is older than the engine's: later versions live in a module of their own, which the Go module
// proxy doesn't serve.
package tools

import _ "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"
