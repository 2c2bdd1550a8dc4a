package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"golang.org/x/crypto/bcrypt"

	"store/toolchain/stub-providers/stub"
)

var randomPassword = stub.Resource{
	Inputs:   textInputs,
	Complete: completeText,
	Computed: map[resource.PropertyKey]stub.Secrecy{"result": stub.Secret, "bcryptHash": stub.Secret},
	Validate: validateText,
	Create: func(_ context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		result, err := generate(op.In)
		if err != nil {
			return "", nil, err
		}
		computed, err := passwordOutputs(result)
		// The ID must not be the password: Pulumi shows IDs in plain text.
		return "none", computed, err
	},
	Import: func(id resource.ID) (resource.ID, stub.Values, stub.Values, error) {
		computed, err := passwordOutputs(string(id))
		return "none", stub.Values{"length": resource.NewProperty(float64(len(id)))}, computed, err
	},
}

var randomString = stub.Resource{
	Inputs:   textInputs,
	Complete: completeText,
	Computed: map[resource.PropertyKey]stub.Secrecy{"result": stub.Plain},
	Validate: validateText,
	Create: func(_ context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		result, err := generate(op.In)
		return resource.ID(result), stub.Values{"result": resource.NewProperty(result)}, err
	},
	Import: func(id resource.ID) (resource.ID, stub.Values, stub.Values, error) {
		in := stub.Values{"length": resource.NewProperty(float64(len(id)))}
		return id, in, stub.Values{"result": resource.NewProperty(string(id))}, nil
	},
}

var textInputs = map[resource.PropertyKey]stub.Input{
	"length":  {Type: stub.Integer, Required: true},
	"special": {Type: stub.Boolean, Default: resource.NewProperty(true)},
	"upper":   {Type: stub.Boolean, Default: resource.NewProperty(true)},
	"lower":   {Type: stub.Boolean, Default: resource.NewProperty(true)},
	// `number` is the deprecated name of `numeric`; each defaults to the other, see completeText.
	"number":          {Type: stub.Boolean},
	"numeric":         {Type: stub.Boolean},
	"minSpecial":      {Type: stub.Integer, Default: resource.NewProperty(0.0)},
	"minUpper":        {Type: stub.Integer, Default: resource.NewProperty(0.0)},
	"minLower":        {Type: stub.Integer, Default: resource.NewProperty(0.0)},
	"minNumeric":      {Type: stub.Integer, Default: resource.NewProperty(0.0)},
	"overrideSpecial": {Type: stub.String},
	"keepers":         {Type: stub.StringMap},
}

// class is a class of characters in a generated text.
type class struct {
	characters string
	enabled    bool
	minimum    int
	minimumKey resource.PropertyKey
}

// classes returns the published provider's character classes, with its default special characters.
func classes(in stub.Values) []class {
	special := "!@#$%&*()-_=+[]{}<>:?"
	if override := in.String("overrideSpecial"); override != "" {
		special = override
	}
	return []class{
		{special, in.Bool("special"), in.Int("minSpecial"), "minSpecial"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", in.Bool("upper"), in.Int("minUpper"), "minUpper"},
		{"abcdefghijklmnopqrstuvwxyz", in.Bool("lower"), in.Int("minLower"), "minLower"},
		{"0123456789", in.Bool("numeric"), in.Int("minNumeric"), "minNumeric"},
	}
}

func completeText(in stub.Values) {
	number, hasNumber := in["number"]
	numeric, hasNumeric := in["numeric"]
	switch {
	case !hasNumber && !hasNumeric:
		in["number"], in["numeric"] = resource.NewProperty(true), resource.NewProperty(true)
	case !hasNumeric:
		in["numeric"] = number
	case !hasNumber:
		in["number"] = numeric
	}
}

func validateText(in stub.Values) (failures []plugin.CheckFailure) {
	fail := func(key resource.PropertyKey, reason string) {
		failures = append(failures, plugin.CheckFailure{Property: key, Reason: reason})
	}
	anyEnabled, sum := false, 0
	for _, c := range classes(in) {
		if c.minimum < 0 {
			fail(c.minimumKey, fmt.Sprintf("%s must be at least 0, got %d", c.minimumKey, c.minimum))
		}
		anyEnabled = anyEnabled || c.enabled
		sum += c.minimum
	}
	switch length := in.Int("length"); {
	case length < 1:
		fail("length", fmt.Sprintf("length must be at least 1, got %d", length))
	case length < sum:
		fail("length", fmt.Sprintf(
			"length must be at least the sum of minUpper, minLower, minNumeric and minSpecial, %d, got %d", sum, length))
	}
	if !anyEnabled {
		fail("special", "at least one of special, upper, lower and numeric must be true")
	}
	if in.Bool("number") != in.Bool("numeric") {
		fail("number", "number is the deprecated name of numeric: set one of them, or both to the same value")
	}
	return failures
}

// generate draws the minimum of each class, then the rest from all enabled classes, and shuffles the result; each step is
// unbiased. As in the published provider, a disabled class still contributes its minimum.
func generate(in stub.Values) (string, error) {
	var all string
	var text []byte
	for _, c := range classes(in) {
		if c.enabled {
			all += c.characters
		}
		drawn, err := draw(c.characters, c.minimum)
		if err != nil {
			return "", err
		}
		text = append(text, drawn...)
	}
	rest, err := draw(all, in.Int("length")-len(text))
	if err != nil {
		return "", err
	}
	text = append(text, rest...)
	for i := len(text) - 1; i > 0; i-- {
		j, err := below(i + 1)
		if err != nil {
			return "", err
		}
		text[i], text[j] = text[j], text[i]
	}
	return string(text), nil
}

func draw(characters string, count int) ([]byte, error) {
	if count > 0 && characters == "" {
		return nil, errors.New("there are no characters to choose from")
	}
	drawn := make([]byte, 0, max(count, 0))
	for range count {
		i, err := below(len(characters))
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, characters[i])
	}
	return drawn, nil
}

// below returns an unbiased random number in [0, limit).
func below(limit int) (int, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return 0, err
	}
	return int(n.Int64()), nil
}

func passwordOutputs(password string) (stub.Values, error) {
	// bcrypt uses at most 72 bytes; Go's implementation rejects longer passwords.
	hash, err := bcrypt.GenerateFromPassword([]byte(password)[:min(len(password), 72)], bcrypt.DefaultCost)
	if err != nil {
		return nil, err
	}
	return stub.Values{
		"result":     resource.NewProperty(password),
		"bcryptHash": resource.NewProperty(string(hash)),
	}, nil
}
