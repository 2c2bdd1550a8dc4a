// Command pulumi-resource-tls is a stand-in for the published tls provider: it makes private keys, real ones. It exists
// because the published plugin can't be built from Go modules; an engine that can download plugins never sees it.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/stub"
)

// version is set by the linker to the version of the npm package that this stands in for.
var version = "0.0.0-dev"

// The published provider's certificates and requests are no part of our program: who asks for one is told so by its name.
var resources = map[tokens.Type]stub.Resource{
	"tls:index/privateKey:PrivateKey": privateKey,
}

func main() {
	if err := stub.Main("tls", version, resources); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
