// Package standin is what the stand-in providers share: it turns a table of resources into a Pulumi provider. A stand-in
// takes the place of a published provider plugin that neither can be downloaded nor built from Go modules, for the
// resources that our program uses, with the published one's names, inputs, outputs and refusals.
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

// Resource is one resource type of a stand-in.
type Resource struct {
	Inputs map[resource.PropertyKey]Input
	// Computed names the outputs that Create and Update add to the inputs; the value says whether it is a secret.
	Computed map[resource.PropertyKey]Secrecy
	// Complete fills in defaults that depend on other inputs.
	Complete func(in Values)
	// Validate judges what a single input's type can't say. It sees inputs that are all known, defaults included.
	Validate func(in Values) []plugin.CheckFailure
	// Check, when given, judges in place of Inputs and Validate. Some of what it sees may be unknown still.
	Check  func(in Values) []plugin.CheckFailure
	Create func(ctx context.Context, op Operation) (resource.ID, Values, error)
	// Update changes the resource in place and returns its computed outputs. Without it every change replaces.
	Update func(ctx context.Context, op Operation) (Values, error)
	// Replacing are the inputs whose change replaces although there is an Update.
	Replacing []resource.PropertyKey
	// Delete is for what exists outside of the state. Without it, forgetting the resource is enough.
	Delete func(ctx context.Context, op Operation) error
	// Import makes inputs and computed outputs from what the user gave as the id.
	Import func(id resource.ID) (newID resource.ID, in, computed Values, err error)
}

// Operation is what Create, Update and Delete are given. Their context ends when the engine cancels or the resource's
// custom timeout is over; context.Cause says which.
type Operation struct {
	// Name is the resource's name in the program.
	Name string
	// In are the inputs, defaults included; at Delete, those that the resource last had.
	In Values
	// State are the outputs that the resource last had; none at Create.
	State Values
	// Log shows a line next to the resource while the operation runs.
	Log func(line string)
}

type Secrecy bool

const (
	Plain  Secrecy = false
	Secret Secrecy = true
)

// Main serves the resources as the provider `name` until the engine ends it.
func Main(name, version string, resources map[tokens.Type]Resource) error {
	p, err := newStandIn(name, version, resources)
	if err != nil {
		return err
	}
	// An engine that stops without a Cancel before ends its plugins by a signal: what they run must end with them.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, func() { p.cancel(errCancelled) })
	return provider.MainContext(ctx, name, func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		p.host = host
		return server{plugin.NewProviderServer(p)}, nil
	})
}

// server mends what the SDK's makes of a diff: it forgets to say that there is a detailed one, which the engine then
// ignores, and it names paths where the engine looks for properties. A preview would show that a resource changes, but
// not in what.
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

// propertyOf is environment for environment.NAME and triggers for triggers[0].
func propertyOf(path string) string {
	if end := strings.IndexAny(path, ".["); end > 0 {
		return path[:end]
	}
	return path
}

// New is Main without the server, for tests.
func New(name, version string, resources map[tokens.Type]Resource) (plugin.Provider, error) {
	return newStandIn(name, version, resources)
}

func newStandIn(name, version string, resources map[tokens.Type]Resource) (*standIn, error) {
	v, err := semver.Parse(version)
	if err != nil {
		return nil, fmt.Errorf("version of the stand-in for %s: %w", name, err)
	}
	p := &standIn{name: name, version: v, resources: resources}
	p.lifetime, p.cancel = context.WithCancelCause(context.Background())
	return p, nil
}

var errCancelled = errors.New("cancelled")

type standIn struct {
	plugin.UnimplementedProvider
	name      string
	version   semver.Version
	resources map[tokens.Type]Resource
	// lifetime ends when the engine asks to abort what is under way.
	lifetime context.Context
	cancel   context.CancelCauseFunc
	// host is the engine; nil in tests.
	host *provider.HostClient
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

func (p *standIn) Create(ctx context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
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

func (p *standIn) Update(ctx context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
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

func (p *standIn) Delete(ctx context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
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

// SignalCancellation is the engine's Cancel: what runs is to end, and nothing is to begin.
func (p *standIn) SignalCancellation(context.Context) error {
	p.cancel(errCancelled)
	return nil
}

func (p *standIn) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	return plugin.InvokeResponse{}, fmt.Errorf("the stand-in for the %s provider has no function %s", p.name, req.Tok)
}

// during makes the context of one operation. Timeout is in seconds; 0 means none.
func (p *standIn) during(ctx context.Context, timeout float64) (context.Context, func()) {
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

// logTo outlives the operation's own end: the last lines before it are those that matter.
func (p *standIn) logTo(ctx context.Context, urn resource.URN) func(string) {
	return func(line string) {
		if p.host == nil {
			return
		}
		// These lines are a courtesy: an engine that no longer listens is no reason to fail.
		_ = p.host.LogStatus(context.WithoutCancel(ctx), diag.Info, urn, line)
	}
}

func (p *standIn) lookup(t tokens.Type) (Resource, error) {
	if res, ok := p.resources[t]; ok {
		return res, nil
	}
	known := make([]string, 0, len(p.resources))
	for t := range p.resources {
		known = append(known, shortName(t))
	}
	sort.Strings(known)
	return Resource{}, fmt.Errorf(
		"%s is not among what the stand-in for the %s provider does (%s); use it with the published provider, "+
			"which needs an engine from Pulumi's download site", t, p.name, strings.Join(known, ", "))
}

// shortName is RandomBytes for random:index/randomBytes:RandomBytes, and local:Command for command:local:Command.
func shortName(t tokens.Type) string {
	module := string(t.Module().Name())
	if module == "index" || strings.HasPrefix(module, "index/") {
		return string(t.Name())
	}
	return module + ":" + string(t.Name())
}

// previewOutputs are unknown as far as they are computed: nobody can tell before it has run.
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
