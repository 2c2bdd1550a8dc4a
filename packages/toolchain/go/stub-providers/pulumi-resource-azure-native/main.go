// Command pulumi-resource-azure-native is a stub of the published azure-native provider; it rejects every request. The
// published plugin can't be built from Go modules, and a missing plugin costs every preview seconds of download retries,
// even if the stack has nothing on Azure. An engine that can download plugins doesn't use this stub; `./store rehearse`
// attaches the provider of the Azure emulator instead.
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

// version is set by the linker to the version of the npm package @pulumi/azure-native.
var version = "0.0.0-dev"

var errRefused = errors.New("the azure-native provider isn't installed, because this machine can't reach Pulumi's " +
	"download site; so this machine can't change resources on Azure. `./store rehearse` runs the staging stack against " +
	"an emulator of Azure; to deploy to an Azure subscription, use a machine that reaches the download site")

// refusing answers the engine's requests before the provider's configuration, and rejects the configuration. The engine
// sends no requests for resources after that.
type refusing struct {
	pulumirpc.UnimplementedResourceProviderServer
}

func (refusing) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: version}, nil
}

// CheckConfig fails, so that a preview reports the error too.
func (refusing) CheckConfig(context.Context, *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{Reason: errRefused.Error()}}}, nil
}

// Configure fails as well: `pulumi destroy` configures the provider without CheckConfig.
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
