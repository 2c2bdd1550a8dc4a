#!/usr/bin/env bash
# SUBSTITUTE for the GitHub CLI, for tests: keeps what is made in files of $STUB_STATE, records all calls there, and refuses
# everything that the setup has no business with. It doesn't show that GitHub accepts the same calls.
set -euo pipefail
printf 'gh %s\n' "$*" >>"$STUB_STATE/calls"

show() { cat "$STUB_STATE/$1" 2>/dev/null || true; }
add() { printf '%s\n' "$2" >>"$STUB_STATE/$1"; }

case "$*" in
  'api repos/acme/store/environments --jq .environments[].name') show environments ;;
  'api --method PUT repos/acme/store/environments/staging --field=deployment_branch_policy[protected_branches]=false --field=deployment_branch_policy[custom_branch_policies]=true') add environments staging ;;
  'api --method PUT repos/acme/store/environments/pull-requests') add environments pull-requests ;;
  'api repos/acme/store/environments/staging/deployment-branch-policies --jq .branch_policies[].name') show policies ;;
  'api --method POST repos/acme/store/environments/staging/deployment-branch-policies --raw-field=name=main') add policies main ;;
  'variable list --repo acme/store --json name,value --jq .[] | .name + "=" + .value') show variables ;;
  'variable set '*' --repo acme/store --body '*)
    { grep -v "^$3=" "$STUB_STATE/variables" || true; } >"$STUB_STATE/variables.new" 2>/dev/null
    printf '%s=%s\n' "$3" "${*:7}" >>"$STUB_STATE/variables.new"
    mv "$STUB_STATE/variables.new" "$STUB_STATE/variables"
    ;;
  *)
    printf 'unknown command or flag: gh %s\n' "$*" >&2
    exit 1
    ;;
esac
