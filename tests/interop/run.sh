#!/usr/bin/env bash
# run.sh: runs enqueued from C are worked by Python and read by Rust, in one store, on a SQLite file and on PostgreSQL; a run
# enqueued from Python is worked by C, which asks for leave that Python gives; a project, settings and a custom table made in C
# are changed by Python, and read and cleared away by Rust.
# Run by `make test-interop`.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${SPRONGUS_TEST_PG_URL:?run it beside a PostgreSQL: make test-interop}" "${PROFILE_DIR:=target/debug}" "${PYTHON:=python3}"
CC=${CC:-cc}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# Programs look for the library by its SONAME.
soname=$(readelf -d "$PROFILE_DIR/libsprongus.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
ln -s "$(realpath "$PROFILE_DIR/libsprongus.so")" "$out/libsprongus.so"
ln -s libsprongus.so "$out/$soname"
"$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude examples/c/enqueue.c -o "$out/enqueue" -L"$out" -lsprongus -Wl,-rpath,"$out"
"$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude tests/interop/push.c -o "$out/push" -L"$out" -lsprongus -Wl,-rpath,"$out"
"$CC" -std=c99 -Wall -Wextra -Wpedantic -Werror -Iinclude tests/interop/desk.c -o "$out/desk" -L"$out" -lsprongus -Wl,-rpath,"$out"

runs=3
kind=interop.$$
for store in "$out/interop.db" "$SPRONGUS_TEST_PG_URL"; do
    printf '\n== C, Python, Rust: %s\n' "${store%%[?@]*}"
    "$out/enqueue" "$store" "$kind" "$runs" >"$out/enqueued"
    "$PYTHON" examples/python/worker.py "$store" "$kind"
    "$PROFILE_DIR/examples/read" "$store" "$kind" | tee "$out/read"

    [ "$(wc -l <"$out/enqueued")" = "$runs" ]
    [ "$(grep -c "^$kind succeeded attempt 1 " "$out/read")" = "$runs" ]
    for number in $(seq "$runs"); do
        grep -qF "output {\"by\":\"Python\",\"input\":{\"from\":\"C\",\"number\":$number}}" "$out/read"
    done
    [ "$(grep -c ' run.succeeded by ' "$out/read")" = "$runs" ]

    printf '\n== Python, C, Python, C, Rust: %s\n' "${store%%[?@]*}"
    "$PYTHON" tests/interop/leave.py "$store" "$kind.push" >"$out/asked"
    [ "$("$out/push" "$store" "$kind.push")" = built ]
    "$PYTHON" tests/interop/leave.py "$store" "$kind.push" decide
    [ "$("$out/push" "$store" "$kind.push")" = 'pushed with leave of ada' ]
    "$PROFILE_DIR/examples/read" "$store" "$kind.push" | tee "$out/read"
    grep -qF 'output "by C"' "$out/read"
    grep -qF ' run.approved by ada' "$out/read"

    printf '\n== a project, settings and a custom table, C, Python, Rust: %s\n' "${store%%[?@]*}"
    "$out/desk" "$store" "desk_$$"
    "$PYTHON" tests/interop/desk.py "$store" "desk_$$"
    "$PROFILE_DIR/examples/desk" "$store" "desk_$$" | tee "$out/desk-read"
    diff - "$out/desk-read" <<'END'
By C is read-by-python
desk.by = ["C","Python"]
{"id":1,"words":"by C","long":9223372036854775807,"broken":16777217.0,"raw":{"$bytes":""},"doc":{"a":"ö","b":[1,1.0,null]},"flag":null}
{"id":3,"words":"by Python","long":9223372036854775807,"broken":16777217.0,"raw":{"$bytes":"AP8="},"doc":{"a":"ö","b":[1,1.0,null]},"flag":true}
1 file
referenced
0 files
END
done
echo "interop: $runs runs, a project, its settings and a custom table through three languages on each database"
