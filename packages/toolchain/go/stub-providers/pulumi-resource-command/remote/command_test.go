package remote_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"golang.org/x/crypto/ssh"

	"store/toolchain/stub-providers/pulumi-resource-command/remote"
	"store/toolchain/stub-providers/stub"
)

const token tokens.Type = "command:remote:Command"

type object = map[string]any

func TestCreateRunsOnTheRemoteMachineWithStdinAndEnvironment(t *testing.T) {
	s := serve(t)
	created, err := create(t, object{
		"connection":  s.connection(nil),
		"create":      `cat; echo "$GREETING" >&2`,
		"stdin":       "from stdin\n",
		"environment": object{"GREETING": "hello"},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, created.Properties, "stdout", "from stdin")
	expect(t, created.Properties, "stderr", "hello")
}

func TestUpdateRunsUpdateOrElseCreateAndSeesThePreviousOutput(t *testing.T) {
	s := serve(t)
	for name, c := range map[string]struct {
		in       object
		expected string
	}{
		"update":     {object{"create": "echo create", "update": `echo "$PULUMI_COMMAND_STDOUT"`}, "old"},
		"create":     {object{"create": "echo create"}, "create"},
		"no command": {object{"delete": "true"}, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			c.in["connection"] = s.connection(nil)
			updated, err := provider(t).Update(t.Context(), plugin.UpdateRequest{
				Name: "x", Type: token, NewInputs: properties(c.in),
				OldOutputs: properties(object{"stdout": "old", "stderr": ""}),
			})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, updated.Properties, "stdout", c.expected)
		})
	}
}

func TestChangedConnectionIsAnUpdateAndChangedTriggerAReplacement(t *testing.T) {
	before := object{"connection": object{"host": "a"}, "create": "true", "triggers": []any{"1"}}
	for name, c := range map[string]struct {
		after    object
		replaced bool
	}{
		"connection": {object{"connection": object{"host": "b"}, "create": "true", "triggers": []any{"1"}}, false},
		"trigger":    {object{"connection": object{"host": "a"}, "create": "true", "triggers": []any{"2"}}, true},
	} {
		diff, err := provider(t).Diff(t.Context(), plugin.DiffRequest{
			Type: token, OldInputs: properties(before), NewInputs: properties(c.after),
		})
		if err != nil || diff.Changes != plugin.DiffSome || diff.Replace() != c.replaced {
			t.Errorf("%s: got %+v, %v", name, diff, err)
		}
	}
}

func TestFailureNamesExitCodeAndOutput(t *testing.T) {
	s := serve(t)
	_, err := create(t, object{"connection": s.connection(nil), "create": "echo out; echo err >&2; exit 3"})
	if err == nil || !strings.Contains(err.Error(), "exited with status 3") ||
		!strings.Contains(err.Error(), "out\n") || !strings.Contains(err.Error(), "err\n") {
		t.Errorf("got %v", err)
	}
}

func TestHostKeyMismatchIsNotRetried(t *testing.T) {
	s := serve(t)
	started := time.Now()
	_, err := create(t, object{
		"connection": s.connection(object{"hostKey": authorized(newKey(t)), "dialErrorLimit": -1}), "create": "true",
	})
	if err == nil || !strings.Contains(err.Error(), "host key mismatch") {
		t.Errorf("got %v", err)
	}
	if time.Since(started) > 5*time.Second {
		t.Error("the connection was retried")
	}
}

func TestUnknownLoginKeyIsRejected(t *testing.T) {
	s := serve(t)
	_, err := create(t, object{
		"connection": s.connection(object{"privateKey": private(t, newRawKey(t)), "dialErrorLimit": 0}), "create": "true",
	})
	if err == nil || !strings.Contains(err.Error(), "unable to authenticate") {
		t.Errorf("got %v", err)
	}
}

func TestDialLimitCountsFailures(t *testing.T) {
	_, err := create(t, object{"connection": object{"host": "127.0.0.1", "port": freePort(t), "dialErrorLimit": 1}, "create": "true"})
	if err == nil || !strings.Contains(err.Error(), "after 2 failed attempts") {
		t.Errorf("got %v", err)
	}
}

func TestSilentServerCountsAsAFailedAttempt(t *testing.T) {
	listener := listen(t)
	_, err := create(t, object{"connection": object{
		"host": "127.0.0.1", "port": listener.Addr().(*net.TCPAddr).Port, "dialErrorLimit": 0, "perDialTimeout": 1,
	}, "create": "true"})
	if err == nil || !strings.Contains(err.Error(), "after 1 failed attempts") {
		t.Errorf("got %v", err)
	}
}

func TestCancellationEndsTheCommand(t *testing.T) {
	s := serve(t)
	p := provider(t)
	go func() {
		<-s.started
		_ = p.SignalCancellation(context.Background())
	}()
	_, err := p.Create(t.Context(), plugin.CreateRequest{
		Name: "x", Type: token, Properties: properties(object{"connection": s.connection(nil), "create": "sleep 60"}),
	})
	if err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("got %v", err)
	}
}

