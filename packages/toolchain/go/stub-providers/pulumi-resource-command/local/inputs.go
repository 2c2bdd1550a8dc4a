package local

import (
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"store/toolchain/stub-providers/pulumi-resource-command/inputs"
	"store/toolchain/stub-providers/stub"
)

// CommandInputs has the same package and type name as in the published provider: the mapper's error messages contain them.
type CommandInputs struct {
	Triggers               []any             `pulumi:"triggers,optional"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  string            `pulumi:"stdin,optional"`
	Logging                inputs.Logging    `pulumi:"logging,optional"`
	Interpreter            []string          `pulumi:"interpreter,optional"`
	Dir                    string            `pulumi:"dir,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AssetPaths             []string          `pulumi:"assetPaths,optional"`
	ArchivePaths           []string          `pulumi:"archivePaths,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

func checkInputs(values stub.Values) []plugin.CheckFailure {
	nulls := inputs.CheckNulls("local.CommandInputs", values, "interpreter", "assetPaths", "archivePaths")
	if len(nulls) > 0 {
		return nulls
	}
	in, failures := inputs.Check[CommandInputs](values)
	if len(failures) > 0 {
		return failures
	}
	return append(in.Logging.Check(), inputs.Refused(values, "archivePaths", "assetPaths")...)
}
