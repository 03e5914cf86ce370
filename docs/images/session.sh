#!/usr/bin/env bash
# Records what a person sees of a run, as text from a real terminal of 110 columns and 32 lines: the live view of `ghpo train`, `ghpo top`, and the prompt of
# `ghpo pbm`. Needs tmux and a build; takes about half a minute.
#   docs/images/session.sh [COMMAND that runs ghpo] > docs/images/session.txt
set -euo pipefail
cd "$(dirname "$0")/../.."
export LC_ALL=C.UTF-8

ghpo=${*:-dotnet src/Ghpo.Node/bin/Release/net10.0/ghpo.dll}
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
  terminal new-session -d -s "$name" -x 110 -y 32 "$ghpo $*; sleep 60"
}

seen() { terminal capture-pane -p -t "$1"; }

await() { # await NAME PATTERN: until the terminal shows it
  for _ in $(seq 300); do
    if seen "$1" | grep -qE "$2"; then return; fi
    sleep 0.2
  done
  printf 'the terminal %s does not show %s, but\n%s\n' "$1" "$2" "$(seen "$1")" >&2
  exit 1
}

show() { # show NAME TITLE: what the terminal shows, without the empty lines below
  printf '\n═══ %s\n\n%s\n' "$2" "$(seen "$1")"
}

type() { # type LINE PATTERN: a line at the prompt, and what it answers
  terminal send-keys -t pbm -l "$1"
  terminal send-keys -t pbm Enter
  await pbm "$2"
}

open train train --run demo --steps 200 --set "run.folder=$runs" --set evaluation.enabled=false --set curriculum.groups-per-step=8 --set inspection.port=0
await train 'step ([8-9]|[1-9][0-9])/'
show train 'ghpo train: the live view'

open top top "$runs/demo"
await top 'rollout-0 .*serving'
await top 'INFO Step'
show top 'ghpo top demo'

open pbm pbm --run "$runs/demo"
await pbm 'pbm>'
type 'run status' 'now +'
type 'why' '(learner|trainer|groups|policy)'
type 'worker list' 'Count: 2 workers'
type 'pipeline show' 'delivery'
terminal send-keys -t pbm -l 'hint '
terminal send-keys -t pbm Tab
await pbm 'levels +problem'
type 'show' 'levels 25 %'
type 'run statsu' 'did you mean status'
show pbm 'ghpo pbm --run demo: the prompt (tab after "hint" lists what may follow)'
