# shellcheck shell=bash
# Tries to connect to each HOST:PORT at the same time. For bash in a container with coreutils. Prints one line for each, in their order:
# "connected", "refused", "unknown" (the name), "unreachable", or "timeout" after 20 seconds: a busy
# machine takes some of them to start the attempts.
# Arguments: HOST:PORT...
try() {
  local message code=0
  # shellcheck disable=SC2016 # for the inner bash
  message=$(timeout 20 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "${1%:*}" "${1##*:}" 2>&1) || code=$?
  case $code:$message in
    0:*) echo connected ;;
    124:*) echo timeout ;;
    *refused*) echo refused ;;
    *[Nn]ame*) echo unknown ;;
    *unreachable* | *"No route"*) echo unreachable ;;
    *) echo "$message" ;;
  esac
}

for target in "$@"; do
  try "$target" >"/tmp/reach-${target//[^A-Za-z0-9.-]/_}" &
done
wait
for target in "$@"; do
  cat "/tmp/reach-${target//[^A-Za-z0-9.-]/_}"
  rm "/tmp/reach-${target//[^A-Za-z0-9.-]/_}"
done
