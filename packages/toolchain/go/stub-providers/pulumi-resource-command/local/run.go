package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"store/toolchain/stub-providers/pulumi-resource-command/output"
)

// A cancelled command may clean up for this long. The engine gives a plugin five seconds to end.
const grace = 3 * time.Second

func run(
	ctx context.Context, command string, in CommandInputs, previous output.Outputs, log func(string),
) (output.Outputs, error) {
	if err := context.Cause(ctx); err != nil {
		return output.Outputs{}, fmt.Errorf("%w: before running %q", err, command)
	}
	args := append(interpreter(in), command)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = in.Dir
	cmd.Env = environment(in, previous)
	if in.Stdin != "" {
		cmd.Stdin = strings.NewReader(in.Stdin)
	}

	collector := output.NewCollector(in.Logging, log)
	err := runGroup(ctx, cmd, collector.Stdout, collector.Stderr)
	collector.Flush()
	if err != nil {
		return output.Outputs{}, collector.Failure(explained(ctx, err), command)
	}
	return collector.Outputs(command)
}

func interpreter(in CommandInputs) []string {
	if len(in.Interpreter) > 0 {
		// A copy: appending the command must not write into the inputs.
		return append([]string{}, in.Interpreter...)
	}
	return []string{"/bin/sh", "-c"}
}

func environment(in CommandInputs, previous output.Outputs) []string {
	env := os.Environ()
	for name, value := range in.Environment {
		env = append(env, name+"="+value)
	}
	if in.AddPreviousOutputInEnv != nil && !*in.AddPreviousOutputInEnv {
		return env
	}
	if previous.Stdout != "" {
		env = append(env, "PULUMI_COMMAND_STDOUT="+previous.Stdout)
	}
	if previous.Stderr != "" {
		env = append(env, "PULUMI_COMMAND_STDERR="+previous.Stderr)
	}
	return env
}

// runGroup runs the command in a process group of its own, so that a cancellation reaches what the command started too.
// Like a shell's pipe it waits for everything that holds the outputs, also in the background.
func runGroup(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	// The child is tied to the life of the thread that starts it, see newGroup.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = newGroup()
	stdoutPipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderrPipe, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		// With a process group, Go blames a missing folder on the interpreter.
		if _, dirErr := os.Stat(cmd.Dir); cmd.Dir != "" && dirErr != nil {
			return fmt.Errorf("the folder to run in: %w", dirErr)
		}
		return err
	}

	ended := make(chan struct{})
	unlink := context.AfterFunc(ctx, func() {
		endGroup(cmd.Process.Pid, ended)
		// What left the group may hold the outputs for ever.
		stdoutPipe.Close()
		stderrPipe.Close()
	})
	var reading sync.WaitGroup
	reading.Go(func() { copyAll(stdout, stdoutPipe) })
	reading.Go(func() { copyAll(stderr, stderrPipe) })
	reading.Wait()
	err = cmd.Wait()
	close(ended)
	if !unlink() && err == nil {
		// It may have ended well before its work was done.
		return errors.New("ended early")
	}
	return err
}

// endGroup returns when the group's leader has ended and the rest of the group has been told to, or been made to.
func endGroup(group int, ended <-chan struct{}) {
	signalGroup(group, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(grace):
	}
	signalGroup(group, syscall.SIGKILL)
}

func signalGroup(group int, signal syscall.Signal) {
	// The only error there can be is that the group has ended already, which is what is wanted.
	_ = syscall.Kill(-group, signal)
}

func copyAll(to io.Writer, from io.Reader) {
	// Writing to memory doesn't fail, and reading fails only when a cancellation closed the pipe.
	_, _ = io.Copy(to, from)
}

func explained(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w (%v)", cause, err)
	}
	if errors.Is(err, syscall.E2BIG) {
		err = fmt.Errorf("%w (command and environment together; addPreviousOutputInEnv: false leaves the output of the "+
			"run before out of it)", err)
	}
	return err
}
