// Package stub turns a table of resources into a Pulumi provider. A stub provider replaces a published provider plugin that
// can neither be downloaded nor built from Go modules. It implements the resources that this repository uses, with the
// names, inputs, outputs and error messages of the published plugin.
package stub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Resource is a resource type of a stub provider.
type Resource struct {
	Inputs map[resource.PropertyKey]Input
	// Computed lists the outputs that Create and Update add to the inputs, and whether each is secret.
	Computed map[resource.PropertyKey]Secrecy
	// Complete fills in defaults that depend on other inputs.
	Complete func(in Values)
	// Validate checks rules beyond a single input's type. It is called only when all inputs are known; they include
	// defaults.
	Validate func(in Values) []plugin.CheckFailure
	// Check, if set, replaces Inputs and Validate. Its values may be unknown.
	Check func(in Values) []plugin.CheckFailure
	// Create creates the resource and returns its ID and computed outputs.
	Create func(ctx context.Context, op Operation) (resource.ID, Values, error)
	// Update changes the resource in place and returns its computed outputs. Without it, every change is a replacement.
	Update func(ctx context.Context, op Operation) (Values, error)
	// Replacing lists the inputs whose change is a replacement although there is an Update.
	Replacing []resource.PropertyKey
	// Delete is needed only if the resource exists outside of the state.
	Delete func(ctx context.Context, op Operation) error
	// Import derives inputs and computed outputs from the ID that the user passed to `pulumi import`.
	Import func(id resource.ID) (newID resource.ID, in, computed Values, err error)
}

// Operation is the argument of Create, Update and Delete. Their context ends when the engine cancels or the resource's
// custom timeout expires; context.Cause returns which of the two.
type Operation struct {
	// Name is the resource's name in the program.
	Name string
	// In holds the inputs with defaults; in Delete, the resource's last inputs.
	In Values
	// State holds the resource's last outputs; empty in Create.
	State Values
	// Log shows a line beside the resource in the engine's progress display.
	Log func(line string)
}

// Secrecy says whether an output is secret.
type Secrecy bool

const (
	Plain  Secrecy = false
	Secret Secrecy = true
)

// Main serves the resources as the provider with this name until the engine ends the process.
func Main(name, version string, resources map[tokens.Type]Resource) error {
	p, err := newProvider(name, version, resources)
	if err != nil {
		return err
	}
	// An engine that stops without calling Cancel ends its plugins by a signal; running commands must end with them.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { p.cancel(errCancelled) })
	return provider.MainContext(ctx, name, func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		p.host = host
		return server{plugin.NewProviderServer(p)}, nil
	})
}

// server corrects the SDK's DiffResponse: the SDK doesn't set HasDetailedDiff, so the engine ignores the detailed diff, and
// it puts paths into Diffs, where the engine expects top-level properties. Without the correction, a preview shows that a
// resource changes, but not which property.
type server struct {
	pulumirpc.ResourceProviderServer
}

func (s server) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	diff, err := s.ResourceProviderServer.Diff(ctx, req)
	if err != nil {
		return nil, err
	}
	diff.HasDetailedDiff = len(diff.DetailedDiff) > 0
	for i, path := range diff.Diffs {
		diff.Diffs[i] = propertyOf(path)
	}
	slices.Sort(diff.Diffs)
	diff.Diffs = slices.Compact(diff.Diffs)
	return diff, nil
}

// propertyOf returns the top-level property of a path: environment for environment.NAME, triggers for triggers[0].
func propertyOf(path string) string {
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end]
	}
	return path
}

// New returns the provider without a server, for tests.
func New(name, version string, resources map[tokens.Type]Resource) (plugin.Provider, error) {
	return newProvider(name, version, resources)
}

func newProvider(name, version string, resources map[tokens.Type]Resource) (*stubProvider, error) {
	v, err := semver.Parse(version)
	if err != nil {
		return nil, fmt.Errorf("version of the stub of the %s provider: %w", name, err)
	}
	p := &stubProvider{name: name, version: v, resources: resources}
	p.lifetime, p.cancel = context.WithCancelCause(context.Background())
	return p, nil
}

var errCancelled = errors.New("cancelled")

type stubProvider struct {
	plugin.UnimplementedProvider
	name      string
	version   semver.Version
	resources map[tokens.Type]Resource
	// lifetime ends when the engine cancels the running operations.
	lifetime context.Context
	cancel   context.CancelCauseFunc
	// host is the engine; nil in tests.
	host *provider.HostClient
}

func (p *stubProvider) Pkg() tokens.Package { return tokens.Package(p.name) }

// Handshake leaves AcceptSecrets off: the engine then sends inputs without their secret wrapper, and marks the outputs that
// correspond to secret inputs as secret.
func (p *stubProvider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptOutputs: true}, nil
}

func (p *stubProvider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	return plugin.PluginInfo{Version: &p.version}, nil
}

func (p *stubProvider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	schema := fmt.Sprintf(`{"name":%q,"version":%q}`, p.name, p.version)
	return plugin.GetSchemaResponse{Schema: []byte(schema)}, nil
}

func (p *stubProvider) CheckConfig(_ context.Context, req plugin.CheckConfigRequest) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

func (p *stubProvider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffConfigResponse{Changes: plugin.DiffNone}, nil
}

func (p *stubProvider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}

