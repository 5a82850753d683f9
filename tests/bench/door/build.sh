#!/usr/bin/env bash
# build.sh: what is measured from C and from Python, in target/bench: the C program, and the package with its release build.
set -euo pipefail
cd "$(dirname "$0")/../../.."
cargo build --release --locked -p sprongus-ffi -p sprongus-py
mkdir -p target/bench/python
ln -sf ../release/libsprongus.so target/bench/libsprongus.so.0
cc -O2 tests/bench/door/door.c -Iinclude -Ltarget/release -lsprongus '-Wl,-rpath,$ORIGIN' -o target/bench/door
cp -r sprongus-py/python/sprongus target/bench/python/
install -m 755 target/release/lib_sprongus.so target/bench/python/sprongus/_sprongus.abi3.so
