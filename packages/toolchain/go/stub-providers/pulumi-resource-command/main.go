// Command pulumi-resource-command is a stand-in for the published command provider: it runs the commands of
// local.Command on this machine and those of remote.Command over SSH, for real. It exists because the published plugin can't be built from Go modules; an
// engine that can download plugins never sees it.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/pulumi-resource-command/local"
	"store/toolchain/stub-providers/pulumi-resource-command/remote"
	"store/toolchain/stub-providers/stub"
)

// version is set by the linker to the version of the npm package that this stands in for.
var version = "0.0.0-dev"

// The published provider also has command:remote:CopyToRemote and the older CopyFile; who uses them is told that the
// stand-in doesn't do them.
var resources = map[tokens.Type]stub.Resource{
	"command:local:Command":  local.Command,
	"command:remote:Command": remote.Command,
}

func main() {
	if err := stub.Main("command", version, resources); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
