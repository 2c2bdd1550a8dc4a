// Package local runs commands on the machine of the engine.
package local

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"store/toolchain/stand-ins/standin"
)

// Command is command:local:Command. As in the published provider, a failed create leaves no resource behind, so its
// delete never runs; and stdout and stderr are no secrets even if an input is: that takes additionalSecretOutputs.
var Command = standin.Resource{
	Check:     checkInputs,
	Computed:  map[resource.PropertyKey]standin.Secrecy{"stdout": standin.Plain, "stderr": standin.Plain},
	Replacing: []resource.PropertyKey{"triggers"},
	Create:    create,
	Update:    update,
	Delete:    remove,
}

func create(ctx context.Context, op standin.Operation) (resource.ID, standin.Values, error) {
	in, err := decode(op.In)
	if err != nil {
		return "", nil, err
	}
	id, err := resource.NewUniqueHex(op.Name, 8, 0)
	if err != nil {
		return "", nil, err
	}
	var out outputs
	if in.Create != nil {
		if out, err = run(ctx, *in.Create, in, outputs{}, op.Log); err != nil {
			return "", nil, err
		}
	}
	return resource.ID(id), out.values(), nil
}

func update(ctx context.Context, op standin.Operation) (standin.Values, error) {
	in, err := decode(op.In)
	if err != nil {
		return nil, err
	}
	command := in.Create
	if in.Update != nil {
		command = in.Update
	}
	out := outputsOf(op.State)
	if command != nil {
		if out, err = run(ctx, *command, in, out, op.Log); err != nil {
			return nil, err
		}
	}
	return out.values(), nil
}

func remove(ctx context.Context, op standin.Operation) error {
	in, err := decode(op.In)
	if err != nil || in.Delete == nil {
		return err
	}
	_, err = run(ctx, *in.Delete, in, outputsOf(op.State), op.Log)
	return err
}

type outputs struct{ stdout, stderr string }

func outputsOf(state standin.Values) outputs {
	return outputs{stdout: state.String("stdout"), stderr: state.String("stderr")}
}

func (o outputs) values() standin.Values {
	return standin.Values{"stdout": resource.NewProperty(o.stdout), "stderr": resource.NewProperty(o.stderr)}
}
