// Command pulumi-resource-tls is a stub of the published tls provider with the resources PrivateKey and SelfSignedCert; the
// generated keys and certificates are real. It exists because the published plugin can't be built from Go modules; an engine
// that can download plugins doesn't use it.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/stub"
)

// version is set by the linker to the version of the npm package @pulumi/tls.
var version = "0.0.0-dev"

// resources lacks requests and certificates signed by another key; using them is an error that names the resource.
var resources = map[tokens.Type]stub.Resource{
	"tls:index/privateKey:PrivateKey":         privateKey,
	"tls:index/selfSignedCert:SelfSignedCert": selfSignedCert,
}

func main() {
	if err := stub.Main("tls", version, resources); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
