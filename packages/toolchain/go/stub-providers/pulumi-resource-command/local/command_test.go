package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"

	"store/toolchain/stub-providers/pulumi-resource-command/local"
	"store/toolchain/stub-providers/stub"
)

const token tokens.Type = "command:local:Command"

type object = map[string]any

func TestCreateKeepsTheOutputsWithoutTheirLastLineBreak(t *testing.T) {
	created := create(t, object{
		"create":      `cat; pwd; echo "$GREETING $__OWN" >&2`,
		"stdin":       "from stdin\n",
		"dir":         "/",
		"environment": object{"GREETING": "hello", "__OWN": "world"},
	})
	expect(t, created.Properties, "stdout", "from stdin\n/")
	expect(t, created.Properties, "stderr", "hello world")
	expect(t, created.Properties, "dir", "/")
	if !strings.HasPrefix(string(created.ID), "echo") || len(created.ID) != len("echo")+8 {
		t.Errorf("id %q is not the name and eight digits", created.ID)
	}
}

func TestCreateWithoutACommandRunsNothing(t *testing.T) {
	expect(t, create(t, object{"delete": "true"}).Properties, "stdout", "")
}

func TestInterpreter(t *testing.T) {
	created := create(t, object{"create": "hello", "interpreter": []any{"/bin/echo", "-n", "it says"}})
	expect(t, created.Properties, "stdout", "it says hello")
}

func TestUpdateRunsUpdateOrElseCreateAndSeesThePreviousOutput(t *testing.T) {
	state := object{"create": "x", "stdout": "old out", "stderr": "old err"}
	const show = `echo "$PULUMI_COMMAND_STDOUT,$PULUMI_COMMAND_STDERR"`
	for name, c := range map[string]struct {
		in       object
		expected string
	}{
		"update":   {object{"create": "echo create", "update": show}, "old out,old err"},
		"create":   {object{"create": show}, "old out,old err"},
		"not seen": {object{"create": show, "addPreviousOutputInEnv": false}, ","},
		"nothing":  {object{"delete": "true"}, "old out"},
	} {
		t.Run(name, func(t *testing.T) {
			updated, err := provider(t).Update(t.Context(), plugin.UpdateRequest{
				Name: "echo", Type: token, OldOutputs: properties(state), NewInputs: properties(c.in),
			})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, updated.Properties, "stdout", c.expected)
		})
	}
}

