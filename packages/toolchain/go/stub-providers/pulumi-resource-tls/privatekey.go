package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"golang.org/x/crypto/ssh"

	"store/toolchain/stub-providers/stub"
)

// privateKey has no Update: as in the published provider, every change generates a new key.
var privateKey = stub.Resource{
	Inputs: map[resource.PropertyKey]stub.Input{
		"algorithm":  {Type: stub.String, Required: true},
		"ecdsaCurve": {Type: stub.String, Default: resource.NewProperty("P224")},
		"rsaBits":    {Type: stub.Integer, Default: resource.NewProperty(2048.0)},
	},
	Computed: map[resource.PropertyKey]stub.Secrecy{
		"privateKeyOpenssh":          stub.Secret,
		"privateKeyPem":              stub.Secret,
		"privateKeyPemPkcs8":         stub.Secret,
		"publicKeyFingerprintMd5":    stub.Plain,
		"publicKeyFingerprintSha256": stub.Plain,
		"publicKeyOpenssh":           stub.Plain,
		"publicKeyPem":               stub.Plain,
	},
	Validate: validate,
	Create: func(_ context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		key, err := generate(op.In)
		if err != nil {
			return "", nil, err
		}
		return outputsOf(key)
	},
}

var curves = map[string]elliptic.Curve{
	"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521(),
}

func validate(in stub.Values) (failures []plugin.CheckFailure) {
	fail := func(key resource.PropertyKey, reason string) {
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: reason})
	}
	switch algorithm := in.String("algorithm"); algorithm {
	case "RSA", "ECDSA", "ED25519":
	default:
		fail("algorithm", fmt.Sprintf("algorithm must be one of RSA, ECDSA and ED25519, got %q", algorithm))
	}
	if _, ok := curves[in.String("ecdsaCurve")]; !ok {
		fail("ecdsaCurve", fmt.Sprintf(
			"ecdsaCurve must be one of P224, P256, P384 and P521, got %q", in.String("ecdsaCurve")))
	}
	// crypto/rsa rejects shorter keys.
	if bits := in.Int("rsaBits"); in.String("algorithm") == "RSA" && bits < 1024 {
		fail("rsaBits", fmt.Sprintf("rsaBits must be at least 1024, got %d", bits))
	}
	return failures
}

func generate(in stub.Values) (crypto.Signer, error) {
	switch in.String("algorithm") {
	case "RSA":
		return rsa.GenerateKey(rand.Reader, in.Int("rsaBits"))
	case "ECDSA":
		return ecdsa.GenerateKey(curves[in.String("ecdsaCurve")], rand.Reader)
	default:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
}

func outputsOf(key crypto.Signer) (resource.ID, stub.Values, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", nil, err
	}
	traditional, err := traditionalPEM(key, pkcs8)
	if err != nil {
		return "", nil, err
	}
	values := map[resource.PropertyKey]string{
		"privateKeyPem":      traditional,
		"privateKeyPemPkcs8": encode("PRIVATE KEY", pkcs8),
		"publicKeyPem":       encode("PUBLIC KEY", public),
	}
	if err := addOpenSSH(values, key); err != nil {
		return "", nil, err
	}
	out := stub.Values{}
	for name, value := range values {
		out[name] = resource.NewProperty(value)
	}
	sum := sha1.Sum(public)
	return resource.ID(hex.EncodeToString(sum[:])), out, nil
}

// traditionalPEM returns the key in the algorithm's traditional format. Ed25519 has none; its key is in PKCS#8.
func traditionalPEM(key crypto.Signer, pkcs8 []byte) (string, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		return encode("EC PRIVATE KEY", der), err
	}
	return encode("PRIVATE KEY", pkcs8), nil
}

// addOpenSSH adds the key in OpenSSH's formats. They are empty for P224, which OpenSSH doesn't support.
func addOpenSSH(values map[resource.PropertyKey]string, key crypto.Signer) error {
	for _, name := range []resource.PropertyKey{
		"privateKeyOpenssh", "publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256",
	} {
		values[name] = ""
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok && key.Curve == elliptic.P224() {
		return nil
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	private, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	values["privateKeyOpenssh"] = string(pem.EncodeToMemory(private))
	values["publicKeyOpenssh"] = string(ssh.MarshalAuthorizedKey(public))
	values["publicKeyFingerprintMd5"] = ssh.FingerprintLegacyMD5(public)
	values["publicKeyFingerprintSha256"] = ssh.FingerprintSHA256(public)
	return nil
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
