// Command pulumi-resource-command is a stub of the published command provider. It really runs the commands: those of
// local.Command on this machine, those of remote.Command over SSH. It exists because the published plugin can't be built
// from Go modules; an engine that can download plugins doesn't use it.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/pulumi-resource-command/local"
	"store/toolchain/stub-providers/pulumi-resource-command/remote"
	"store/toolchain/stub-providers/stub"
)

// version is set by the linker to the version of the npm package @pulumi/command.
var version = "0.0.0-dev"

// resources lacks command:remote:CopyToRemote and the older CopyFile; using them is an error that names the resource.
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