func TestPreviewRunsNothingAndKnowsNoOutputs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ran")
	in := properties(object{"create": "touch " + file})
	created, err := provider(t).Create(t.Context(), plugin.CreateRequest{Type: token, Properties: in, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	updated, err := provider(t).Update(t.Context(), plugin.UpdateRequest{
		Type: token, OldOutputs: properties(object{"stdout": "a", "stderr": "b"}), NewInputs: in, Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []resource.PropertyMap{created.Properties, updated.Properties} {
		if !out["stdout"].IsComputed() || !out["stderr"].IsComputed() || out["create"].IsComputed() {
			t.Errorf("outputs of the preview: %v", out)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the preview ran the command")
	}
}

func TestDeleteRunsDelete(t *testing.T) {
	file := filepath.Join(t.TempDir(), "seen")
	in := object{"create": "echo a", "delete": `printf %s "$PULUMI_COMMAND_STDOUT" > ` + file}
	request := plugin.DeleteRequest{
		Type: token, Inputs: properties(in), Outputs: properties(object{"stdout": "a", "stderr": ""}),
	}
	if _, err := provider(t).Delete(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if seen, err := os.ReadFile(file); err != nil || string(seen) != "a" {
		t.Errorf("delete wrote %q, %v", seen, err)
	}
	request.Inputs = properties(object{"delete": "exit 4"})
	if _, err := provider(t).Delete(t.Context(), request); err == nil || !strings.Contains(err.Error(), "exit status 4") {
		t.Errorf("a delete that fails gave %v", err)
	}
}

func TestFailureNamesExitCodeCommandAndOutput(t *testing.T) {
	for name, c := range map[string]struct {
		in       object
		expected string
	}{
		"exit code":    {object{"create": "echo out; sleep 0.2; echo err >&2; exit 3"}, "exit status 3: running \"echo out; sleep 0.2; echo err >&2; exit 3\":\nout\nerr\n"},
		"folder":       {object{"create": "true", "dir": "/not/there"}, "the folder to run in: stat /not/there: no such file or directory"},
		"interpreter":  {object{"create": "true", "interpreter": []any{"/not/there"}}, "/not/there: no such file or directory"},
		"not a text":   {object{"create": `printf '\377'`}, "not valid UTF-8"},
		"much output":  {object{"create": "yes | head -c 1000000; echo last; exit 1"}, "bytes]…"},
		"environment":  {object{"create": "true", "environment": object{"A": strings.Repeat("x", 1<<20)}}, "addPreviousOutputInEnv"},
		"ended by one": {object{"create": "kill -9 $$"}, "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := provider(t).Create(t.Context(), plugin.CreateRequest{Name: "x", Type: token, Properties: properties(c.in)})
			if err == nil || !strings.Contains(err.Error(), c.expected) {
				t.Errorf("expected %q, got %.2000v", c.expected, err)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		olds, news object
		expected   map[string]plugin.DiffKind
	}{
		"nothing":       {object{"create": "a", "triggers": []any{1, "b", object{"c": true}}}, object{"create": "a", "triggers": []any{1, "b", object{"c": true}}}, nil},
		"create":        {object{"create": "a"}, object{"create": "b"}, map[string]plugin.DiffKind{"create": plugin.DiffUpdate}},
		"new trigger":   {object{}, object{"triggers": []any{1}}, map[string]plugin.DiffKind{"triggers": plugin.DiffAddReplace}},
		"trigger":       {object{"triggers": []any{1}}, object{"triggers": []any{2}}, map[string]plugin.DiffKind{"triggers[0]": plugin.DiffUpdateReplace}},
		"in a trigger":  {object{"triggers": []any{object{"a": 1}}}, object{"triggers": []any{object{"a": 2}}}, map[string]plugin.DiffKind{"triggers[0].a": plugin.DiffUpdateReplace}},
		"one variable":  {object{"environment": object{"A": "1"}}, object{"environment": object{"A": "2"}}, map[string]plugin.DiffKind{"environment.A": plugin.DiffUpdate}},
		"logging given": {object{}, object{"logging": "none"}, map[string]plugin.DiffKind{"logging": plugin.DiffAdd}},
	} {
		t.Run(name, func(t *testing.T) {
			diff, err := provider(t).Diff(t.Context(), plugin.DiffRequest{
				Type: token, OldInputs: properties(c.olds), NewInputs: properties(c.news),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(diff.DetailedDiff) != len(c.expected) {
				t.Fatalf("got %v", diff.DetailedDiff)
			}
			for path, kind := range c.expected {
				if diff.DetailedDiff[path].Kind != kind {
					t.Errorf("%s: expected %v, got %v", path, kind, diff.DetailedDiff)
				}
			}
		})
	}
}

func TestCheckRejectsInvalidInputs(t *testing.T) {
	for name, c := range map[string]struct {
		in       object
		expected []string
	}{
		"nothing":     {object{"create": "a", "triggers": []any{1, nil, object{}}, "logging": "none", "environment": object{"A": "1"}}, nil},
		"unknown":     {object{"crate": "a"}, []string{"Unrecognized field 'crate' on 'local.CommandInputs'"}},
		"number":      {object{"create": 1}, []string{"Field 'create' on 'local.CommandInputs' must be a 'string'; got 'float64' instead"}},
		"in a list":   {object{"interpreter": []any{"sh", true}}, []string{"Field 'interpreter[1]' on 'local.CommandInputs' must be a 'string'; got 'bool' instead"}},
		"in a map":    {object{"environment": object{"A": 1}}, []string{"Field 'environment[A] value' on 'local.CommandInputs' must be a 'string'; got 'float64' instead"}},
		"null":        {object{"interpreter": []any{nil}}, []string{"Field 'interpreter[0]' on 'local.CommandInputs' must be a 'string'; got 'null' instead"}},
		"logging":     {object{"logging": "all"}, []string{"Field 'logging' must be one of none, stdout, stderr and stdoutAndStderr; got 'all' instead"}},
		"asset paths": {object{"assetPaths": []any{"*"}}, []string{"does not support assetPaths"}},
		"two":         {object{"dir": false, "a": ""}, []string{"Unrecognized field 'a'", "Field 'dir'"}},
	} {
		t.Run(name, func(t *testing.T) {
			failures := check(t, properties(c.in))
			if len(failures) != len(c.expected) {
				t.Fatalf("got %v", failures)
			}
			for i, expected := range c.expected {
				if !strings.Contains(failures[i].Reason, expected) {
					t.Errorf("expected %q, got %q", expected, failures[i].Reason)
				}
			}
		})
	}
}

func TestCheckAcceptsUnknownValues(t *testing.T) {
	unknown := resource.MakeComputed(resource.NewProperty(""))
	in := resource.PropertyMap{
		"create":      unknown,
		"environment": resource.NewProperty(resource.PropertyMap{"A": unknown}),
		"interpreter": resource.NewProperty([]resource.PropertyValue{resource.NewProperty("sh"), unknown}),
		"triggers":    unknown,
	}
	if failures := check(t, in); len(failures) > 0 {
		t.Errorf("rejected: %v", failures)
	}
}

func TestLoggingShowsTheChosenOutput(t *testing.T) {
	for logging, expected := range map[string]string{
		"": "both", "stdoutAndStderr": "both", "stdout": "out", "stderr": "err", "none": "",
	} {
		t.Run("logging "+logging, func(t *testing.T) {
			var lines []string
			in := object{"create": `echo out; printf err >&2; head -c 200000 /dev/zero | tr '\0' x`}
			if logging != "" {
				in["logging"] = logging
			}
			_, _, err := local.Command.Create(t.Context(), stub.Operation{
				Name: "x", In: stub.Values(properties(in)), Log: func(line string) { lines = append(lines, line) },
			})
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(lines, "\n")
			for _, line := range []string{"out", "err"} {
				if logged := strings.Contains(all, line); logged != (expected == line || expected == "both") {
					t.Errorf("%s logged: %v", line, logged)
				}
			}
		})
	}
}

func TestCancelEndsTheWholeProcessGroup(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		within  time.Duration
	}{
		"willing":            {"sleep 60 & echo $! > %; sleep 60", 2 * time.Second},
		"in the background":  {"sleep 60 & echo $! > %", 2 * time.Second},
		"deaf to SIGTERM":    {"trap '' TERM; sleep 60 & echo $! > %; wait; wait; sleep 60", 5 * time.Second},
		"cleans up and ends": {"trap 'exit 0' TERM; sleep 60 & echo $! > %; wait", 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pidFile := filepath.Join(t.TempDir(), "pid")
			p := provider(t)
			var cancelledAt time.Time
			var cancelling sync.WaitGroup
			cancelling.Go(func() {
				for waited := 0; !written(pidFile) && waited < 500; waited++ {
					time.Sleep(10 * time.Millisecond)
				}
				cancelledAt = time.Now()
				if err := p.SignalCancellation(context.Background()); err != nil {
					t.Error(err)
				}
			})
			command := strings.ReplaceAll(c.command, "%", pidFile)
			_, err := p.Create(t.Context(), plugin.CreateRequest{Name: "x", Type: token, Properties: properties(object{"create": command})})
			cancelling.Wait()
			if err == nil || !strings.HasPrefix(err.Error(), "cancelled") {
				t.Errorf("got %v", err)
			}
			if took := time.Since(cancelledAt); took > c.within {
				t.Errorf("took %v", took)
			}
			expectEnded(t, pidFile)

			_, err = p.Create(t.Context(), plugin.CreateRequest{Name: "x", Type: token, Properties: properties(object{"create": "true"})})
			if err == nil {
				t.Error("a command started after the cancellation")
			}
		})
	}
}

func TestCustomTimeout(t *testing.T) {
	_, err := provider(t).Create(t.Context(), plugin.CreateRequest{
		Name: "x", Type: token, Properties: properties(object{"create": "echo begun; sleep 60"}), Timeout: 0.2,
	})
	const expected = "not done within its custom timeout of 200ms (signal: terminated): running \"echo begun; sleep 60\":\nbegun\n"
	if err == nil || err.Error() != expected {
		t.Errorf("got %v", err)
	}
}

func TestErrorNamesAnUnsupportedResource(t *testing.T) {
	_, err := provider(t).Check(t.Context(), plugin.CheckRequest{Type: "command:remote:Command"})
	if err == nil || !strings.Contains(err.Error(), "does not support command:remote:Command, only local:Command") {
		t.Errorf("got %v", err)
	}
}

func provider(t *testing.T) plugin.Provider {
	t.Helper()
	p, err := stub.New("command", "1.2.1", map[tokens.Type]stub.Resource{token: local.Command})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t *testing.T, in object) plugin.CreateResponse {
	t.Helper()
	created, err := provider(t).Create(t.Context(), plugin.CreateRequest{Name: "echo", Type: token, Properties: properties(in)})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

func check(t *testing.T, in resource.PropertyMap) []plugin.CheckFailure {
	t.Helper()
	checked, err := provider(t).Check(t.Context(), plugin.CheckRequest{Type: token, News: in})
	if err != nil {
		t.Fatal(err)
	}
	return checked.Failures
}

func properties(values object) resource.PropertyMap { return resource.NewPropertyMapFromMap(values) }

func expect(t *testing.T, out resource.PropertyMap, key resource.PropertyKey, value string) {
	t.Helper()
	if !out[key].IsString() || out[key].StringValue() != value {
		t.Errorf("%s: expected %q, got %v", key, value, out[key])
	}
}

func written(file string) bool {
	content, err := os.ReadFile(file)
	return err == nil && strings.HasSuffix(string(content), "\n")
}

// expectEnded also accepts a zombie: in a container there may be no process that reaps orphans.
func expectEnded(t *testing.T, pidFile string) {
	t.Helper()
	pid, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimSpace(string(pid))
	for range 100 {
		stat, err := os.ReadFile("/proc/" + id + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s still runs", id)
}
