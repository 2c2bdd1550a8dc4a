package stub

import (
	"context"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

const token tokens.Type = "test:index/thing:Thing"

func TestDiffNamesTheChangedProperties(t *testing.T) {
	p, err := New("test", "1.0.0", map[tokens.Type]Resource{token: {
		Replacing: []resource.PropertyKey{"key"},
		Update:    func(context.Context, Operation) (Values, error) { return nil, nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := server{plugin.NewProviderServer(p)}
	for name, c := range map[string]struct {
		olds, news map[string]any
		kinds      map[string]pulumirpc.PropertyDiff_Kind
		properties []string
	}{
		"nothing": {map[string]any{"a": "1"}, map[string]any{"a": "1"}, nil, nil},
		"two in one map": {
			map[string]any{"map": map[string]any{"a": "1", "b": "1"}},
			map[string]any{"map": map[string]any{"a": "2", "b": "2"}},
			map[string]pulumirpc.PropertyDiff_Kind{"map.a": pulumirpc.PropertyDiff_UPDATE, "map.b": pulumirpc.PropertyDiff_UPDATE},
			[]string{"map"},
		},
		"in a list that replaces": {
			map[string]any{"key": []any{"1"}, "keys": "1"},
			map[string]any{"key": []any{"2"}, "keys": "2"},
			map[string]pulumirpc.PropertyDiff_Kind{"key[0]": pulumirpc.PropertyDiff_UPDATE_REPLACE, "keys": pulumirpc.PropertyDiff_UPDATE},
			[]string{"key", "keys"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			diff, err := s.Diff(t.Context(), &pulumirpc.DiffRequest{
				Urn:       string(resource.NewURN("s", "p", "", token, "x")),
				OldInputs: fields(t, c.olds), Olds: fields(t, c.olds), News: fields(t, c.news),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff.HasDetailedDiff != (len(c.kinds) > 0) || len(diff.DetailedDiff) != len(c.kinds) {
				t.Fatalf("got %v", diff)
			}
			for path, kind := range c.kinds {
				if diff.DetailedDiff[path].GetKind() != kind {
					t.Errorf("%s: expected %v, got %v", path, kind, diff)
				}
			}
			if len(diff.Diffs) != len(c.properties) {
				t.Fatalf("properties: %v", diff.Diffs)
			}
			for i, property := range c.properties {
				if diff.Diffs[i] != property {
					t.Errorf("properties: expected %v, got %v", c.properties, diff.Diffs)
				}
			}
		})
	}
}

func TestGivenKeepsTheProgramsOwnNames(t *testing.T) {
	in := given(resource.NewPropertyMapFromMap(map[string]any{
		"__defaults": []any{}, "absent": nil, "map": map[string]any{"__A": "1", "absent": nil},
	}))
	if len(in) != 1 || len(in["map"].ObjectValue()) != 1 || !in["map"].ObjectValue().HasValue("__A") {
		t.Errorf("got %v", in)
	}
}

func fields(t *testing.T, values map[string]any) *structpb.Struct {
	t.Helper()
	fields, err := structpb.NewStruct(values)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}
