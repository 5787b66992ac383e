// Command make builds the embedded layers of package layers from a folder of
// source files:
//
//	go run ./data/layers/make -from DIR [-to data/layers/builtin]
//
// The same sources give the same bytes.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/sempadan/sempadan/data/layers"
	"github.com/sempadan/sempadan/geo"
)

func main() {
	log.SetFlags(0)
	from := flag.String("from", "", "folder with the source files")
	to := flag.String("to", "data/layers/builtin", "folder to write")
	flag.Parse()
	if *from == "" {
		log.Fatal("make: name the folder of the source files with -from")
	}
	if err := run(*from, *to); err != nil {
		log.Fatalf("make: %v", err)
	}
}

func run(from, to string) error {
	built, err := build(from)
	if err != nil {
		return err
	}
	for _, info := range layers.Builtin() {
		var b bytes.Buffer
		if err := layers.Pack(&b, built[info.ID]); err != nil {
			return fmt.Errorf("layer %s: %w", info.ID, err)
		}
		if err := os.WriteFile(filepath.Join(to, layers.PackedName(info.ID)), b.Bytes(), 0o644); err != nil {
			return err
		}
		fmt.Printf("%-24s %6d features %8d bytes\n", info.ID, len(built[info.ID]), b.Len())
	}
	return nil
}

// build reads every source and returns the features of each layer.
func build(from string) (map[string][]geo.Feature, error) {
	out := map[string][]geo.Feature{}
	for _, s := range sources() {
		features, err := s.read(filepath.Join(from, s.file))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", s.file, err)
		}
		for _, f := range features {
			id := s.layer(f)
			out[id] = append(out[id], f)
		}
	}
	out["jurisdictions"] = jurisdictions(out)
	return out, nil
}
