package stub

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Input is an input property of a resource.
type Input struct {
	Type     Type
	Required bool
	// Default is the value when the program sets none. Null (the zero value) means no default.
	Default resource.PropertyValue
}

type Type string

const (
	Boolean    Type = "boolean"
	Integer    Type = "integer"
	String     Type = "string"
	StringMap  Type = "map of strings"
	StringList Type = "list of strings"
)

// Values are a resource's properties. The getters return the zero value for an absent property; they must only be used on
// inputs that have passed Check, because they panic on a value of another type.
type Values resource.PropertyMap

func (v Values) Has(key resource.PropertyKey) bool { _, ok := v[key]; return ok }

func (v Values) Bool(key resource.PropertyKey) bool { return v.Has(key) && v[key].BoolValue() }

func (v Values) Int(key resource.PropertyKey) int {
	if !v.Has(key) {
		return 0
	}
	return int(v[key].NumberValue())
}

func (v Values) String(key resource.PropertyKey) string {
	if !v.Has(key) {
		return ""
	}
	return v[key].StringValue()
}

// given drops nulls, which mean "not set", and the internal keys of the engine and the bridge (such as __defaults), which a
// state written by the published provider may contain.
func given(properties resource.PropertyMap) Values {
	values := Values{}
	for key, value := range properties {
		if value.IsNull() || resource.IsInternalPropertyKey(key) || strings.HasPrefix(string(key), "__") {
			continue
		}
		values[key] = withoutNulls(value)
	}
	return values
}

// withoutNulls drops nulls within maps. It keeps keys such as __NAME: within the program's own maps they aren't internal.
func withoutNulls(value resource.PropertyValue) resource.PropertyValue {
	if !value.IsObject() {
		return value
	}
	kept := resource.PropertyMap{}
	for key, element := range value.ObjectValue() {
		if !element.IsNull() {
			kept[key] = withoutNulls(element)
		}
	}
	return resource.NewProperty(kept)
}

func (r Resource) withDefaults(in Values) Values {
	out := Values(resource.PropertyMap(in).Copy())
	for key, input := range r.Inputs {
		if !out.Has(key) && !input.Default.IsNull() {
			out[key] = input.Default
		}
	}
	if r.Complete != nil {
		r.Complete(out)
	}
	return out
}

func (r Resource) checkTypes(in Values) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	fail := func(key resource.PropertyKey, format string, args ...any) {
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(format, args...)})
	}
	for _, key := range sorted(r.Inputs) {
		if r.Inputs[key].Required && !in.Has(key) {
			fail(key, "%s is required", key)
		}
	}
	for _, key := range sorted(in) {
		input, known := r.Inputs[key]
		switch {
		case !known:
			fail(key, "%s is not a property of this resource", key)
		case !input.Type.accepts(in[key]):
			fail(key, "%s must be of type %s", key, input.Type)
		}
	}
	return failures
}

func (t Type) accepts(value resource.PropertyValue) bool {
	if value.IsComputed() || value.IsOutput() {
		return true
	}
	switch t {
	case Boolean:
		return value.IsBool()
	case Integer:
		return value.IsNumber() && value.NumberValue() == math.Trunc(value.NumberValue())
	case String:
		return value.IsString()
	case StringMap:
		if !value.IsObject() {
			return false
		}
		for _, element := range value.ObjectValue() {
			if !String.accepts(element) {
				return false
			}
		}
		return true
	case StringList:
		if !value.IsArray() {
			return false
		}
		for _, element := range value.ArrayValue() {
			if !String.accepts(element) {
				return false
			}
		}
		return true
	}
	return false
}

func sorted[V any](m map[resource.PropertyKey]V) []resource.PropertyKey {
	keys := make([]resource.PropertyKey, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	return keys
}
