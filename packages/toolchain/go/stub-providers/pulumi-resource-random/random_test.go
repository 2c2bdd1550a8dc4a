package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"golang.org/x/crypto/bcrypt"

	"store/toolchain/stub-providers/stub"
)

const (
	passwordType = tokens.Type("random:index/randomPassword:RandomPassword")
	stringType   = tokens.Type("random:index/randomString:RandomString")
	bytesType    = tokens.Type("random:index/randomBytes:RandomBytes")
)

// RandomString is generated like RandomPassword, but without the bcrypt hash, which takes 0.1 s.
func TestTextHasTheRequestedLengthAndClasses(t *testing.T) {
	in := properties{"length": 12, "special": false, "upper": false, "minNumeric": 5, "minUpper": 2}
	for range 200 {
		result := text(t, create(t, stringType, in), "result")
		if len(result) != 12 {
			t.Fatalf("%q has not 12 characters", result)
		}
		if n := count(result, "0123456789"); n < 5 {
			t.Fatalf("%q has %d digits, expected at least 5", result, n)
		}
		if n := count(result, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"); n != 2 {
			t.Fatalf("%q has %d capitals, expected 2: a disabled class contributes exactly its minimum", result, n)
		}
		if strings.Trim(result, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			t.Fatalf("%q has special characters", result)
		}
	}
}

func TestOverrideSpecial(t *testing.T) {
	in := properties{"length": 30, "upper": false, "lower": false, "numeric": false, "overrideSpecial": "_"}
	if result := text(t, create(t, passwordType, in), "result"); result != strings.Repeat("_", 30) {
		t.Errorf("got %q", result)
	}
}

func TestPasswordsDiffer(t *testing.T) {
	in := properties{"length": 20}
	if text(t, create(t, passwordType, in), "result") == text(t, create(t, passwordType, in), "result") {
		t.Error("two passwords are the same")
	}
}

func TestSecretsAreSecretAndTheHashFits(t *testing.T) {
	// bcrypt uses only the first 72 bytes.
	out := create(t, passwordType, properties{"length": 100})
	for _, key := range []resource.PropertyKey{"result", "bcryptHash"} {
		if !out[key].IsSecret() {
			t.Errorf("%s is not a secret", key)
		}
	}
	password, hash := text(t, out, "result"), text(t, out, "bcryptHash")
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)[:72]); err != nil {
		t.Error(err)
	}
}

func TestBytes(t *testing.T) {
	out := create(t, bytesType, properties{"length": 16})
	fromHex, err := hex.DecodeString(text(t, out, "hex"))
	if err != nil {
		t.Fatal(err)
	}
	if len(fromHex) != 16 || base64.StdEncoding.EncodeToString(fromHex) != text(t, out, "base64") {
		t.Errorf("hex and base64 are not the same 16 bytes: %v", out)
	}
}

