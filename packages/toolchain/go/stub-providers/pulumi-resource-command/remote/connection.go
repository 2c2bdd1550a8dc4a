package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Connection has the fields of the published provider's connection. The check rejects proxy, which isn't supported.
type Connection struct {
	Host               string   `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	// DialErrorLimit is the number of attempts that may fail. -1 means no limit. Defaults to 10.
	DialErrorLimit *int `pulumi:"dialErrorLimit,optional"`
	// PerDialTimeout is in seconds. 0 means no timeout. Defaults to 15.
	PerDialTimeout *int           `pulumi:"perDialTimeout,optional"`
	Proxy          map[string]any `pulumi:"proxy,optional"`
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

func (c Connection) address() string {
	return net.JoinHostPort(c.Host, strconv.Itoa(int(or(c.Port, 22))))
}

// The pause between two attempts grows from firstPause to longestPause.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Second
)

// dial retries until it is connected, a limit is reached, or the context ends. It doesn't retry after a host key mismatch:
// the key won't change by waiting.
func dial(ctx context.Context, c Connection, log func(string)) (*ssh.Client, error) {
	config, closeAgent, err := clientConfig(c)
	if err != nil {
		return nil, err
	}
	defer closeAgent()
	limit := or(c.DialErrorLimit, 10)
	pause := firstPause
	for attempt := 1; ; attempt++ {
		client, err := dialOnce(ctx, c.address(), config)
		if err == nil {
			return client, nil
		}
		var wrongKey *hostKeyError
		switch {
		case context.Cause(ctx) != nil:
			return nil, fmt.Errorf("%w (while dialing %s: %v)", context.Cause(ctx), c.address(), err)
		case errors.As(err, &wrongKey):
			return nil, fmt.Errorf("%s: %w", c.address(), wrongKey)
		case limit >= 0 && attempt > limit:
			return nil, fmt.Errorf("after %d failed attempts: %w", attempt, err)
		}
		log(fmt.Sprintf("Dial %s failed: retrying (%v)", ofLimit(attempt, limit), err))
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (while dialing %s: %v)", context.Cause(ctx), c.address(), err)
		case <-time.After(pause):
		}
		pause = min(pause*3/2, longestPause)
	}
}

func ofLimit(attempt, limit int) string {
	if limit < 0 {
		return fmt.Sprintf("%d/inf", attempt)
	}
	return fmt.Sprintf("%d/%d", attempt, limit)
}

func dialOnce(ctx context.Context, address string, config *ssh.ClientConfig) (*ssh.Client, error) {
	dialer := net.Dialer{Timeout: config.Timeout}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// The handshake takes no context, and a machine may accept the connection and then never answer.
	unlink := context.AfterFunc(ctx, func() { connection.Close() })
	defer unlink()
	if config.Timeout > 0 {
		if err := connection.SetDeadline(time.Now().Add(config.Timeout)); err != nil {
			return nil, err
		}
	}
	client, channels, requests, err := ssh.NewClientConn(connection, address, config)
	if err != nil {
		connection.Close()
		return nil, err
	}
	if err := connection.SetDeadline(time.Time{}); err != nil {
		client.Close()
		return nil, err
	}
	return ssh.NewClient(client, channels, requests), nil
}

func clientConfig(c Connection) (*ssh.ClientConfig, func(), error) {
	config := &ssh.ClientConfig{
		User: or(c.User, "root"),
		// As in the published provider, without a pinned key any host key is accepted.
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Timeout:         time.Duration(or(c.PerDialTimeout, 15)) * time.Second,
	}
	nothing := func() {}
	if c.HostKey != nil {
		expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*c.HostKey))
		if err != nil {
			return nil, nothing, fmt.Errorf("failed to parse the host key: %w", err)
		}
		config.HostKeyAlgorithms = algorithmsOf(expected)
		config.HostKeyCallback = pinned(expected)
	}
	if c.PrivateKey != nil {
		signer, err := parsePrivateKey(*c.PrivateKey, c.PrivateKeyPassword)
		if err != nil {
			return nil, nothing, err
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if c.Password != nil {
		password := *c.Password
		config.Auth = append(config.Auth, ssh.Password(password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for i := range answers {
					answers[i] = password
				}
				return answers, nil
			}))
	}
	socket := or(c.AgentSocketPath, os.Getenv("SSH_AUTH_SOCK"))
	if socket == "" {
		return config, nothing, nil
	}
	connection, err := net.Dial("unix", socket)
	if err != nil {
		// An unreachable agent is an error only if the program named it; SSH_AUTH_SOCK may be stale.
		if c.AgentSocketPath == nil {
			return config, nothing, nil
		}
		return nil, nothing, fmt.Errorf("the SSH agent: %w", err)
	}
	config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	return config, func() { connection.Close() }, nil
}

func parsePrivateKey(key string, passphrase *string) (ssh.Signer, error) {
	if passphrase != nil {
		signer, err := ssh.ParsePrivateKeyWithPassphrase([]byte(key), []byte(*passphrase))
		if err != nil {
			return nil, fmt.Errorf("failed to parse the private key with its password: %w", err)
		}
		return signer, nil
	}
	signer, err := ssh.ParsePrivateKey([]byte(key))
	if err != nil {
		return nil, fmt.Errorf("failed to parse the private key: %w", err)
	}
	return signer, nil
}

// algorithmsOf returns the host key algorithms of the pinned key, so that the server presents that key and no other.
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

type hostKeyError struct{ expected, got ssh.PublicKey }

func (e *hostKeyError) Error() string {
	return fmt.Sprintf("ssh: host key mismatch: the server presents %s, but %s is pinned",
		ssh.FingerprintSHA256(e.got), ssh.FingerprintSHA256(e.expected))
}

func pinned(expected ssh.PublicKey) ssh.HostKeyCallback {
	return func(_ string, _ net.Addr, got ssh.PublicKey) error {
		if string(expected.Marshal()) != string(got.Marshal()) {
			return &hostKeyError{expected, got}
		}
		return nil
	}
}
