// Writes JSON schemas for kubeconform, so that manifests can be checked without a network: one file per kind, as
// OUT/<group>/<kind>_<version>.json (the group of the core kinds is v1), and shared definitions in OUT/definitions. Unknown fields
// are refused, as by the API server with strict validation.
//
// Usage, in a module that requires sigs.k8s.io/yaml: go run crd-schemas.go OUT SWAGGER CRD…
// SWAGGER is api/openapi-spec/swagger.json of k8s.io/kubernetes; a CRD is a file or a folder of them.
package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// Types with more than one representation in JSON.
var (
	number = []any{object{"type": "string"}, object{"type": "number"}}
	port   = []any{object{"type": "string"}, object{"type": "integer"}}
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 3 {
		log.Fatal("usage: crd-schemas OUT SWAGGER CRD…")
	}
	out := os.Args[1]
	kinds := native(out, os.Args[2])
	for _, path := range os.Args[3:] {
		kinds += custom(out, path)
	}
	log.Printf("%d kinds in %s", kinds, out)
}

// The kinds of Kubernetes itself: a file for each definition, and one for each kind that points to its own.
func native(out, swagger string) (kinds int) {
	var all struct{ Definitions map[string]object }
	check(json.Unmarshal(read(swagger), &all))
	for name, schema := range all.Definitions {
		if strings.HasSuffix(name, ".resource.Quantity") {
			schema = object{"oneOf": number}
		}
		write(filepath.Join(out, "definitions", name+".json"), strict(schema))
		// Kinds such as DeleteOptions are in every group, and never in a manifest.
		of, _ := schema["x-kubernetes-group-version-kind"].([]any)
		if len(of) != 1 {
			continue
		}
		kind := of[0].(object)
		write(file(out, kind["group"], kind["kind"], kind["version"]), object{"$ref": "../definitions/" + name + ".json"})
		kinds++
	}
	return kinds
}

// The kinds of the CRDs in a file, or in the files of a folder.
func custom(out, path string) (kinds int) {
	check(filepath.WalkDir(path, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		for _, document := range regexp.MustCompile(`(?m)^---\s*$`).Split(string(read(path)), -1) {
			var crd struct {
				Kind string
				Spec struct {
					Group    string
					Names    struct{ Kind string }
					Versions []struct {
						Name   string
						Schema struct{ OpenAPIV3Schema object }
					}
				}
			}
			check(yaml.Unmarshal([]byte(document), &crd))
			if crd.Kind != "CustomResourceDefinition" {
				continue
			}
			for _, version := range crd.Spec.Versions {
				schema := strict(version.Schema.OpenAPIV3Schema).(object)
				properties, _ := schema["properties"].(object)
				if properties == nil {
					properties = object{}
				}
				properties["apiVersion"] = object{"type": "string"}
				properties["kind"] = object{"type": "string"}
				properties["metadata"] = object{"$ref": "../definitions/" + meta + ".json"}
				schema["properties"] = properties
				write(file(out, crd.Spec.Group, crd.Spec.Names.Kind, version.Name), schema)
				kinds++
			}
		}
		return nil
	}))
	return kinds
}

// From OpenAPI, as Kubernetes writes it, to a JSON schema that names every field. allOf, anyOf and oneOf constrain
// fields that are named outside.
func strict(value any) any {
	schema, ok := value.(object)
	if !ok {
		return value
	}
	if schema["format"] == "int-or-string" || schema["x-kubernetes-int-or-string"] == true {
		return object{"oneOf": port}
	}
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[key]; ok {
			schema[key] = strict(inner)
		}
	}
	properties, named := schema["properties"].(object)
	for name := range properties {
		properties[name] = strict(properties[name])
	}
	if to, ok := schema["$ref"].(string); ok {
		schema["$ref"] = strings.TrimPrefix(to, "#/definitions/") + ".json"
	}
	if schema["nullable"] == true {
		schema["type"] = []any{schema["type"], "null"}
	}
	if _, told := schema["additionalProperties"]; named && !told && schema["x-kubernetes-preserve-unknown-fields"] != true {
		schema["additionalProperties"] = false
	}
	return schema
}

func file(out string, group, kind, version any) string {
	if group == "" {
		group = "v1"
	}
	return filepath.Join(out, fmt.Sprint(group), strings.ToLower(fmt.Sprint(kind))+"_"+fmt.Sprint(version)+".json")
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	check(err)
	return text
}

func write(path string, schema any) {
	text, err := json.Marshal(schema)
	check(err)
	check(os.MkdirAll(filepath.Dir(path), 0o755))
	check(os.WriteFile(path, text, 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
