// Package remote runs commands on another machine, over SSH.
package remote

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"golang.org/x/crypto/ssh"

	"store/toolchain/stub-providers/pulumi-resource-command/inputs"
	"store/toolchain/stub-providers/pulumi-resource-command/output"
	"store/toolchain/stub-providers/stub"
)

// Command is the resource command:remote:Command. As in the published provider, any change, even of the connection, runs
// `update` (or `create`, if there is no `update`) again; a failed create leaves no resource behind.
var Command = stub.Resource{
	Check:     check,
	Computed:  map[resource.PropertyKey]stub.Secrecy{"stdout": stub.Plain, "stderr": stub.Plain},
	Replacing: []resource.PropertyKey{"triggers"},
	Create: func(ctx context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		in, err := inputs.Decode[CommandInputs](op.In)
		if err != nil {
			return "", nil, err
		}
		id, err := resource.NewUniqueHex(op.Name, 8, 0)
		if err != nil {
			return "", nil, err
		}
		out, err := run(ctx, in.Create, in, output.Outputs{}, op.Log)
		return resource.ID(id), out.Values(), err
	},
	Update: func(ctx context.Context, op stub.Operation) (stub.Values, error) {
		in, err := inputs.Decode[CommandInputs](op.In)
		if err != nil {
			return nil, err
		}
		command := in.Create
		if in.Update != nil {
			command = in.Update
		}
		out, err := run(ctx, command, in, output.Of(op.State), op.Log)
		return out.Values(), err
	},
	Delete: func(ctx context.Context, op stub.Operation) error {
		in, err := inputs.Decode[CommandInputs](op.In)
		if err != nil {
			return err
		}
		_, err = run(ctx, in.Delete, in, output.Of(op.State), op.Log)
		return err
	},
}

// CommandInputs has the same package and type name as in the published provider: the mapper's error messages contain them.
type CommandInputs struct {
	Connection             Connection        `pulumi:"connection"`
	Triggers               []any             `pulumi:"triggers,optional"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  string            `pulumi:"stdin,optional"`
	Logging                inputs.Logging    `pulumi:"logging,optional"`
	Environment            map[string]string `pulumi:"environment,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

func check(values stub.Values) []plugin.CheckFailure {
	in, failures := inputs.Check[CommandInputs](values)
	if len(failures) > 0 {
		return failures
	}
	failures = in.Logging.Check()
	if connection := values["connection"]; connection.IsObject() {
		if _, given := connection.ObjectValue()["proxy"]; given {
			failures = append(failures, inputs.Refused(stub.Values{"connection.proxy": connection}, "connection.proxy")...)
		}
	}
	return failures
}

// run runs the command. Without a command it returns the previous outputs.
func run(
	ctx context.Context, command *string, in CommandInputs, previous output.Outputs, log func(string),
) (output.Outputs, error) {
	if command == nil {
		return previous, nil
	}
	client, err := dial(ctx, in.Connection, log)
	if err != nil {
		return output.Outputs{}, err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return output.Outputs{}, fmt.Errorf("the SSH server at %s opens no session: %w", in.Connection.address(), err)
	}
	defer session.Close()
	if err := setEnvironment(session, in, previous, log); err != nil {
		return output.Outputs{}, err
	}
	if in.Stdin != "" {
		session.Stdin = strings.NewReader(in.Stdin)
	}
	collector := output.NewCollector(in.Logging, log)
	session.Stdout, session.Stderr = collector.Stdout, collector.Stderr

	unlink := context.AfterFunc(ctx, func() {
		// OpenSSH forwards the signal. A command that ignores it loses its outputs when the connection closes.
		_ = session.Signal(ssh.SIGTERM)
		_ = client.Close()
	})
	err = session.Run(*command)
	collector.Flush()
	if !unlink() && err == nil {
		err = errors.New("ended early")
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%v)", cause, err)
		}
		return output.Outputs{}, collector.Failure(err, *command)
	}
	return collector.Outputs(*command)
}

// setEnvironment fails if the server rejects a variable that the program sets, because the command would run without it.
// As in the published provider, the variables with the previous outputs are optional.
func setEnvironment(session *ssh.Session, in CommandInputs, previous output.Outputs, log func(string)) error {
	for name, value := range in.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf("the SSH server at %s rejects the environment variable %s (see AcceptEnv in its sshd_config): %w",
				in.Connection.address(), name, err)
		}
	}
	if in.AddPreviousOutputInEnv != nil && !*in.AddPreviousOutputInEnv {
		return nil
	}
	for name, value := range map[string]string{
		"PULUMI_COMMAND_STDOUT": previous.Stdout, "PULUMI_COMMAND_STDERR": previous.Stderr,
	} {
		if value == "" {
			continue
		}
		if err := session.Setenv(name, value); err != nil {
			log(fmt.Sprintf("the SSH server rejects the environment variable %s (see AcceptEnv in its sshd_config)", name))
		}
	}
	return nil
}