func (p *stubProvider) Check(_ context.Context, req plugin.CheckRequest) (plugin.CheckResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	in := given(req.News)
	var failures []plugin.CheckFailure
	if res.Check != nil {
		failures = res.Check(in)
	} else {
		failures = res.checkTypes(in)
	}
	if len(failures) == 0 && !resource.NewProperty(resource.PropertyMap(in)).ContainsUnknowns() && res.Validate != nil {
		failures = res.Validate(res.withDefaults(in))
	}
	return plugin.CheckResponse{Properties: resource.PropertyMap(in), Failures: failures}, nil
}

// Diff compares inputs with defaults, so that setting an input to its default value is no change.
func (p *stubProvider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
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
		if res.replacesAt(path) {
			d = d.ToReplace()
		}
		result.DetailedDiff[path] = d
	}
	return result, nil
}

func (r Resource) replacesAt(path string) bool {
	if r.Update == nil {
		return true
	}
	return slices.Contains(r.Replacing, resource.PropertyKey(propertyOf(path)))
}

func (p *stubProvider) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	in := res.withDefaults(given(req.Properties))
	if req.Preview {
		return plugin.CreateResponse{Properties: res.previewOutputs(in)}, nil
	}
	ctx, done := p.during(ctx, req.Timeout)
	defer done()
	id, computed, err := res.Create(ctx, Operation{Name: req.Name, In: in, Log: p.logTo(ctx, req.URN)})
	if err != nil {
		return plugin.CreateResponse{}, err
	}
	return plugin.CreateResponse{ID: id, Properties: res.outputs(in, computed), Status: resource.StatusOK}, nil
}

func (p *stubProvider) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	in := res.withDefaults(given(req.NewInputs))
	if req.Preview {
		return plugin.UpdateResponse{Properties: res.previewOutputs(in)}, nil
	}
	ctx, done := p.during(ctx, req.Timeout)
	defer done()
	computed, err := res.Update(ctx, Operation{
		Name: req.Name, In: in, State: given(req.OldOutputs), Log: p.logTo(ctx, req.URN),
	})
	if err != nil {
		return plugin.UpdateResponse{}, err
	}
	return plugin.UpdateResponse{Properties: res.outputs(in, computed), Status: resource.StatusOK}, nil
}

// Read returns the state, because these resources exist nowhere else. Without a state the request is an import.
func (p *stubProvider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
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
		return plugin.ReadResponse{}, fmt.Errorf("the stub of the %s provider can't import a %s", p.name, req.Type.Name())
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

func (p *stubProvider) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	res, err := p.lookup(req.Type)
	if err != nil || res.Delete == nil {
		return plugin.DeleteResponse{}, err
	}
	ctx, done := p.during(ctx, req.Timeout)
	defer done()
	return plugin.DeleteResponse{}, res.Delete(ctx, Operation{
		Name: req.Name, In: res.withDefaults(given(req.Inputs)), State: given(req.Outputs), Log: p.logTo(ctx, req.URN),
	})
}

// SignalCancellation implements the engine's Cancel: it ends the running operations and prevents new ones.
func (p *stubProvider) SignalCancellation(context.Context) error {
	p.cancel(errCancelled)
	return nil
}

func (p *stubProvider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, fmt.Errorf("the stub of the %s provider has no function %s", p.name, req.Tok)
}

// during returns the context of one operation. The timeout is in seconds; 0 means none.
func (p *stubProvider) during(ctx context.Context, timeout float64) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(p.lifetime, func() { cancel(errCancelled) })
	stop := func() { unlink(); cancel(nil) }
	if timeout <= 0 {
		return ctx, stop
	}
	limit := time.Duration(timeout * float64(time.Second))
	ctx, expire := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within its custom timeout of %v", limit))
	return ctx, func() { expire(); stop() }
}

// logTo returns a log function that also works after the operation's context has ended, because the last lines before a
// cancellation matter most.
func (p *stubProvider) logTo(ctx context.Context, urn resource.URN) func(string) {
	return func(line string) {
		if p.host == nil {
			return
		}
		// The log is optional: an engine that no longer listens is no reason to fail.
		_ = p.host.LogStatus(context.WithoutCancel(ctx), diag.Info, urn, line)
	}
}

func (p *stubProvider) lookup(t tokens.Type) (Resource, error) {
	if res, ok := p.resources[t]; ok {
		return res, nil
	}
	known := make([]string, 0, len(p.resources))
	for t := range p.resources {
		known = append(known, shortName(t))
	}
	sort.Strings(known)
	return Resource{}, fmt.Errorf(
		"the stub of the %[2]s provider does not support %[1]s, only %[3]s; use the published provider, which comes "+
			"with an engine from Pulumi's download site", t, p.name, strings.Join(known, ", "))
}

// shortName returns RandomBytes for random:index/randomBytes:RandomBytes, and local:Command for command:local:Command.
func shortName(t tokens.Type) string {
	module := string(t.Module().Name())
	if module == "index" || strings.HasPrefix(module, "index/") {
		return string(t.Name())
	}
	return module + ":" + string(t.Name())
}

// previewOutputs returns the outputs of a preview, in which all computed outputs are unknown.
func (r Resource) previewOutputs(in Values) resource.PropertyMap {
	computed := Values{}
	for key := range r.Computed {
		computed[key] = resource.MakeComputed(resource.NewProperty(""))
	}
	return r.outputs(in, computed)
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
