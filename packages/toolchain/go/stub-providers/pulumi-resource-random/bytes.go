package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"store/toolchain/stub-providers/stub"
)

var randomBytes = stub.Resource{
	Inputs: map[resource.PropertyKey]stub.Input{
		"length":  {Type: stub.Integer, Required: true},
		"keepers": {Type: stub.StringMap},
	},
	Computed: map[resource.PropertyKey]stub.Secrecy{"base64": stub.Secret, "hex": stub.Secret},
	Validate: func(in stub.Values) []plugin.CheckFailure {
		if length := in.Int("length"); length < 1 {
			return []plugin.CheckFailure{{
				Property: "length", Reason: fmt.Sprintf("length must be at least 1, got %d", length),
			}}
		}
		return nil
	},
	Create: func(_ context.Context, op stub.Operation) (resource.ID, stub.Values, error) {
		bytes := make([]byte, op.In.Int("length"))
		if _, err := rand.Read(bytes); err != nil {
			return "", nil, err
		}
		return "none", bytesOutputs(bytes), nil
	},
	Import: func(id resource.ID) (resource.ID, stub.Values, stub.Values, error) {
		bytes, err := base64.StdEncoding.DecodeString(string(id))
		if err != nil {
			return "", nil, nil, fmt.Errorf("the id to import must be the bytes in base64: %w", err)
		}
		in := stub.Values{"length": resource.NewProperty(float64(len(bytes)))}
		return "none", in, bytesOutputs(bytes), nil
	},
}

func bytesOutputs(bytes []byte) stub.Values {
	return stub.Values{
		"base64": resource.NewProperty(base64.StdEncoding.EncodeToString(bytes)),
		"hex":    resource.NewProperty(hex.EncodeToString(bytes)),
	}
}
