# shellcheck shell=bash
# Completion of the store command for bash, and for zsh by bashcompinit. _store_table precedes this text: completionTable.ts.

_store() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command=${COMP_WORDS[1]-} root=. kind=command word first=2 position=1 i
  COMPREPLY=()
  # What follows -- belongs to another program.
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [ "${COMP_WORDS[i]}" = -- ]; then return 0; fi
  done
  case ${COMP_WORDS[0]} in */*) root=${COMP_WORDS[0]%/*} ;; esac
  if [ "$COMP_CWORD" -gt 2 ] && _store_has "$command" command; then
    command="$command ${COMP_WORDS[2]}"
    first=3
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    command=-
  elif _store_has "$command" command; then
    kind="command"
  elif _store_has "$command" "value:$previous"; then
    kind=value:$previous
  elif [ "${current#-}" != "$current" ]; then
    kind=flag
  else
    for ((i = first; i < COMP_CWORD; i++)); do
      word=${COMP_WORDS[i]}
      if _store_has "$command" "value:$word"; then
        ((i += 1))
      elif [ "${word#-}" = "$word" ]; then
        ((position += 1))
      fi
    done
    kind=arg$position
    _store_has "$command" "$kind" || kind=arg+
  fi
  while IFS= read -r word; do
    case $word in "$current"*) COMPREPLY+=("$word") ;; esac
  done < <(_store_words "$command" "$kind" "$root")
}

# True if the table has a line for the command and the kind of word.
_store_has() {
  _store_table | while IFS=$'\t' read -r command kind _; do
    if [ "$command" = "$1" ] && [ "$kind" = "$2" ]; then
      echo yes
      break
    fi
  done | grep -q yes
}

# Prints the words for a place of the command line. $3: folder of the project.
_store_words() {
  local command kind word file
  _store_table | while IFS=$'\t' read -r command kind word _; do
    if [ "$command" != "$1" ] || [ "$kind" != "$2" ]; then continue; fi
    case $word in
      @stacks)
        for file in "$3"/Pulumi.*.yaml; do
          file=${file##*/Pulumi.}
          echo "${file%.yaml}"
        done
        ;;
      @services)
        for file in "$3"/services/*/service.ts; do
          file=${file%/service.ts}
          echo "${file##*/}"
        done
        ;;
      @files) compgen -f ;;
      @none) ;;
      *) echo "$word" ;;
    esac
  done
}

complete -F _store store
