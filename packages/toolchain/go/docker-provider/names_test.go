package main

import (
	"encoding/json"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// names maps the property names of a type to the property names of the nested types.
type names map[string]names

// The provider silently ignores a property name that it doesn't know. names.json lists every name that the TypeScript
// SDK sends; test/unit/toolchain/dockerProviderNames.test.ts compares that list with the installed npm package.
func TestPropertyNamesAreThoseOfTheSDK(t *testing.T) {
	info := providerInfo()
	provided := map[string]names{"Provider": inputNames(info.P.Schema(), info.Config, false)}
	info.P.ResourcesMap().Range(func(key string, r shim.Resource) bool {
		resource := info.Resources[key]
		if resource == nil {
			t.Errorf("%s has no resource mapping", key)
			return true
		}
		provided[string(resource.Tok.Name())] = inputNames(r.Schema(), resource.Fields, false)
		return true
	})

	text, err := os.ReadFile("names.json")
	if err != nil {
		t.Fatal(err)
	}
	var sdk map[string]names
	if err := json.Unmarshal(text, &sdk); err != nil {
		t.Fatal(err)
	}
	if len(sdk) == 0 {
		t.Fatal("names.json is empty")
	}
	for resource, wanted := range sdk {
		if provided[resource] == nil {
			t.Errorf("there is no resource %s", resource)
			continue
		}
		compare(t, resource, wanted, provided[resource])
	}
}

func TestContainerNamesAreAutomatic(t *testing.T) {
	info := providerInfo()
	for _, key := range []string{"docker_container", "docker_network", "docker_volume"} {
		name := info.Resources[key].Fields["name"]
		if name == nil || name.Default == nil || !name.Default.AutoNamed {
			t.Errorf("%s gets no automatic name", key)
		}
	}
	if name := info.Resources["docker_image"].Fields["name"]; name.Default != nil {
		t.Error("an image's name must never be automatic")
	}
	if !info.Resources["docker_container"].DeleteBeforeReplace {
		t.Error("a container must by default be deleted before its replacement is created")
	}
}

// inputNames returns the names of a resource's inputs. For nested types it includes outputs, as the SDK's types do.
func inputNames(schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo, nested bool) names {
	result := names{}
	schema.Range(func(key string, property shim.Schema) bool {
		isInput := property.Optional() || property.Required()
		if !isInput && !nested || property.Removed() != "" {
			return true
		}
		below := names{}
		field := fields[key]
		if element, ok := property.Elem().(shim.Resource); ok {
			below = inputNames(element.Schema(), fieldsBelow(field), true)
		}
		result[tfbridge.TerraformToPulumiNameV2(key, schema, fields)] = below
		return true
	})
	return result
}

func fieldsBelow(field *tfbridge.SchemaInfo) map[string]*tfbridge.SchemaInfo {
	if field == nil {
		return nil
	}
	if field.Elem != nil {
		return field.Elem.Fields
	}
	return field.Fields
}

func compare(t *testing.T, path string, wanted, provided names) {
	for _, key := range keys(wanted) {
		if _, ok := provided[key]; !ok {
			t.Errorf("%s.%s: the SDK sends this property, but the provider only knows %s", path, key, strings.Join(keys(provided), ", "))
			continue
		}
		compare(t, path+"."+key, wanted[key], provided[key])
	}
}

func keys(n names) []string {
	result := make([]string, 0, len(n))
	for key := range n {
		result = append(result, key)
	}
	sort.Strings(result)
	return result
}
