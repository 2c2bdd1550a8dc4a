// Package standin is what the stand-in providers share: it turns a table of resources into a Pulumi provider. A stand-in
// takes the place of a published provider plugin that neither can be downloaded nor built from Go modules, for the
// resources that our program uses, with the published one's names, inputs, outputs and refusals.
package standin

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Resource is one resource type of a stand-in. Every change of an input replaces it: that is how all resources that
// are stood in for so far behave.
type Resource struct {
	Inputs map[resource.PropertyKey]Input
	// Computed names the outputs that Create adds to the inputs; the value says whether it is a secret.
	Computed map[resource.PropertyKey]Secrecy
	// Complete fills in defaults that depend on other inputs.
	Complete func(in Values)
	// Validate judges what a single input's type can't say. It sees inputs that are all known, defaults included.
	Validate func(in Values) []plugin.CheckFailure
	Create   func(in Values) (resource.ID, Values, error)
	// Import makes inputs and computed outputs from what the user gave as the id.
	Import func(id resource.ID) (newID resource.ID, in, computed Values, err error)
}

type Secrecy bool

const (
	Plain  Secrecy = false
	Secret Secrecy = true
)

// Main serves the resources as the provider `name` until the engine ends it.
func Main(name, version string, resources map[tokens.Type]Resource) error {
	p, err := New(name, version, resources)
	if err != nil {
		return err
	}
	return provider.Main(name, func(*provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		return plugin.NewProviderServer(p), nil
	})
}

// New is Main without the server, for tests.
func New(name, version string, resources map[tokens.Type]Resource) (plugin.Provider, error) {
	v, err := semver.Parse(version)
	if err != nil {
		return nil, fmt.Errorf("version of the stand-in for %s: %w", name, err)
	}
	return &standIn{name: name, version: v, resources: resources}, nil
}

type standIn struct {
	plugin.UnimplementedProvider
	name      string
	version   semver.Version
	resources map[tokens.Type]Resource
}

func (p *standIn) Pkg() tokens.Package { return tokens.Package(p.name) }

// Handshake leaves AcceptSecrets off: inputs then come without their secret wrapping, and the engine itself makes those
// outputs secret that come from secret inputs.
func (p *standIn) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptOutputs: true}, nil
}

func (p *standIn) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &p.version}, nil
}

func (p *standIn) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	schema := fmt.Sprintf(`{"name":%q,"version":%q}`, p.name, p.version)
	return plugin.GetSchemaResponse{Schema: []byte(schema)}, nil
}

func (p *standIn) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (p *standIn) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffConfigResponse{Changes: plugin.DiffNone}, nil
}

func (p *standIn) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (p *standIn) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	in := given(req.News)
	failures := res.checkTypes(in)
	if len(failures) == 0 && !resource.NewProperty(resource.PropertyMap(in)).ContainsUnknowns() && res.Validate != nil {
		failures = res.Validate(res.withDefaults(in))
	}
	return plugin.CheckResponse{Properties: resource.PropertyMap(in), Failures: failures}, nil
}

// Diff compares with the defaults filled in, so that writing a default out is no change.
func (p *standIn) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.DiffResponse{}, err
	}
	olds, news := res.withDefaults(given(req.OldInputs)), res.withDefaults(given(req.NewInputs))
	diff := plugin.NewDetailedDiffFromObjectDiff(resource.PropertyMap(olds).Diff(resource.PropertyMap(news)), true)
	if len(diff) == 0 {
		return plugin.DiffResult{Changes: plugin.DiffNone}, nil
	}
	result := plugin.DiffResult{Changes: plugin.DiffSome, DetailedDiff: map[string]plugin.PropertyDiff{}}
	for path, d := range diff {
		result.DetailedDiff[path] = d.ToReplace()
	}
	return result, nil
}

func (p *standIn) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	in := res.withDefaults(given(req.Properties))
	if req.Preview {
		computed := Values{}
		for key := range res.Computed {
			computed[key] = resource.MakeComputed(resource.NewProperty(""))
		}
		return plugin.CreateResponse{Properties: res.outputs(in, computed)}, nil
	}
	id, computed, err := res.Create(in)
	if err != nil {
		return plugin.CreateResponse{}, fmt.Errorf("%s: %w", req.Name, err)
	}
	return plugin.CreateResponse{ID: id, Properties: res.outputs(in, computed), Status: resource.StatusOK}, nil
}

// Read finds what the state says: these resources exist nowhere else. Without a state it is an import.
func (p *standIn) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	if len(req.State) > 0 {
		state := req.State.Copy()
		for key, secrecy := range res.Computed {
			if value, ok := state[key]; ok && secrecy == Secret && !value.IsSecret() {
				state[key] = resource.MakeSecret(value)
			}
		}
		return plugin.ReadResponse{ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: state}}, nil
	}
	if res.Import == nil {
		return plugin.ReadResponse{}, fmt.Errorf("the stand-in for the %s provider can't import a %s", p.name, req.Type.Name())
	}
	id, in, computed, err := res.Import(req.ID)
	if err != nil {
		return plugin.ReadResponse{}, err
	}
	return plugin.ReadResponse{ReadResult: plugin.ReadResult{
		ID:      id,
		Inputs:  resource.PropertyMap(in),
		Outputs: res.outputs(res.withDefaults(in), computed),
	}}, nil
}

func (p *standIn) Delete(context.Context, plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, nil
}

func (p *standIn) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, fmt.Errorf("the stand-in for the %s provider has no function %s", p.name, req.Tok)
}

func (p *standIn) lookup(t tokens.Type) (Resource, error) {
	if res, ok := p.resources[t]; ok {
		return res, nil
	}
	known := make([]string, 0, len(p.resources))
	for t := range p.resources {
		known = append(known, string(t.Name()))
	}
	sort.Strings(known)
	return Resource{}, fmt.Errorf(
		"%s is not among what the stand-in for the %s provider does (%s); use it with the published provider, "+
			"which needs an engine from Pulumi's download site", t, p.name, strings.Join(known, ", "))
}

func (r Resource) outputs(in, computed Values) resource.PropertyMap {
	out := resource.PropertyMap(in).Copy()
	for key, value := range computed {
		if r.Computed[key] == Secret {
			value = resource.MakeSecret(value)
		}
		out[key] = value
	}
	return out
}
