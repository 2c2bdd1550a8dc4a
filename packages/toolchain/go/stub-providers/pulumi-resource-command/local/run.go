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

// grace is the time that a cancelled command has to clean up. The engine gives a plugin five seconds to end.
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
		return output.Outputs{}, collector.Failure(withCause(ctx, err), command)
	}
	return collector.Outputs(command)
}

func interpreter(in CommandInputs) []string {
	if len(in.Interpreter) > 0 {
		// Copy the slice: appending the command must not modify the inputs.
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

// runGroup runs the command in a process group of its own, so that a cancellation also ends the command's children. Like a
// shell's pipe, it waits until every process that holds the outputs has ended, including background processes.
func runGroup(ctx context.Context, cmd *exec.Cmd, stdout, stderr io.Writer) error {
	// Pdeathsig (see newGroup) fires when the thread that started the child ends.
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
		// With a process group, Go's error for a missing folder names the interpreter instead.
		if _, dirErr := os.Stat(cmd.Dir); cmd.Dir != "" && dirErr != nil {
			return fmt.Errorf("the folder to run in: %w", dirErr)
		}
		return err
	}

	ended := make(chan struct{})
	unlink := context.AfterFunc(ctx, func() {
		endGroup(cmd.Process.Pid, ended)
		// A process that left the group may hold the outputs forever.
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
		// The command may have exited with 0 on SIGTERM, before its work was done.
		return errors.New("ended early")
	}
	return err
}

// endGroup sends SIGTERM to the group, waits up to the grace time for its leader to end, then sends SIGKILL to the group.
func endGroup(group int, ended <-chan struct{}) {
	signalGroup(group, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(grace):
	}
	signalGroup(group, syscall.SIGKILL)
}

func signalGroup(group int, signal syscall.Signal) {
	// The only possible error is that the group has already ended.
	_ = syscall.Kill(-group, signal)
}

func copyAll(to io.Writer, from io.Reader) {
	// Writing to memory doesn't fail; reading fails only after a cancellation has closed the pipe.
	_, _ = io.Copy(to, from)
}

// withCause adds the reason for a cancellation, and a hint for an oversized environment.
func withCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w (%v)", cause, err)
	}
	if errors.Is(err, syscall.E2BIG) {
		err = fmt.Errorf("%w (the limit covers command and environment together; addPreviousOutputInEnv: false removes "+
			"the output of the previous run from the environment)", err)
	}
	return err
}
