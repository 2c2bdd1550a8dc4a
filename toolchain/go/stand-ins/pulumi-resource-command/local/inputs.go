package local

import (
	"errors"
	"fmt"
	"sort"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/mapper"

	"store/toolchain/stand-ins/standin"
)

// CommandInputs has the published provider's name, package included, and is decoded by the mapper that it uses: so what
// is refused, and in which words, is the same.
type CommandInputs struct {
	Triggers               []any             `pulumi:"triggers,optional"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  string            `pulumi:"stdin,optional"`
	Logging                Logging           `pulumi:"logging,optional"`
	Interpreter            []string          `pulumi:"interpreter,optional"`
	Dir                    string            `pulumi:"dir,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AssetPaths             []string          `pulumi:"assetPaths,optional"`
	ArchivePaths           []string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Logging says which of the command's outputs are shown while it runs; both when it is empty.
type Logging string

const (
	logStdout          Logging = "stdout"
	logStderr          Logging = "stderr"
	logStdoutAndStderr Logging = "stdoutAndStderr"
	logNone            Logging = "none"
)

func (l Logging) stdout() bool { return l == "" || l == logStdout || l == logStdoutAndStderr }

func (l Logging) stderr() bool { return l == "" || l == logStderr || l == logStdoutAndStderr }

func (l Logging) valid() bool { return l.stdout() || l.stderr() || l == logNone }

func checkInputs(values standin.Values) []plugin.CheckFailure {
	known := knownOnly(values)
	if failures := checkNulls(known); len(failures) > 0 {
		return failures
	}
	in, err := decode(known)
	var mapping mapper.MappingError
	if errors.As(err, &mapping) {
		return failuresOf(mapping)
	}
	var failures []plugin.CheckFailure
	if !in.Logging.valid() {
		failures = append(failures, plugin.CheckFailure{Property: "logging", Reason: fmt.Sprintf(
			"Field 'logging' must be one of none, stdout, stderr and stdoutAndStderr; got '%s' instead", in.Logging)})
	}
	for _, key := range []resource.PropertyKey{"archivePaths", "assetPaths"} {
		if values.Has(key) {
			failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(
				"the stand-in for the command provider does not do %s; use it with the published provider, which needs "+
					"an engine from Pulumi's download site", key)})
		}
	}
	return failures
}

// knownOnly drops what isn't known yet, and puts a text in place of it where it is a part of something larger: whatever
// it will be, its type is judged when it is known.
func knownOnly(values standin.Values) standin.Values {
	known := standin.Values{}
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

// checkNulls comes before the mapper, which panics at a null in a list of texts.
func checkNulls(values standin.Values) (failures []plugin.CheckFailure) {
	for _, key := range []resource.PropertyKey{"interpreter", "assetPaths", "archivePaths"} {
		if !values[key].IsArray() {
			continue
		}
		for i, element := range values[key].ArrayValue() {
			if element.IsNull() {
				failures = append(failures, plugin.CheckFailure{Property: key, Reason: fmt.Sprintf(
					"Field '%s[%d]' on 'local.CommandInputs' must be a 'string'; got 'null' instead", key, i)})
			}
		}
	}
	return failures
}

func decode(values standin.Values) (CommandInputs, error) {
	var in CommandInputs
	if err := mapper.New(nil).Decode(resource.PropertyMap(values).Mappable(), &in); err != nil {
		return CommandInputs{}, err
	}
	return in, nil
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
