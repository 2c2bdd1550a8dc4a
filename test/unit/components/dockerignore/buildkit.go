// Prints what BuildKit's client sends of a folder for each set of .dockerignore lines. Run by record.sh.
//
// Input: {"tree": [path, ...], "sets": [text, ...]}; a path that ends with "/" is an empty folder. Output: for each set the paths
// that are sent, or null for a set that BuildKit refuses. Folders are printed with "/" at the end, and only if nothing in them is sent.
package main

import (
	"context"
	"encoding/json"
	gofs "io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

type input struct {
	Tree []string `json:"tree"`
	Sets []string `json:"sets"`
}

func main() {
	var in input
	check(json.NewDecoder(os.Stdin).Decode(&in))
	root, err := os.MkdirTemp("", "dockerignore")
	check(err)
	defer os.RemoveAll(root)
	for _, path := range in.Tree {
		full := filepath.Join(root, path)
		if strings.HasSuffix(path, "/") {
			check(os.MkdirAll(full, 0o755))
			continue
		}
		check(os.MkdirAll(filepath.Dir(full), 0o755))
		check(os.WriteFile(full, nil, 0o644))
	}
	answers := [][]string{}
	for _, set := range in.Sets {
		answers = append(answers, sent(root, set))
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
}

func sent(root, text string) []string {
	patterns, err := ignorefile.ReadAll(strings.NewReader(text))
	if err != nil {
		return nil
	}
	source, err := fsutil.NewFS(root)
	check(err)
	filtered, err := fsutil.NewFilterFS(source, &fsutil.FilterOpt{ExcludePatterns: patterns})
	if err != nil {
		return nil
	}
	files, folders := []string{}, map[string]bool{}
	err = filtered.Walk(context.Background(), "/", func(path string, entry gofs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for parent := filepath.Dir(path); parent != "."; parent = filepath.Dir(parent) {
			delete(folders, parent)
		}
		if entry.IsDir() {
			folders[path] = true
		} else {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil
	}
	for folder := range folders {
		files = append(files, folder+"/")
	}
	sort.Strings(files)
	return files
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
