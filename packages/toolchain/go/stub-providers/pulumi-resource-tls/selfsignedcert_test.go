package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

const certificateToken = "tls:index/selfSignedCert:SelfSignedCert"

func TestASelfSignedCertificateServesItsNames(t *testing.T) {
	for _, format := range []resource.PropertyKey{"privateKeyPem", "privateKeyPemPkcs8"} {
		key := text(t, create(t, map[string]any{"algorithm": "ECDSA", "ecdsaCurve": "P256"}), format)
		out := createCertificate(t, key)
		pair, err := tls.X509KeyPair([]byte(text(t, out, "certPem")), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		certificate, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(certificate)
		for _, name := range []string{"shop.example.org", "www.shop.example.org"} {
			if _, err := certificate.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if hours := certificate.NotAfter.Sub(certificate.NotBefore); hours != 48*time.Hour {
			t.Errorf("valid for %v", hours)
		}
		if text(t, out, "validityEndTime") != certificate.NotAfter.Local().Format(time.RFC3339) {
			t.Errorf("validityEndTime is %q", text(t, out, "validityEndTime"))
		}
		if block, _ := pem.Decode([]byte(text(t, out, "certPem"))); block.Type != "CERTIFICATE" {
			t.Errorf("certPem is a %s", block.Type)
		}
	}
}

func TestASelfSignedCertificateRefusesUnknownUsesAndKeys(t *testing.T) {
	answer, err := newProvider(t).Check(context.Background(), plugin.CheckRequest{
		Type: certificateToken, News: resource.NewPropertyMapFromMap(map[string]any{
			"allowedUses": []any{"any"}, "privateKeyPem": "x", "validityPeriodHours": 1,
		}),
	})
	if err != nil || len(answer.Failures) != 1 || answer.Failures[0].Property != "allowedUses" {
		t.Errorf("got %v, %v", answer.Failures, err)
	}
	if _, err := parseKey("nothing"); err == nil {
		t.Error("accepted a key that isn't PEM")
	}
}

func createCertificate(t *testing.T, key string) resource.PropertyMap {
	t.Helper()
	answer, err := newProvider(t).Create(context.Background(), plugin.CreateRequest{
		Name: "certificate", Type: certificateToken, Properties: resource.NewPropertyMapFromMap(map[string]any{
			"allowedUses":         []any{"digital_signature", "server_auth"},
			"dnsNames":            []any{"shop.example.org", "www.shop.example.org"},
			"privateKeyPem":       key,
			"validityPeriodHours": 48,
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Properties
}
