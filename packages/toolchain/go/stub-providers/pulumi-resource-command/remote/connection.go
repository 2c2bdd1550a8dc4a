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

// Connection is the published provider's. Its proxy is not done here; the check says so.
type Connection struct {
	Host               string   `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	// DialErrorLimit is how many attempts may fail; -1 is any number.
	DialErrorLimit *int `pulumi:"dialErrorLimit,optional"`
	// PerDialTimeout is in seconds; 0 is none.
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

// pauseBetweenDials grows from the first to the second.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Second
)

// dial tries until it has a connection, a limit is reached, or the context ends. A host key that isn't the pinned one
// ends it at once: waiting makes no other machine of it.
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
	// The handshake knows no context; and a machine that accepts and then says nothing must not hold us for ever.
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
		// As in the published provider: who pins no key trusts whoever answers.
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
		// An agent of the environment that has gone is none of the program's business; one that it named is.
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

// algorithmsOf asks the server for the pinned key, and not for another one that it may have.
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

type hostKeyError struct{ expected, got ssh.PublicKey }

func (e *hostKeyError) Error() string {
	return fmt.Sprintf("ssh: host key mismatch: it answers with %s, and %s is pinned",
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
