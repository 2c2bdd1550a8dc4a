# shellcheck shell=sh
# Orders the gateway's certificate by ACME and renews it, for as long as it runs. A failure ends nothing: it is reported in /tmp/status, the
# output of the container's health check, and the order is tried again later. For any sh, because lego's image has BusyBox.
# Arguments: FOLDER FILE DIRECTORY EMAIL PROFILE NAME..., where FOLDER and FILE are in the volume of the certificates, and EMAIL and PROFILE
# are "-" for none.
set -u
folder=/certificates/$1 file=/certificates/$2 directory=$3 email=$4 profile=$5
shift 5
[ "$email" != - ] || email=
[ "$profile" != - ] || profile=
umask 077
export LEGO_LOG_FORMAT=json
mkdir -p "$folder" /tmp/webroot

# /tmp/status: "ordering", "valid" or "failed"; the time of the next try in seconds since 1970; lego's error, a line of JSON.
report() {
  printf '%s %s %s\n' "$1" "$2" "${3:-}" | head -c 3000 >/tmp/status.new
  mv /tmp/status.new /tmp/status
}

# Runs lego for ten minutes at most: it would wait for a silent authority, and without a word as long as one with too many orders says.
# The error is the last line of the level ERROR in /tmp/output. Everything is in the container's log, too.
lego() {
  command=$1
  shift
  : >/tmp/output
  {
    # shellcheck disable=SC2086 # "accounts register" are two words
    timeout 600 /lego $command --path "$folder" --server "$directory" --account-id store ${email:+--email "$email"} "$@" \
      </dev/null 2>&1 &
    echo $! >/tmp/pid
    wait $!
    echo $? >/tmp/code
  } | while IFS= read -r line; do
    printf '%s\n' "$line" | tee -a /tmp/output
    case $line in *acme:error:rateLimited*) kill "$(cat /tmp/pid)" 2>/dev/null ;; esac
  done
  return "$(cat /tmp/code)"
}

has_error() { grep -q "urn:ietf:params:acme:error:$1" /tmp/output; }

# Makes lego use the account of the program's key, with whose thumbprint the gateway answers. lego registers with keys of its own only: so
# it gets the account's key if the authority knows it already, and otherwise registers and changes the key. The volume may be older than the
# key: on the data disk it outlives a down. A certificate of another account can't be renewed, so the next one is ordered anew.
register() {
  ! cmp -s /etc/store/account.key "$folder/registered" || return 0
  host=${directory#*://}
  account=$folder/accounts/$(echo "${host%%/*}" | tr : _)/store
  rm -rf "$folder/accounts"
  mkdir -p "$account"
  cp /etc/store/account.key "$account/store.key"
  printf '{"id":"store","email":"%s","keyType":"EC256","server":"%s"}' "$email" "$directory" >"$account/account.json"
  if ! lego 'accounts register' --accept-tos --key-type EC256; then
    has_error accountDoesNotExist || return 1
    rm -rf "$folder/accounts"
    lego 'accounts register' --accept-tos --key-type EC256 || return 1
    echo y | timeout 600 /lego accounts keyrollover --path "$folder" --server "$directory" --account-id store ${email:+--email "$email"} \
      --private-key /etc/store/account.key --key-type EC256 >/tmp/output 2>&1 || return 1
  fi
  rm -rf "$folder/certificates"
  cp /etc/store/account.key "$folder/registered"
}

# lego renews when the authority says so (ARI), otherwise when a third of the validity is left, and half of a short one. The challenge's
# file in the webroot is for lego alone: the gateway knows the answer.
order() {
  register || return 1
  # A certificate that an interrupted run has written half is ordered anew.
  [ -s "$folder/certificates/store.json" ] || rm -rf "$folder/certificates"
  lego run --accept-tos --key-type EC256 --cert.name store --http --http.webroot /tmp/webroot --no-random-sleep \
    ${profile:+--profile "$profile"} "$@"
}

# Registers anew if the authority has lost the account.
order_with_account() {
  order "$@" && return 0
  has_error accountDoesNotExist || return 1
  rm -f "$folder/registered"
  order "$@"
}

# Publishes the certificate for the gateway, which runs as another user, in one step. HAProxy's command ends at an empty line.
publish() {
  grep -hv '^$' "$folder/certificates/store.crt" "$folder/certificates/store.key" >"$file.new" || return 1
  if cmp -s "$file.new" "$file"; then
    rm "$file.new"
  else
    chmod 0444 "$file.new"
    mv "$file.new" "$file"
  fi
}

# Seconds since 1970 from which the authority accepts orders again: Let's Encrypt names the time in its error.
limited_until() {
  # Its servers are overloaded for seconds, which isn't the store's limit.
  ! grep -q 'Service busy' /tmp/output || { echo $(($(date +%s) + 900)) && return; }
  found=$(grep -o 'retry after [0-9-]* [0-9:]*' /tmp/output | tail -n 1)
  time=$(date -u -d "${found#retry after }" +%s 2>/dev/null) && [ "$time" -gt "$(date +%s)" ] && echo "$time" && return
  echo $(($(date +%s) + 6 * 3600))
}

wait_until() {
  # In short steps, because a suspended machine's sleep is late.
  while [ "$(date +%s)" -lt "$1" ]; do sleep 30; done
}

# The time of a refusal for too many orders is kept for the next container. After any other failure, a restart tries again at once.
if [ -s "$folder/limited-until" ]; then
  report failed "$(cat "$folder/limited-until")" "$(cat "$folder/limited-error" 2>/dev/null)"
  wait_until "$(cat "$folder/limited-until")"
fi
for name in "$@"; do
  shift
  set -- "$@" --domains "$name"
done
failures=0
while :; do
  [ -e /tmp/status ] || report ordering "$(date +%s)"
  if order_with_account "$@" && publish; then
    failures=0
    rm -f "$folder/limited-until" "$folder/limited-error"
    # Not at the same second as all other stores of this hour.
    next=$(($(date +%s) + 12 * 3600 + $(date +%s) % 1800))
    report valid "$next"
  else
    error=$(grep '"level":"ERROR"' /tmp/output | tail -n 1)
    [ -n "$error" ] || error=$(tail -n 1 /tmp/output)
    # From a quarter of an hour to eight hours: Let's Encrypt allows five failures of a name in an hour.
    next=$(($(date +%s) + 900 * (1 << failures)))
    [ "$failures" -ge 5 ] || failures=$((failures + 1))
    if has_error rateLimited; then
      next=$(limited_until)
      # lego's own error is that it was ended.
      error=$(grep acme:error:rateLimited /tmp/output | tail -n 1)
      echo "$next" >"$folder/limited-until"
      echo "$error" >"$folder/limited-error"
    fi
    report failed "$next" "$error"
  fi
  wait_until "$next"
done
