package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"store/toolchain/stub-providers/stub"
)

// selfSignedCert lacks the published provider's inputs for subjects, addresses and certificate authorities. It doesn't replace a
// certificate that has expired.
var selfSignedCert = stub.Resource{
	Inputs: map[resource.PropertyKey]stub.Input{
		"allowedUses":         {Type: stub.StringList, Required: true},
		"dnsNames":            {Type: stub.StringList},
		"privateKeyPem":       {Type: stub.String, Required: true},
		"validityPeriodHours": {Type: stub.Integer, Required: true},
	},
	Computed: map[resource.PropertyKey]stub.Secrecy{
		"certPem":           stub.Plain,
		"validityEndTime":   stub.Plain,
		"validityStartTime": stub.Plain,
	},
	Validate: func(in stub.Values) (failures []plugin.CheckFailure) {
		if _, _, err := usesOf(in); err != nil {
			failures = append(failures, plugin.CheckFailure{Property: "allowedUses", Reason: err.Error()})
		}
		return failures
	},
	Create: func(_ context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		key, err := parseKey(op.In.String("privateKeyPem"))
		if err != nil {
			return "", nil, fmt.Errorf("privateKeyPem: %w", err)
		}
		return signed(op.In, key, time.Now().Truncate(time.Second))
	},
}

var keyUses = map[string]x509.KeyUsage{
	"digital_signature": x509.KeyUsageDigitalSignature, "key_encipherment": x509.KeyUsageKeyEncipherment,
}

var extendedUses = map[string]x509.ExtKeyUsage{
	"server_auth": x509.ExtKeyUsageServerAuth, "client_auth": x509.ExtKeyUsageClientAuth,
}

func usesOf(in stub.Values) (uses x509.KeyUsage, extended []x509.ExtKeyUsage, err error) {
	for _, name := range texts(in, "allowedUses") {
		if use, ok := keyUses[name]; ok {
			uses |= use
		} else if use, ok := extendedUses[name]; ok {
			extended = append(extended, use)
		} else {
			return 0, nil, fmt.Errorf("the stub of the tls provider doesn't support the use %q", name)
		}
	}
	return uses, extended, nil
}

func signed(in stub.Values, key crypto.Signer, start time.Time) (resource.ID, stub.Values, error) {
	uses, extended, err := usesOf(in)
	if err != nil {
		return "", nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return "", nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		DNSNames:              texts(in, "dnsNames"),
		NotBefore:             start,
		NotAfter:              start.Add(time.Duration(in.Int("validityPeriodHours")) * time.Hour),
		KeyUsage:              uses,
		ExtKeyUsage:           extended,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", nil, err
	}
	return resource.ID(serial.String()), stub.Values{
		"certPem":           resource.NewProperty(encode("CERTIFICATE", der)),
		"validityStartTime": resource.NewProperty(template.NotBefore.Format(time.RFC3339)),
		"validityEndTime":   resource.NewProperty(template.NotAfter.Format(time.RFC3339)),
	}, nil
}

func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("no PEM")
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("a key of the type %T can't sign", key)
	}
	return signer, nil
}

func texts(in stub.Values, key resource.PropertyKey) []string {
	if !in.Has(key) {
		return nil
	}
	var all []string
	for _, element := range in[key].ArrayValue() {
		all = append(all, element.StringValue())
	}
	return all
}