func TestCheckRejectsInvalidInputs(t *testing.T) {
	for _, c := range []struct {
		name, property string
		in             properties
	}{
		{"no length", "length", properties{}},
		{"length 0", "length", properties{"length": 0}},
		{"a length below the minimums' sum", "length", properties{"length": 3, "minUpper": 2, "minLower": 2}},
		{"a length that is no whole number", "length", properties{"length": 1.5}},
		{"a length that is text", "length", properties{"length": "8"}},
		{"a negative minimum", "minLower", properties{"length": 8, "minLower": -1}},
		{"no class of characters", "special",
			properties{"length": 8, "special": false, "upper": false, "lower": false, "numeric": false}},
		{"number against numeric", "number", properties{"length": 8, "number": true, "numeric": false}},
		{"an unknown property", "size", properties{"length": 8, "size": 8}},
		{"a keeper that is no text", "keepers", properties{"length": 8, "keepers": map[string]any{"a": 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			failures := check(t, passwordType, c.in)
			if len(failures) != 1 || string(failures[0].Property) != c.property {
				t.Errorf("wanted one failure of %s, got %v", c.property, failures)
			}
		})
	}
	if failures := check(t, passwordType, properties{"length": 8, "keepers": map[string]any{"a": "b"}}); failures != nil {
		t.Errorf("what is right is refused: %v", failures)
	}
	if len(check(t, bytesType, properties{"length": 0})) != 1 {
		t.Error("0 bytes are not refused")
	}
}

func TestCheckAcceptsUnknownInputs(t *testing.T) {
	in := resource.PropertyMap{"length": resource.MakeComputed(resource.NewProperty(""))}
	answer, err := newProvider(t).Check(context.Background(), plugin.CheckRequest{Type: passwordType, News: in})
	if err != nil || len(answer.Failures) > 0 {
		t.Errorf("got %v, %v", answer.Failures, err)
	}
}

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name     string
		old, new properties
		replaced bool
	}{
		{"the same", properties{"length": 8}, properties{"length": 8}, false},
		{"defaults written out", properties{"length": 8}, properties{"length": 8, "upper": true, "number": true}, false},
		{"the published provider's own keys", properties{"length": 8, "__defaults": []any{}}, properties{"length": 8}, false},
		{"another length", properties{"length": 8}, properties{"length": 9}, true},
		{"a class off", properties{"length": 8}, properties{"length": 8, "numeric": false}, true},
		{"another keeper", properties{"length": 8, "keepers": map[string]any{"a": "1"}},
			properties{"length": 8, "keepers": map[string]any{"a": "2"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			diff, err := newProvider(t).Diff(context.Background(), plugin.DiffRequest{
				Type: passwordType, OldInputs: c.old.toMap(), NewInputs: c.new.toMap(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff.Replace() != c.replaced || (diff.Changes == plugin.DiffSome) != c.replaced {
				t.Errorf("got %+v", diff)
			}
		})
	}
}

func TestPreviewOutputsAreUnknown(t *testing.T) {
	answer, err := newProvider(t).Create(context.Background(), plugin.CreateRequest{
		Type: passwordType, Properties: properties{"length": 8}.toMap(), Preview: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if result := answer.Properties["result"]; !result.ContainsUnknowns() {
		t.Errorf("the preview shows a result: %v", result)
	}
}

func TestImport(t *testing.T) {
	answer, err := newProvider(t).Read(context.Background(), plugin.ReadRequest{Type: passwordType, ID: "given"})
	if err != nil {
		t.Fatal(err)
	}
	if answer.ID != "none" || text(t, answer.Outputs, "result") != "given" {
		t.Errorf("got %+v", answer)
	}
	if _, err := newProvider(t).Read(context.Background(), plugin.ReadRequest{Type: bytesType, ID: "%"}); err == nil {
		t.Error("imported bytes that aren't base64")
	}
}

func TestErrorNamesAnUnsupportedResource(t *testing.T) {
	_, err := newProvider(t).Check(context.Background(), plugin.CheckRequest{Type: "random:index/randomPet:RandomPet"})
	if err == nil || !strings.Contains(err.Error(), "RandomPassword") {
		t.Errorf("got %v", err)
	}
}

type properties map[string]any

func (p properties) toMap() resource.PropertyMap { return resource.NewPropertyMapFromMap(p) }

func newProvider(t *testing.T) plugin.Provider {
	t.Helper()
	provider, err := stub.New("random", "4.21.2", resources)
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func check(t *testing.T, kind tokens.Type, in properties) []plugin.CheckFailure {
	t.Helper()
	answer, err := newProvider(t).Check(context.Background(), plugin.CheckRequest{Type: kind, News: in.toMap()})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Failures
}

func create(t *testing.T, kind tokens.Type, in properties) resource.PropertyMap {
	t.Helper()
	answer, err := newProvider(t).Create(context.Background(), plugin.CreateRequest{
		Name: "test", Type: kind, Properties: in.toMap(),
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

func count(text, characters string) int {
	n := 0
	for _, c := range text {
		if strings.ContainsRune(characters, c) {
			n++
		}
	}
	return n
}
