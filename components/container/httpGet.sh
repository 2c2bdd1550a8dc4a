# shellcheck shell=bash
# http_get PORT PATH: sends a GET request to this container, prints the response and fails unless its status is 2xx.
# Plain bash, because the images have no curl.
http_get() {
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
  # Reads until the server closes the connection. An exit code above 128 means that the time limit was reached.
  IFS= read -r -d '' -t 6 response <&3
  if (($? > 128)); then echo "no answer within 6 s"; return 1; fi
  echo "$response"
  [[ $response =~ ^HTTP/1\.[01]\ 2 ]]
}
