// Command pulumi-resource-docker is the Docker provider, built from Go modules for machines that can't download the
// published plugin. It bridges the same Terraform provider with the same library as the published plugin. It lacks the
// resource docker.Image, which the published plugin implements natively.
//
// The module's path begins with the Terraform provider's path because Go allows only such modules to import the
// Terraform provider's internal packages.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// version is set by the linker to the version of the npm package @pulumi/docker.
var version = "0.0.0-dev"

func main() {
	// The engine needs the full schema only for SDK generation, YAML programs and `pulumi import` without a program,
	// none of which this repository uses. Name and version make the response well-formed.
	schema := []byte(`{"name":"docker","version":"` + version + `"}`)
	tfbridge.Main("docker", version, providerInfo(), schema)
}

// providerInfo maps Terraform's names to the TypeScript SDK's names where the bridge's default mapping differs.
// names_test.go compares all names.
func providerInfo() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:       shim.NewProvider(provider.New(version)()),
		Name:    "docker",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"host":          {Default: &tfbridge.DefaultInfo{EnvVars: []string{"DOCKER_HOST"}}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: "docker:index/serviceConfig:ServiceConfig"},
			"docker_container": {
				// Two containers can't share a name or a host port. A program whose containers have automatic names and
				// no host port turns this off with the resource option deleteBeforeReplace: false.
				DeleteBeforeReplace: true,
				Fields: map[string]*tfbridge.SchemaInfo{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
			"docker_image": {
				Tok: "docker:index/remoteImage:RemoteImage",
				// An image's name is its reference, so it must not be generated.
				Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: "docker:index/getRemoteImage:getRemoteImage"},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	info.SetAutonaming(255, "-")
	return info
}
