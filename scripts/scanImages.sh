#!/usr/bin/env bash
# Looks for known vulnerabilities in the packages of each image that the containers of the stack dev use, those of its base images
# included. Counts only those of severity high or critical for which there is a fixed version. Run by the workflow Audit; needs the internet.
# Argument: the grype command, which compares a list of packages with its database.
set -euo pipefail
grype=$1

# An image that was pulled by its digest may have no tag.
name='{{if .RepoTags}}{{index .RepoTags 0}}{{else}}{{index .RepoDigests 0}}{{end}}'
containers=$(docker ps --quiet --filter label=dev.store.stack=dev)
[ -n "$containers" ] || { echo "The stack dev isn't running. Start it: npm start" >&2 && exit 1; }
images=$(xargs docker inspect --format '{{.Image}}' <<<"$containers" | sort -u | xargs docker image inspect --format "$name")

list=$(mktemp)
trap 'rm -f "$list"' EXIT
vulnerable=
for image in $images; do
  printf '\n== %s\n' "$image"
  ./store sbom "$image" >"$list"
  "$grype" "sbom:$list" --only-fixed --fail-on high || vulnerable="$vulnerable $image"
done
[ -z "$vulnerable" ] || {
  printf '\nVulnerable, or not scanned:%s\nUpdate packages (npm), or base images: ./store images --update\n' "$vulnerable" >&2
  exit 1
}
