#!/bin/sh
# Records what BuildKit answers to the generated .dockerignore files (generate.ts) as recorded.json. Needs Go.
set -eu
cd "$(dirname "$0")"
provider=../../../../packages/toolchain/go/docker-provider
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp buildkit.go "$folder/main.go"
# The versions with which the docker provider builds.
cp "$provider/go.mod" "$provider/go.sum" "$folder"
(cd "$folder" && go build -mod=mod -o buildkit .)
npx tsx --eval 'const { TREE, generateSets } = require("./generate.ts"); console.log(JSON.stringify({ tree: TREE, sets: generateSets() }));' |
  "$folder/buildkit" | sed 's/],/],\n/g' >recorded.json
