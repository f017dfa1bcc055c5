# shellcheck shell=sh
# How docker pulls, for pull-image. Its client tells how many bytes have come on a terminal only, and only that shows whether a pull advances: so it is given one,
# by script(1), and what it draws there is made into lines again.
# shellcheck disable=SC2034,SC2154 # pull-image sets variables, and pull-watch.sh reads them
ending=-KILL # script would stay for a while; the client ends with its terminal, and the engine ends a pull that has lost its client
escape=$(printf '\033')
reason_behind=pull-stalled behind_whom='docker pulls other images first'

# start_pull IMAGE: without input, or it would ask for a password. That of script never ends: at its end script looks away for up to two seconds.
start_pull() {
  mkfifo "$work/input"
  export SHELL=/bin/sh pulled="$1" address errors="$work/error"
  exec /usr/bin/script -qefc 'stty -onlcr ocrnl; exec /usr/bin/docker ${address:+-H "$address"} pull "$pulled" < /dev/null 2> "$errors"' /dev/null 0<> "$work/input"
}

# read_pull: says each stage of each layer once, and keeps in states what of it was last counted: LAYER:STAGE:KILOBYTES.
read_pull() {
  states=' ' amount=0 retried=''
  while IFS= read -r line; do
    while :; do case $line in "${escape}["*) line=${line#"${escape}["} line=${line#*[A-Za-z]} ;; *) break ;; esac; done
    line=${line% }
    layer=${line%%: *}
    case $layer in
      '') ;;
      "$line" | *[!0-9a-f]*) say "$line" ;;
      *) read_layer "${line#*: }" ;;
    esac
  done
}

# read_layer TEXT: a stage that begins counts like the least amount. Waiting for a turn, or for the next try, is no progress.
read_layer() {
  stage=${1%% *} counted=0 before=''
  case $1 in *B/*) part=${1%%B/*}B ;; *) part=$1 ;; esac
  kilobytes "${part##* }"
  case $states in *" $layer:"*) before=${states#*" $layer:"} before=${before%% *} counted=${before#*:} ;; esac
  printf '%s\n' "$line" > "$work/last"
  if [ "${before%%:*}" != "$stage" ]; then
    say "$line"
    case $stage in Waiting) ;; Retrying) tell_retries ;; *) amount=$((amount + least)) ;; esac
  elif [ "$size" -ge $((counted + least)) ]; then amount=$((amount + size - counted))
  else return 0
  fi
  case $before in '') states="$states$layer:$stage:$size " ;; *) states="${states%%" $layer:"*} $layer:$stage:$size ${states#*" $layer:$before "}" ;; esac
  echo "$amount" > "$work/amount"
  # The engine pulls a few layers at a time, of all images together.
  case $states in *:Pulling:* | *:Downloading:* | *:Verifying:* | *:Extracting:* | *:Retrying:*) rm -f "$work/behind" ;; *:Waiting:*) : > "$work/behind" ;; esac
}

tell_retries() { [ -n "$retried" ] || say "this layer broke off and docker tries it again, a few times before it says why; until then it is in: journalctl -u docker"; retried=yes; }
# kilobytes AMOUNT: sets size to those of an amount such as 36.76kB; 0 for anything else.
kilobytes() {
  size=0 number=${1%%[!0-9.]*}
  case $number in '' | .* | *. | *.*.* | ??????????*) return ;; esac
  fraction=${number#"${number%%.*}"}000 fraction=${fraction#.}
  thousandths=$((${number%%.*} * 1000 + 1$(printf %.3s "$fraction") - 1000))
  case ${1#"$number"} in
    kB*) size=$((thousandths / 1000)) ;;
    MB*) size=$thousandths ;;
    GB*) size=$((thousandths * 1000)) ;;
    TB*) size=$((thousandths * 1000000)) ;;
  esac
}

is_measurable() { :; }
measure() { amount=0; if [ -s "$work/amount" ]; then read -r amount < "$work/amount" || :; fi; }
is_behind() { [ -e "$work/behind" ]; }
engine_answers() { /usr/bin/timeout --kill-after=1 10 /usr/bin/docker ${address:+-H "$address"} info > /dev/null 2>&1; }
tidy() { sed -e 's/^Error response from daemon: //'; }
other_name() { return 1; }

reason_of() {
  case $1 in
    *toomanyrequests* | *'Too Many Requests'*) echo rate-limited ;;
    *'manifest unknown'* | 'manifest for '*' not found'* | 'pull access denied for '*) echo image-missing ;;
    'Cannot connect to the Docker daemon'* | 'error during connect'*) echo engine-away ;;
    *) echo pull-failed ;;
  esac
}
