// Command pulumi-resource-azure-native is a stand-in for the published azure-native provider that refuses everything. It
// exists because the published plugin can't be built from Go modules, and a plugin that is missing costs every preview
// seconds of retries, also of stacks that have nothing on Azure. An engine that can download plugins never sees it, and a
// rehearsal attaches a provider of its own in its place.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// version is set by the linker to the version of the npm package that this stands in for.
var version = "0.0.0-dev"

var errRefused = errors.New("the azure-native provider isn't on this machine: it comes from Pulumi's download site, " +
	"which can't be reached from here, so nothing on Azure can be changed from here. `./store rehearse` runs the staging " +
	"stack without Azure; on a machine that reaches the site, the same stack runs on a subscription")

// refusing answers what the engine asks before it configures a provider, and refuses to be configured: no request for a
// resource comes after that.
type refusing struct {
	pulumirpc.UnimplementedResourceProviderServer
}

func (refusing) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

// CheckConfig refuses at the first moment, so that a preview says it too.
func (refusing) CheckConfig(context.Context, *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{Reason: errRefused.Error()}}}, nil
}

// Configure is what a `destroy` comes to, which checks nothing.
func (refusing) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return nil, errRefused
}

func main() {
	err := provider.MainContext(context.Background(), "azure-native",
		func(*provider.HostClient) (pulumirpc.ResourceProviderServer, error) { return refusing{}, nil })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
