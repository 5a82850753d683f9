#!/usr/bin/env bash
# run.sh [--quick]: installs the peers into target/peers and measures sprongus beside them.
set -euo pipefail
cd "$(dirname "$0")/../../.."
peers=tests/bench/peers
venv=target/peers/venv
stamp=target/peers/made-from
mkdir -p target/peers
if ! cmp -s "$peers/requirements.txt" "$stamp"; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet -r "$peers/requirements.txt"
    cp "$peers/requirements.txt" "$stamp"
fi
if command -v npm >/dev/null; then
    cp "$peers/package.json" target/peers/
    npm install --prefix target/peers --silent --no-audit --no-fund || echo "the peers of node could not be installed" >&2
fi
PEERS_NODE="$PWD/target/peers" PYTHONPATH="$PWD/target/bench/python" "$venv/bin/python" "$peers/peers.py" "$@"
