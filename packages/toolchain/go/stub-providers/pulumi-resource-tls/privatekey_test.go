package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"golang.org/x/crypto/ssh"

	"store/toolchain/stub-providers/stub"
)

const token tokens.Type = "tls:index/privateKey:PrivateKey"

func TestEveryFormatHoldsTheSameKey(t *testing.T) {
	for name, c := range map[string]struct {
		in                 map[string]any
		pemType, sshPrefix string
	}{
		"RSA":        {map[string]any{"algorithm": "RSA"}, "RSA PRIVATE KEY", "ssh-rsa "},
		"ECDSA P256": {map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P256"}, "EC PRIVATE KEY", "ecdsa-sha2-nistp256 "},
		"ED25519":    {map[string]any{"algorithm": "ED25519"}, "PRIVATE KEY", "ssh-ed25519 "},
	} {
		t.Run(name, func(t *testing.T) {
			out := create(t, c.in)
			public := text(t, out, "publicKeyOpenssh")
			if !strings.HasPrefix(public, c.sshPrefix) || !strings.HasSuffix(public, "\n") {
				t.Errorf("publicKeyOpenssh is %q", public)
			}
			for _, format := range []resource.PropertyKey{"privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"} {
				if !out[format].IsSecret() {
					t.Errorf("%s is no secret", format)
				}
				signer, err := ssh.ParsePrivateKey([]byte(text(t, out, format)))
				if err != nil {
					t.Fatalf("%s: %v", format, err)
				}
				if got := string(ssh.MarshalAuthorizedKey(signer.PublicKey())); got != public {
					t.Errorf("%s holds %q, not %q", format, got, public)
				}
			}
			if block, _ := pem.Decode([]byte(text(t, out, "privateKeyPem"))); block.Type != c.pemType {
				t.Errorf("privateKeyPem is a %s", block.Type)
			}
			block, _ := pem.Decode([]byte(text(t, out, "publicKeyPem")))
			if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(text(t, out, "publicKeyFingerprintSha256"), "SHA256:") ||
				strings.Count(text(t, out, "publicKeyFingerprintMd5"), ":") != 15 {
				t.Errorf("fingerprints: %v", out)
			}
		})
	}
}

func TestTwoKeysDiffer(t *testing.T) {
	in := map[string]any{"algorithm": "ED25519"}
	if text(t, create(t, in), "privateKeyOpenssh") == text(t, create(t, in), "privateKeyOpenssh") {
		t.Error("two keys are the same")
	}
}

func TestP224HasNoOpenSSHFormat(t *testing.T) {
	out := create(t, map[string]any{"algorithm": "ECDSA"})
	if text(t, out, "ecdsaCurve") != "P224" || text(t, out, "publicKeyOpenssh") != "" || text(t, out, "privateKeyPem") == "" {
		t.Errorf("got %v", out)
	}
}

func TestCheckRejectsInvalidInputs(t *testing.T) {
	for property, in := range map[string]map[string]any{
		"algorithm":  {"algorithm": "DSA"},
		"ecdsaCurve": {"algorithm": "ECDSA", "ecdsaCurve": "P1"},
		"rsaBits":    {"algorithm": "RSA", "rsaBits": 512},
		"bits":       {"algorithm": "RSA", "bits": 2048},
	} {
		answer, err := newProvider(t).Check(context.Background(), plugin.CheckRequest{
			Type: token, News: resource.NewPropertyMapFromMap(in),
		})
		if err != nil || len(answer.Failures) != 1 || string(answer.Failures[0].Property) != property {
			t.Errorf("%v: got %v, %v", in, answer.Failures, err)
		}
	}
}

func TestAChangeReplaces(t *testing.T) {
	diff, err := newProvider(t).Diff(context.Background(), plugin.DiffRequest{
		Type:      token,
		OldInputs: resource.NewPropertyMapFromMap(map[string]any{"algorithm": "RSA"}),
		NewInputs: resource.NewPropertyMapFromMap(map[string]any{"algorithm": "ED25519"}),
	})
	if err != nil || !diff.Replace() {
		t.Errorf("got %+v, %v", diff, err)
	}
}

func newProvider(t *testing.T) plugin.Provider {
	t.Helper()
	provider, err := stub.New("tls", "5.6.1", resources)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func create(t *testing.T, in map[string]any) resource.PropertyMap {
	t.Helper()
	answer, err := newProvider(t).Create(context.Background(), plugin.CreateRequest{
		Name: "key", Type: token, Properties: resource.NewPropertyMapFromMap(in),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Properties
}

func text(t *testing.T, out resource.PropertyMap, key resource.PropertyKey) string {
	t.Helper()
	value := out[key]
	if value.IsSecret() {
		value = value.SecretValue().Element
	}
	if !value.IsString() {
		t.Fatalf("%s is no text: %v", key, value)
	}
	return value.StringValue()
}
