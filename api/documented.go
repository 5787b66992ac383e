package api

import (
	"fmt"
	"sort"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// docGroup is a tag of the OpenAPI document with its operations.
type docGroup struct {
	Name       string
	Operations []docOperation
}

type docOperation struct {
	Method, Path, Summary string
	Params                []docParam
}

type docParam struct{ Name, Description string }

// documentedPaths reads the embedded OpenAPI document for the page /docs.
func documentedPaths() ([]docGroup, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument)
	if err != nil {
		return nil, fmt.Errorf("read the OpenAPI document: %w", err)
	}
	byTag := map[string][]docOperation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			d := docOperation{Method: method, Path: path, Summary: op.Summary}
			for _, p := range op.Parameters {
				d.Params = append(d.Params, docParam{p.Value.Name, p.Value.Description})
			}
			byTag[op.Tags[0]] = append(byTag[op.Tags[0]], d)
		}
	}
	var out []docGroup
	for _, tag := range doc.Tags {
		ops := byTag[tag.Name]
		sort.Slice(ops, func(i, j int) bool {
			if ops[i].Path != ops[j].Path {
				return strings.Compare(ops[i].Path, ops[j].Path) < 0
			}
			return ops[i].Method < ops[j].Method
		})
		out = append(out, docGroup{tag.Name, ops})
	}
	return out, nil
}
