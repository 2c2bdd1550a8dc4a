package local

import (
	"bytes"
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
	"unicode/utf8"
)

// A cancelled command may clean up for this long. The engine gives a plugin five seconds to end.
const grace = 3 * time.Second

// errorOutputLimit is how much of a failed command's output its error carries: errors travel in a header.
const errorOutputLimit = 256 << 10

func run(
	ctx context.Context, command string, in CommandInputs, previous outputs, log func(string),
) (outputs, error) {
	if err := context.Cause(ctx); err != nil {
		return outputs{}, fmt.Errorf("%w: before running %q", err, command)
	}
	args := append(interpreter(in), command)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = in.Dir
	cmd.Env = environment(in, previous)
	if in.Stdin != "" {
		cmd.Stdin = strings.NewReader(in.Stdin)
	}

	var stdout, stderr bytes.Buffer
	var both lockedBuffer
	var logging sync.Mutex
	stdoutLog := &lineWriter{enabled: in.Logging.stdout(), mutex: &logging, write: log}
	stderrLog := &lineWriter{enabled: in.Logging.stderr(), mutex: &logging, write: log}
	err := runGroup(ctx, cmd, io.MultiWriter(&stdout, &both, stdoutLog), io.MultiWriter(&stderr, &both, stderrLog))
	stdoutLog.flush()
	stderrLog.flush()
	if err != nil {
		return outputs{}, failure(ctx, err, command, both.String())
	}
	if !utf8.Valid(stdout.Bytes()) || !utf8.Valid(stderr.Bytes()) {
		return outputs{}, fmt.Errorf(
			"running %q: its output is not valid UTF-8, which a stack can't hold: let it write text, for example base64", command)
	}
	return outputs{
		stdout: strings.TrimSuffix(stdout.String(), "\n"),
		stderr: strings.TrimSuffix(stderr.String(), "\n"),
	}, nil
}

func interpreter(in CommandInputs) []string {
	if len(in.Interpreter) > 0 {
		// A copy: appending the command must not write into the inputs.
		return append([]string{}, in.Interpreter...)
	}
	return []string{"/bin/sh", "-c"}
}

func environment(in CommandInputs, previous outputs) []string {
	env := os.Environ()
	for name, value := range in.Environment {
		env = append(env, name+"="+value)
	}
	if in.AddPreviousOutputInEnv != nil && !*in.AddPreviousOutputInEnv {
		return env
	}
	if previous.stdout != "" {
		env = append(env, "PULUMI_COMMAND_STDOUT="+previous.stdout)
	}
	if previous.stderr != "" {
		env = append(env, "PULUMI_COMMAND_STDERR="+previous.stderr)
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

func failure(ctx context.Context, err error, command, output string) error {
	if cause := context.Cause(ctx); cause != nil {
		err = fmt.Errorf("%w (%v)", cause, err)
	}
	if errors.Is(err, syscall.E2BIG) {
		err = fmt.Errorf("%w (command and environment together; addPreviousOutputInEnv: false leaves the output of the "+
			"run before out of it)", err)
	}
	if cut := len(output) - errorOutputLimit; cut > 0 {
		output = fmt.Sprintf("[%d bytes]…%s", cut, output[cut:])
	}
	return fmt.Errorf("%w: running %q:\n%s", err, command, strings.ToValidUTF8(output, "\uFFFD"))
}

// lockedBuffer takes both outputs, in the order in which they come.
type lockedBuffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

// lineWriter passes whole lines on, of any length.
type lineWriter struct {
	enabled bool
	// mutex is shared by the two outputs of a command.
	mutex *sync.Mutex
	write func(line string)
	rest  []byte
}

func (w *lineWriter) Write(p []byte) (int, error) {
	if !w.enabled {
		return len(p), nil
	}
	w.rest = append(w.rest, p...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		w.pass(line)
		w.rest = rest
	}
}

func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.pass(w.rest)
		w.rest = nil
	}
}

func (w *lineWriter) pass(line []byte) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.write(strings.TrimSuffix(string(line), "\r"))
}
