// Command pulumi-resource-random is a stub of the published random provider with RandomPassword, RandomString and
// RandomBytes. Its values are cryptographically random and its bcrypt hashes are real. It exists because the published
// plugin can't be built from Go modules; an engine that can download plugins doesn't use it.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/stub"
)

// version is set by the linker to the version of the npm package @pulumi/random.
var version = "0.0.0-dev"

var resources = map[tokens.Type]stub.Resource{
	"random:index/randomPassword:RandomPassword": randomPassword,
	"random:index/randomString:RandomString":     randomString,
	"random:index/randomBytes:RandomBytes":       randomBytes,
}

func main() {
	if err := stub.Main("random", version, resources); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
