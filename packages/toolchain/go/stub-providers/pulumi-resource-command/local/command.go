// Package local runs commands on the machine on which the engine runs.
package local

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"store/toolchain/stub-providers/pulumi-resource-command/inputs"
	"store/toolchain/stub-providers/pulumi-resource-command/output"
	"store/toolchain/stub-providers/stub"
)

// Command is the resource command:local:Command. As in the published provider, a failed create leaves no resource behind,
// so its delete never runs; and stdout and stderr aren't secret even if an input is (use additionalSecretOutputs).
var Command = stub.Resource{
	Check:     checkInputs,
	Computed:  map[resource.PropertyKey]stub.Secrecy{"stdout": stub.Plain, "stderr": stub.Plain},
	Replacing: []resource.PropertyKey{"triggers"},
	Create:    create,
	Update:    update,
	Delete:    remove,
}

func create(ctx context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
	in, err := inputs.Decode[CommandInputs](op.In)
	if err != nil {
		return "", nil, err
	}
	id, err := resource.NewUniqueHex(op.Name, 8, 0)
	if err != nil {
		return "", nil, err
	}
	var out output.Outputs
	if in.Create != nil {
		if out, err = run(ctx, *in.Create, in, output.Outputs{}, op.Log); err != nil {
			return "", nil, err
		}
	}
	return resource.ID(id), out.Values(), nil
}

func update(ctx context.Context, op stub.Operation) (stub.Values, error) {
	in, err := inputs.Decode[CommandInputs](op.In)
	if err != nil {
		return nil, err
	}
	command := in.Create
	if in.Update != nil {
		command = in.Update
	}
	out := output.Of(op.State)
	if command != nil {
		if out, err = run(ctx, *command, in, out, op.Log); err != nil {
			return nil, err
		}
	}
	return out.Values(), nil
}

func remove(ctx context.Context, op stub.Operation) error {
	in, err := inputs.Decode[CommandInputs](op.In)
	if err != nil || in.Delete == nil {
		return err
	}
	_, err = run(ctx, *in.Delete, in, output.Of(op.State), op.Log)
	return err
}
