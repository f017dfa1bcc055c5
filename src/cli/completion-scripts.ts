/** What the shells have to be told for `gear` and `sti` to be completed: each script asks `gear __complete` or `sti __complete` for the proposals. */

export const completionShells = ['bash', 'zsh', 'fish'] as const

export const completedPrograms = ['gear', 'sti'] as const

type Program = (typeof completedPrograms)[number]

export const completionScripts: Readonly<Record<(typeof completionShells)[number], (program: Program) => string>> = {
  bash: program => `\
# bash completion for ${program}. Made by: gear completion bash${own(program)}
_${program}() {
  local cur words cword line value
  if declare -F _get_comp_words_by_ref >/dev/null; then
    # Words with = and : in them are one word to ${program}.
    _get_comp_words_by_ref -n =: cur words cword
  else
    # Without bash-completion, by their spaces: bash divides them at = and :, too.
    read -ra words <<<"\${COMP_LINE:0:COMP_POINT}"
    [[ \${COMP_LINE:0:COMP_POINT} != *[[:space:]] ]] || words+=('')
    cword=$((\${#words[@]} - 1)) cur=\${words[-1]}
  fi
  COMPREPLY=()
  while IFS= read -r line; do
    value=\${line%%$'\\t'*}
    case $value in
      :files) compopt -o default; return ;;
      :folders) compopt -o dirnames; return ;;
      *[/:]) compopt -o nospace ;;
    esac
    # What bash takes for a word begins after the last colon or equals sign.
    if [[ $cur == *[=:]* && $COMP_WORDBREAKS == *[=:]* ]]; then value=\${value#"\${cur%"\${cur##*[=:]}"}"}; fi
    COMPREPLY+=("$value")
  done < <("\${words[0]}" __complete "\${words[@]:1:cword-1}" "$cur" 2>/dev/null)
}
complete -F _${program} ${program}
`,
  zsh: program => `\
#compdef ${program}
# zsh completion for ${program}. Made by: gear completion zsh${own(program)}
_${program}() {
  local line value brief
  local -a plain plain_briefs open open_briefs
  while IFS= read -r line; do
    value=\${line%%$'\\t'*} brief=\${line#*$'\\t'}
    case $value in
      :files) if [[ $PREFIX == -*=* ]]; then compset -P '*='; fi; _files; return ;;
      :folders) if [[ $PREFIX == -*=* ]]; then compset -P '*='; fi; _files -/; return ;;
      *[/:]) open+=("$value") open_briefs+=("$value -- $brief") ;;
      *) plain+=("$value") plain_briefs+=("\${brief:+$value -- $brief}") ;;
    esac
  done < <("$words[1]" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  local shown=1
  (( $#plain )) && compadd -l -d plain_briefs -a plain && shown=0
  (( $#open )) && compadd -l -S '' -d open_briefs -a open && shown=0
  return shown
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`,
  fish: program => `\
# fish completion for ${program}. Made by: gear completion fish${own(program)}
function __${program}_complete
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l partial (commandline --current-token --cut-at-cursor)
    for line in ($words[1] __complete $words[2..] "$partial" 2>/dev/null)
        switch $line
            case ':files*'
                __fish_complete_path "$partial"
            case ':folders*'
                __fish_complete_directories "$partial"
            case '*'
                echo $line
        end
    end
end
complete --command ${program} --no-files --keep-order --arguments '(__${program}_complete)'
`,
}

function own(program: Program): string {
  return program === 'gear' ? '' : ` ${program}`
}
