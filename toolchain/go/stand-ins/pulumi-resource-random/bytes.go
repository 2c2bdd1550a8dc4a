package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"store/toolchain/stand-ins/standin"
)

var randomBytes = standin.Resource{
	Inputs: map[resource.PropertyKey]standin.Input{
		"length":  {Type: standin.Integer, Required: true},
		"keepers": {Type: standin.StringMap},
	},
	Computed: map[resource.PropertyKey]standin.Secrecy{"base64": standin.Secret, "hex": standin.Secret},
	Validate: func(in standin.Values) []plugin.CheckFailure {
		if length := in.Int("length"); length < 1 {
			return []plugin.CheckFailure{{
				Property: "length", Reason: fmt.Sprintf("length must be at least 1, got %d", length),
			}}
		}
		return nil
	},
	Create: func(_ context.Context, op standin.Operation) (resource.ID, standin.Values, error) {
		bytes := make([]byte, op.In.Int("length"))
		if _, err := rand.Read(bytes); err != nil {
			return "", nil, err
		}
		return "none", bytesOutputs(bytes), nil
	},
	Import: func(id resource.ID) (resource.ID, standin.Values, standin.Values, error) {
		bytes, err := base64.StdEncoding.DecodeString(string(id))
		if err != nil {
			return "", nil, nil, fmt.Errorf("the id to import must be the bytes in base64: %w", err)
		}
		in := standin.Values{"length": resource.NewProperty(float64(len(bytes)))}
		return "none", in, bytesOutputs(bytes), nil
	},
}

func bytesOutputs(bytes []byte) standin.Values {
	return standin.Values{
		"base64": resource.NewProperty(base64.StdEncoding.EncodeToString(bytes)),
		"hex":    resource.NewProperty(hex.EncodeToString(bytes)),
	}
}
