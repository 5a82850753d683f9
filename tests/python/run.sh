#!/usr/bin/env bash
# run.sh [ARGUMENT…]: the Python tests, each file in a pytest of its own, several at once, as half of the time they wait; with
# arguments, one pytest that is given them. Run by `make test-python`.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PYTHON=${PYTHON:-target/venv/bin/python}
[ $# -eq 0 ] || exec "$PYTHON" -m pytest tests/python "$@"

said=$(mktemp -d)
export said
trap 'rm -rf "$said"' EXIT

# What a file's tests say is shown in one piece.
run() {
    local file=$1 log status=0
    log=$said/$(basename "$file")
    "$PYTHON" -m pytest "$file" >"$log" 2>&1 || status=$?
    cat "$log"
    [ $status -eq 0 ] || { echo "$file" >>"$said/failed"; return 1; }
}
export -f run

# The largest first: none is left to run alone at the end.
status=0
ls -S tests/python/test_*.py | xargs -P "$((2 * $(getconf _NPROCESSORS_ONLN)))" -I {} bash -c 'run {}' || status=$?
if [ $status -ne 0 ]; then
    printf '\nfailed:\n%s\n' "$(cat "$said/failed" 2>/dev/null || echo "xargs: $status")" >&2
    exit 1
fi
passed=$(sed -n 's/^=.* \([0-9]*\) passed.*/\1/p' "$said"/test_*.py | awk '{ all += $1 } END { print all }')
printf '\nall %s Python tests passed\n' "$passed"
