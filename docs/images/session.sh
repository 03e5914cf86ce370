#!/usr/bin/env bash
# Records what a person sees of a run, as text from a real terminal of 110 columns and 32 lines: the live view of `ghpo train`, `ghpo top`, and the prompt of
# `ghpo pbm`. Needs tmux and a build; takes about half a minute. SESSION_AFTER is the step to wait for (default 8). A test compares a session with the recorded one, line by line, but for
# what differs from run to run.
#   docs/images/session.sh [COMMAND that runs ghpo] > docs/images/session.txt
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8

ghpo=${*:-dotnet src/Ghpo.Node/bin/Release/net10.0/ghpo.dll}
after=${SESSION_AFTER:-8}
socket=ghpo-session-$$
runs=$(mktemp -d)

terminal() { tmux -u -L "$socket" -f /dev/null "$@"; }

finish() {
  terminal send-keys -t train C-c 2> /dev/null || true
  sleep 1
  terminal kill-server 2> /dev/null || true
  rm -rf "$runs"
}
trap finish EXIT

open() { # open NAME ARGUMENTS…: ghpo in a terminal of its own; it stays when ghpo ends
  local name=$1
  shift
  terminal new-session -d -s "$name" -x 110 -y 32 "$ghpo $*; sleep 600"
}

seen() { terminal capture-pane -p -t "$1"; }

whole() { terminal capture-pane -p -J -S - -t "$1" | sed 's/ *$//'; } # what has scrolled away too, lines that were wrapped in one

await() { # await NAME PATTERN: until the terminal shows it
  for _ in $(seq 300); do
    if seen "$1" | grep -qE "$2"; then return; fi
    sleep 0.2
  done
  printf 'the terminal %s does not show %s, but\n%s\n' "$1" "$2" "$(seen "$1")" >&2
  exit 1
}

reached() { # reached STEP: until the live view is at that step or a later one
  for _ in $(seq 300); do
    [ "$(seen train | grep -oE 'step [0-9]+/' | tr -dc '0-9\n' | tail -n 1)" -ge "$1" ] 2> /dev/null && return
    sleep 0.2
  done
  printf 'the live view does not reach step %s, but shows\n%s\n' "$1" "$(seen train)" >&2
  exit 1
}

show() { # show TITLE TEXT: without the empty lines below
  printf '\n═══ %s\n\n%s\n' "$1" "$2"
}

type() { # type TEXT PATTERN [LINE]: more of the line at the prompt, entered, and what the whole LINE (default: TEXT) is answered with; then the prompt is back
  terminal send-keys -t pbm -l "$1"
  terminal send-keys -t pbm Enter
  for _ in $(seq 300); do
    whole pbm | awk -v line="pbm> ${3:-$1}" 'index($0, line) { answer = ""; typed = 1; next } typed { answer = answer $0 "\n" } END { printf "%s", answer }' > "$runs/answer"
    if grep -qE "$2" "$runs/answer" && grep -qE 'pbm>$' "$runs/answer"; then return; fi
    sleep 0.2
  done
  printf '%s is not answered with %s, but\n%s\n' "${3:-$1}" "$2" "$(whole pbm)" >&2
  exit 1
}

open train train --run demo --steps 200 --set "run.folder=$runs" --set evaluation.enabled=false --set curriculum.groups-per-step=8 --set inspection.port=0
reached "$after"
show 'ghpo train: the live view' "$(seen train)"

open top top "$runs/demo"
await top 'rollout-0 .*serving'
await top 'INFO Step'
show 'ghpo top demo' "$(seen top)"

open pbm pbm --run "$runs/demo"
await pbm 'pbm>'
type 'run status' 'now +'
type 'why' '(learner|trainer|groups|policy)'
type 'worker list' 'Count: 2 workers'
type 'pipeline show' 'delivery'
terminal send-keys -t pbm -l 'hint '
terminal send-keys -t pbm Tab
await pbm 'levels +problem'
type 'show' 'levels 25 %' 'hint show'
type 'run statsu' 'did you mean status'
show 'ghpo pbm --run demo: the prompt (tab after "hint" lists what may follow)' "$(whole pbm)"
