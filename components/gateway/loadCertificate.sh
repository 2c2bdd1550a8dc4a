# shellcheck shell=bash
# Chooses the certificate with which HAProxy starts, and makes HAProxy use each later one without a reload, so that no connection ends.
# Arguments: PLACEHOLDER, the certificate until the first order has succeeded: self-signed, or the last one of the configuration. Paths and
# ports are those of haproxy.cfg and https.ts.
placeholder=$1 used=/tmp/certificate.pem map=/tmp/certificate.map

report() { printf '{"time":"%(%FT%T)T","service":"gateway","message":"%s"}\n' -1 "$1"; }

# The configuration's file, because other names have another certificate, for which the gateway isn't restarted.
ordered_file() {
  local name
  read -r name </etc/store/certificate.name && printf '/etc/store-certificates/%s' "$name"
}

is_usable() {
  printf 'frontend check\n  mode http\n  timeout client 1s\n  bind 127.0.0.1:1 ssl crt %s\n' "$1" >/tmp/check.cfg
  haproxy -c -f /tmp/check.cfg >/dev/null 2>&1
}

# Replaces the file in one step, so that a reload never reads half of one.
use() { (umask 077 && cat "$1" >"$used.new") && mv "$used.new" "$used"; }

# Sends commands to HAProxy and prints its answer.
tell_haproxy() {
  exec 4<>/dev/tcp/127.0.0.1/8406 || return 1
  printf '%s\n' "$1" >&4
  cat <&4
  exec 4>&-
}

# Loads the certificate in use into the running HAProxy, and its end into the metric.
load() {
  local answer end
  answer=$(tell_haproxy "set ssl cert $used <<"$'\n'"$(<"$used")"$'\n' 2>&1) || return 1
  answer+=$(tell_haproxy "commit ssl cert $used" 2>&1)
  if [[ $answer != *Success!* ]]; then
    tell_haproxy "abort ssl cert $used" >/dev/null
    return 1
  fi
  end=$(tell_haproxy "show ssl cert $used" | sed -n 's/^notAfter: //p')
  end=$([ -n "$end" ] && date -d "$end" +%s) || return 0
  printf 'expires %s\n' "$end" >"$map"
  tell_haproxy "set map $map expires $end" >/dev/null
}

watch() {
  local file sum seen="" refused=""
  while sleep 5; do
    file=$(ordered_file)
    [ -r "$file" ] || continue
    sum=$(cksum "$file")
    [ "$sum" != "$seen" ] || continue
    if ! is_usable "$file"; then
      report "the ordered certificate is damaged; the gateway goes on with the one before"
      seen=$sum
    elif use "$file" && load; then
      report "the gateway uses the ordered certificate"
      seen=$sum
    elif [ "$sum" != "$refused" ]; then
      report "HAProxy refuses the ordered certificate; the gateway goes on with the one before and tries again every five seconds"
      refused=$sum
    fi
  done
}

printf 'expires 0\n' >"$map"
file=$(ordered_file)
if [ -r "$file" ] && is_usable "$file"; then use "$file"; else use "$placeholder"; fi
# Not a child of HAProxy, which takes the place of this shell.
(watch &)
