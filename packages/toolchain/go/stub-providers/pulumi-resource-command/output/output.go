// Package output collects and logs the output of a local or remote command.
package output

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"store/toolchain/stub-providers/pulumi-resource-command/inputs"
	"store/toolchain/stub-providers/stub"
)

// errorLimit is the maximum size, in bytes, of the command output in an error: gRPC sends errors in a header.
const errorLimit = 256 << 10

// Outputs are the command's outputs in the stack's state.
type Outputs struct{ Stdout, Stderr string }

// Of returns the outputs in a resource's state.
func Of(state stub.Values) Outputs {
	return Outputs{Stdout: state.String("stdout"), Stderr: state.String("stderr")}
}

func (o Outputs) Values() stub.Values {
	return stub.Values{"stdout": resource.NewProperty(o.Stdout), "stderr": resource.NewProperty(o.Stderr)}
}

// Collector collects both outputs of one command, and logs them line by line while the command runs.
type Collector struct {
	Stdout, Stderr       io.Writer
	stdout, stderr       bytes.Buffer
	both                 lockedBuffer
	stdoutLog, stderrLog *lineWriter
}

func NewCollector(logging inputs.Logging, log func(line string)) *Collector {
	c := &Collector{}
	var mutex sync.Mutex
	c.stdoutLog = &lineWriter{enabled: logging.Stdout(), mutex: &mutex, write: log}
	c.stderrLog = &lineWriter{enabled: logging.Stderr(), mutex: &mutex, write: log}
	c.Stdout = io.MultiWriter(&c.stdout, &c.both, c.stdoutLog)
	c.Stderr = io.MultiWriter(&c.stderr, &c.both, c.stderrLog)
	return c
}

// Flush logs the last line if it doesn't end with a line break.
func (c *Collector) Flush() {
	c.stdoutLog.flush()
	c.stderrLog.flush()
}

// Outputs returns the collected outputs without their last line break.
func (c *Collector) Outputs(command string) (Outputs, error) {
	if !utf8.Valid(c.stdout.Bytes()) || !utf8.Valid(c.stderr.Bytes()) {
		return Outputs{}, fmt.Errorf(
			"running %q: its output is not valid UTF-8, so the state can't store it: let the command print text, for example base64", command)
	}
	return Outputs{
		Stdout: strings.TrimSuffix(c.stdout.String(), "\n"),
		Stderr: strings.TrimSuffix(c.stderr.String(), "\n"),
	}, nil
}

// Failure returns an error in the published provider's format: the cause, the command, and its whole output.
func (c *Collector) Failure(err error, command string) error {
	output := c.both.String()
	if cut := len(output) - errorLimit; cut > 0 {
		output = fmt.Sprintf("[%d bytes]…%s", cut, output[cut:])
	}
	return fmt.Errorf("%w: running %q:\n%s", err, command, strings.ToValidUTF8(output, "\uFFFD"))
}

// lockedBuffer holds both outputs in the order in which they arrive.
type lockedBuffer struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.Buffer.Write(p)
}

// lineWriter logs whole lines of any length.
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
