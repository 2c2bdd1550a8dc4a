// Package inputs validates the inputs of the stub command provider with the published provider's rules.
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

// Decode converts the values to T with the mapper that the published provider uses, so that its error messages are the
// same.
func Decode[T any](values stub.Values) (T, error) {
	var in T
	err := mapper.New(nil).Decode(resource.PropertyMap(values).Mappable(), &in)
	return in, err
}

// Check validates values that may be unknown (in a preview). Unknown values aren't validated.
func Check[T any](values stub.Values) (T, []plugin.CheckFailure) {
	in, err := Decode[T](knownOnly(values))
	var mapping mapper.MappingError
	if errors.As(err, &mapping) {
		return in, slices.DeleteFunc(failuresOf(mapping), func(failure plugin.CheckFailure) bool {
			// knownOnly dropped this property; it isn't missing.
			return isUnknown(values[failure.Property])
		})
	}
	return in, nil
}

// knownOnly drops unknown properties, and replaces unknown values within lists and maps by an empty string. The types are
// validated when the values are known.
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

// CheckNulls reports null elements in lists of strings. It must run before the mapper, which panics on them.
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

// Refused returns a failure for each given property that only the published provider supports.
func Refused(values stub.Values, keys ...resource.PropertyKey) (failures []plugin.CheckFailure) {
	for _, key := range keys {
		if values.Has(key) {
			failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(
				"the stub of the command provider does not support %s; use the published provider, which comes with an "+
					"engine from Pulumi's download site", key)})
		}
	}
	return failures
}

// Logging selects the outputs that are logged while the command runs. Empty means both.
type Logging string

const (
	logStdout          Logging = "stdout"
	logStderr          Logging = "stderr"
	logStdoutAndStderr Logging = "stdoutAndStderr"
	logNone            Logging = "none"
)

func (l Logging) Stdout() bool { return l == "" || l == logStdout || l == logStdoutAndStderr }

func (l Logging) Stderr() bool { return l == "" || l == logStderr || l == logStdoutAndStderr }

// Check returns a failure for any other value.
func (l Logging) Check() []plugin.CheckFailure {
	if l.Stdout() || l.Stderr() || l == logNone {
		return nil
	}
	return []plugin.CheckFailure{{Property: "logging", Reason: fmt.Sprintf(
		"Field 'logging' must be one of none, stdout, stderr and stdoutAndStderr; got '%s' instead", l)}}
}
