// Package inputs judges the inputs of the stand-in's resources as the published provider does.
package inputs

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/mapper"

	"store/toolchain/stub-providers/stub"
)

// Decode fills T by the mapper that the published provider uses: so what is refused, and in which words, is the same.
func Decode[T any](values stub.Values) (T, error) {
	var in T
	err := mapper.New(nil).Decode(resource.PropertyMap(values).Mappable(), &in)
	return in, err
}

// Check is Decode for what the engine is told before anything runs. What isn't known yet is not judged.
func Check[T any](values stub.Values) (T, []plugin.CheckFailure) {
	in, err := Decode[T](knownOnly(values))
	var mapping mapper.MappingError
	if errors.As(err, &mapping) {
		return in, slices.DeleteFunc(failuresOf(mapping), func(failure plugin.CheckFailure) bool {
			// Missing only because it was dropped.
			return isUnknown(values[failure.Property])
		})
	}
	return in, nil
}

// knownOnly puts a text in place of what isn't known yet where it is a part of something larger, and drops it elsewhere:
// whatever it will be, its type is judged when it is known.
func knownOnly(values stub.Values) stub.Values {
	known := stub.Values{}
	for key, value := range values {
		if !isUnknown(value) {
			known[key] = withoutUnknowns(value)
		}
	}
	return known
}

func withoutUnknowns(value resource.PropertyValue) resource.PropertyValue {
	switch {
	case isUnknown(value):
		return resource.NewProperty("")
	case value.IsArray():
		var elements []resource.PropertyValue
		for _, element := range value.ArrayValue() {
			elements = append(elements, withoutUnknowns(element))
		}
		return resource.NewProperty(elements)
	case value.IsObject():
		fields := resource.PropertyMap{}
		for key, field := range value.ObjectValue() {
			fields[key] = withoutUnknowns(field)
		}
		return resource.NewProperty(fields)
	}
	return value
}

func isUnknown(value resource.PropertyValue) bool { return value.IsComputed() || value.IsOutput() }

// CheckNulls comes before the mapper, which panics at a null in a list of texts.
func CheckNulls(resourceName string, values stub.Values, lists ...resource.PropertyKey) (failures []plugin.CheckFailure) {
	for _, key := range lists {
		if !values[key].IsArray() {
			continue
		}
		for i, element := range values[key].ArrayValue() {
			if element.IsNull() {
				failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(
					"Field '%s[%d]' on '%s' must be a 'string'; got 'null' instead", key, i, resourceName)})
			}
		}
	}
	return failures
}

func failuresOf(err mapper.MappingError) []plugin.CheckFailure {
	var failures []plugin.CheckFailure
	for _, failure := range err.Failures() {
		var field mapper.FieldError
		if errors.As(failure, &field) {
			failures = append(failures, plugin.CheckFailure{
				Property: resource.PropertyKey(field.Field()), Reason: field.Reason(),
			})
		} else {
			failures = append(failures, plugin.CheckFailure{Reason: failure.Error()})
		}
	}
	sort.Slice(failures, func(i, j int) bool { return failures[i].Property < failures[j].Property })
	return failures
}

// Refused is a failure for each of these properties that is given: the published provider has them, we don't.
func Refused(values stub.Values, keys ...resource.PropertyKey) (failures []plugin.CheckFailure) {
	for _, key := range keys {
		if values.Has(key) {
			failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(
				"the stand-in for the command provider does not do %s; use it with the published provider, which needs "+
					"an engine from Pulumi's download site", key)})
		}
	}
	return failures
}

// Logging says which of the command's outputs are shown while it runs; both when it is empty.
type Logging string

const (
	logStdout          Logging = "stdout"
	logStderr          Logging = "stderr"
	logStdoutAndStderr Logging = "stdoutAndStderr"
	logNone            Logging = "none"
)

func (l Logging) Stdout() bool { return l == "" || l == logStdout || l == logStdoutAndStderr }

func (l Logging) Stderr() bool { return l == "" || l == logStderr || l == logStdoutAndStderr }

// Check refuses what is none of the four words.
func (l Logging) Check() []plugin.CheckFailure {
	if l.Stdout() || l.Stderr() || l == logNone {
		return nil
	}
	return []plugin.CheckFailure{{Property: "logging", Reason: fmt.Sprintf(
		"Field 'logging' must be one of none, stdout, stderr and stdoutAndStderr; got '%s' instead", l)}}
}