func TestCheckRejectsInvalidInputs(t *testing.T) {
	for property, in := range map[string]object{
		"connection":       {"create": "true"},
		"logging":          {"connection": object{"host": "a"}, "logging": "loud"},
		"connection.proxy": {"connection": object{"host": "a", "proxy": object{"host": "b"}}},
		"interpreter":      {"connection": object{"host": "a"}, "interpreter": []any{"sh"}},
	} {
		answer, err := provider(t).Check(t.Context(), plugin.CheckRequest{Type: token, News: properties(in)})
		if err != nil || len(answer.Failures) != 1 || string(answer.Failures[0].Property) != property {
			t.Errorf("%s: got %v, %v", property, answer.Failures, err)
		}
	}
}

func TestCheckAcceptsAnUnknownConnection(t *testing.T) {
	for name, connection := range map[string]resource.PropertyValue{
		"wholly": resource.MakeComputed(resource.NewProperty("")),
		"in part": resource.NewProperty(resource.PropertyMap{
			"host": resource.MakeComputed(resource.NewProperty("")), "dialErrorLimit": resource.NewProperty(3.0),
		}),
	} {
		news := resource.PropertyMap{"connection": connection, "create": resource.NewProperty("true")}
		answer, err := provider(t).Check(t.Context(), plugin.CheckRequest{Type: token, News: news})
		if err != nil || len(answer.Failures) > 0 {
			t.Errorf("%s: got %v, %v", name, answer.Failures, err)
		}
	}
}

// server is an SSH server that runs the requested commands with /bin/sh.
type server struct {
	address          *net.TCPAddr
	hostKey          ssh.Signer
	login            ed25519.PrivateKey
	privateKey       string
	started          chan struct{}
	announceStarting sync.Once
}

func serve(t *testing.T) *server {
	t.Helper()
	raw := newRawKey(t)
	s := &server{hostKey: newKey(t), login: raw, privateKey: private(t, raw), started: make(chan struct{})}
	allowed, err := ssh.NewSignerFromKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(allowed.PublicKey().Marshal()) {
			return nil, errors.New("not this key")
		}
		return nil, nil
	}}
	config.AddHostKey(s.hostKey)
	listener := listen(t)
	s.address = listener.Addr().(*net.TCPAddr)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go s.handle(connection, config)
		}
	}()
	return s
}

func (s *server) handle(connection net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go s.session(channel, requests)
	}
}

func (s *server) session(channel ssh.Channel, requests <-chan *ssh.Request) {
	var environment []string
	for request := range requests {
		switch request.Type {
		case "env":
			var variable struct{ Name, Value string }
			_ = ssh.Unmarshal(request.Payload, &variable)
			environment = append(environment, variable.Name+"="+variable.Value)
			_ = request.Reply(true, nil)
		case "exec":
			var command struct{ Line string }
			_ = ssh.Unmarshal(request.Payload, &command)
			_ = request.Reply(true, nil)
			go s.exec(channel, command.Line, environment)
		default:
			_ = request.Reply(false, nil)
		}
	}
}

func (s *server) exec(channel ssh.Channel, line string, environment []string) {
	defer channel.Close()
	cmd := exec.Command("/bin/sh", "-c", line)
	cmd.Env = environment
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(stdin, channel); stdin.Close() }()
	s.announceStarting.Do(func() { close(s.started) })
	code := uint32(0)
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		code = uint32(exit.ExitCode())
	}
	_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
}

// connection returns the inputs for a connection to this server with a pinned host key, with the given properties replaced.
func (s *server) connection(other object) object {
	connection := object{
		"host": "127.0.0.1", "port": s.address.Port, "user": "me", "privateKey": s.privateKey, "hostKey": authorized(s.hostKey),
	}
	for key, value := range other {
		connection[key] = value
	}
	return connection
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

func freePort(t *testing.T) int {
	listener := listen(t)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

func newRawKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(newRawKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func private(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func authorized(key ssh.Signer) string { return string(ssh.MarshalAuthorizedKey(key.PublicKey())) }

func provider(t *testing.T) plugin.Provider {
	t.Helper()
	p, err := stub.New("command", "1.2.1", map[tokens.Type]stub.Resource{token: remote.Command})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func create(t *testing.T, in object) (plugin.CreateResponse, error) {
	t.Helper()
	return provider(t).Create(t.Context(), plugin.CreateRequest{Name: "x", Type: token, Properties: properties(in)})
}

func properties(in object) resource.PropertyMap { return resource.NewPropertyMapFromMap(in) }

func expect(t *testing.T, out resource.PropertyMap, key resource.PropertyKey, expected string) {
	t.Helper()
	if value := out[key]; !value.IsString() || value.StringValue() != expected {
		t.Errorf("%s: expected %q, got %v", key, expected, value)
	}
}
