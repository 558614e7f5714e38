#!/usr/bin/env bash
# The checks of form: formatting, clippy, and the house rules that no tool knows.
#
#   ci/lint.sh            everything        ci/lint.sh --rules    only the house rules (seconds, nothing is compiled)
#
# House rules, over the files that git tracks or would track:
#   length   no .rs file has more than 600 lines
#   purity   protocol/src and server/src/state know no runtime and no clock: time is an argument there
#   paths    no file names a folder of the machine it was written on
#
# Exit status: 0 clean; 1 something was found (each finding is a line `RULE: FILE:LINE: TEXT`); 2 wrong usage.
# Environment: that of cargo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lines_max=600
clocks_and_runtimes='\b(tokio|Instant::now|SystemTime::now)\b'
machine_paths='(^|[^[:alnum:]_./$}])/(work|root|home/[[:alnum:]_]+)/'
found=0

finding() { # finding RULE, with lines on standard input
  local line
  while IFS= read -r line; do
    echo "$1: $line"
    found=1
  done
}

files() { # files PATHSPEC...: that git tracks, or that are new and not ignored; and that are there
  local file
  git ls-files -z --cached --others --exclude-standard -- "$@" | while IFS= read -r -d '' file; do
    [ ! -f "$file" ] || printf '%s\0' "$file"
  done
}

search() { # search PATTERN PATHSPEC...: FILE:LINE:TEXT of what matches; binary files are left out
  local pattern=$1
  shift
  files "$@" | xargs -0 -r grep -HnIE -e "$pattern" -- || true
}

rules() {
  finding length < <(files '*.rs' | xargs -0 -r awk -v max=$lines_max \
    'FNR == max + 1 { print FILENAME ":" FNR ": more than " max " lines" }')
  finding purity < <(search "$clocks_and_runtimes" 'protocol/src/*.rs' 'server/src/state/*.rs' 'server/src/state.rs' |
    grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true)
  finding paths < <(search "$machine_paths" '*' ':!ci/lint.sh')
}

case ${1-} in
  '')
    rules
    cargo fmt --all --check || found=1
    cargo clippy --workspace --all-targets --locked -- -D warnings || found=1
    ;;
  --rules) rules ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac
[ "$found" = 0 ] && echo "lint: clean"
