#!/usr/bin/env bash
# SUBSTITUTE for the Azure CLI, for tests: keeps what is made in files of $STUB_STATE, records all calls there, and refuses
# commands and flags that the setup has no business with. It doesn't show that Azure accepts the same calls.
set -euo pipefail
printf 'az %s\n' "$*" >>"$STUB_STATE/calls"

words=()
declare -A flag=()
while (($#)); do
  case $1 in
    --*) flag[${1#--}]=${2?"argument $1: expected one argument"} && shift 2 ;;
    *) words+=("$1") && shift ;;
  esac
done

fail() {
  printf 'ERROR: %s\n' "$1" >&2
  exit "${2:-1}"
}

# takes FLAG...: requires exactly these flags.
takes() {
  local name
  for name in "$@"; do [[ -v "flag[$name]" ]] || fail "the following arguments are required: --$name" 2; done
  ((${#flag[@]} == $#)) || fail "unrecognized arguments: ${!flag[*]}" 2
}

# lists QUERY FLAG...: requires the flags of a list, with that query.
lists() {
  local query=$1
  shift
  takes query output "$@"
  [[ ${flag[query]} == "$query" && ${flag[output]} == tsv ]] || fail "unexpected --query ${flag[query]}" 2
}

show() { cat "$STUB_STATE/$1" 2>/dev/null || true; }
add() { printf '%s\n' "$2" >>"$STUB_STATE/$1"; }
requires() { grep -qFx -- "$2" "$STUB_STATE/$1" 2>/dev/null || fail "(ResourceNotFound) $2 was not found" 3; }
# A name for a file: scopes and display names contain slashes.
key() { tr -c 'A-Za-z0-9\n' _ <<<"$1"; }
newId() { printf '00000000-0000-0000-0000-%012d' "$(wc -l <"$STUB_STATE/calls")"; }
quoted() { sed -E "s/^[A-Za-z]+ eq '(.*)'\$/\1/" <<<"${flag[filter]}"; }

[[ ! -e $STUB_STATE/logged-out ]] || fail "Please run 'az login' to setup account."

case "${words[*]}" in
  'account show')
    takes query output
    case ${flag[query]} in
      id) echo 11111111-1111-1111-1111-111111111111 ;;
      tenantId) echo 22222222-2222-2222-2222-222222222222 ;;
      *) fail "unexpected --query" 2 ;;
    esac
    ;;
  'ad signed-in-user show') lists id && echo 33333333-3333-3333-3333-333333333333 ;;
  'group list') lists '[].name' && show groups ;;
  'group create') takes name location && add groups "${flag[name]}" ;;
  'storage account list') lists '[].name' resource-group && show accounts ;;
  'storage account create')
    takes name resource-group location sku min-tls-version allow-blob-public-access allow-shared-key-access
    requires groups "${flag[resource-group]}"
    [[ ${flag[name]} =~ ^[a-z0-9]{3,24}$ ]] || fail "(AccountNameInvalid) ${flag[name]}"
    add accounts "${flag[name]}"
    ;;
  'storage account blob-service-properties show')
    lists isVersioningEnabled account-name resource-group && show versioning
    ;;
  'storage account blob-service-properties update')
    takes account-name resource-group enable-versioning enable-delete-retention delete-retention-days
    requires accounts "${flag[account-name]}"
    add versioning "${flag[enable-versioning]}"
    ;;
  'storage container-rm list') lists '[].name' storage-account resource-group && show containers ;;
  'storage container-rm create')
    takes name storage-account resource-group
    requires accounts "${flag[storage-account]}"
    add containers "${flag[name]}"
    ;;
  'keyvault list') lists '[].name' resource-group && show vaults ;;
  'keyvault create')
    takes name resource-group location enable-rbac-authorization enable-purge-protection
    [[ ${flag[name]} =~ ^[a-z][a-z0-9-]{1,22}[a-z0-9]$ ]] || fail "(VaultNameNotValid) ${flag[name]}"
    add vaults "${flag[name]}"
    ;;
  'keyvault key list') lists '[].name' vault-name && show keys ;;
  'keyvault key create')
    takes vault-name name kty size
    grep -qF 'Key Vault Crypto Officer' "$STUB_STATE"/roles.* || fail "(Forbidden) Caller is not authorized to perform action"
    add keys "${flag[name]}"
    ;;
  'ad app list') lists '[].appId' filter && show "app.$(key "$(quoted)")" ;;
  'ad app create') takes display-name && add "app.$(key "${flag[display-name]}")" "$(newId)" ;;
  'ad sp list') lists '[].id' filter && show "sp.$(quoted)" ;;
  'ad sp create') takes id && add "sp.${flag[id]}" "$(newId)" ;;
  'ad app federated-credential list') lists '[].subject' id && show "credential.${flag[id]}" ;;
  'ad app federated-credential create')
    takes id parameters
    [[ ${flag[parameters]} == *'"audiences":["api://AzureADTokenExchange"]'* ]] || fail "invalid audiences"
    add "credential.${flag[id]}" "$(sed -E 's/.*"subject":"([^"]*)".*/\1/' <<<"${flag[parameters]}")"
    ;;
  'role assignment list')
    lists '[].roleDefinitionName' assignee scope && show "roles.$(key "${flag[assignee]} ${flag[scope]}")"
    ;;
  'role assignment create')
    takes assignee-object-id assignee-principal-type scope role
    add "roles.$(key "${flag[assignee-object-id]} ${flag[scope]}")" "${flag[role]}"
    ;;
  *) fail "'${words[*]}' is misspelled or not recognized by the system." 2 ;;
esac
