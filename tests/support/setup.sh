#!/usr/bin/env bash
# setup.sh [demo]: installs what `make test` (or `make demo`) needs and this machine lacks. Quick when nothing is
# missing; safe to run again.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
venv=${VENV:-target/venv}
requirements=sprongus-py/requirements-dev.txt
purpose=${1:-test}

has() { command -v "$1" >/dev/null; }

command -v cargo >/dev/null || { echo "setup: cargo is missing: install Rust 1.90 or newer (rustup)" >&2; exit 1; }

missing=()
has cc || missing+=(gcc libc6-dev)
has "$python" || missing+=(python3)
if [ "$purpose" = test ]; then
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    has c++ || missing+=(g++)
    has unzip || missing+=(unzip)
    has valgrind || missing+=(valgrind)
    has pkg-config || missing+=(pkg-config)
    has cmake || missing+=(cmake make)
    has pg_config || missing+=(libpq-dev)
    [ -e /usr/include/sqlite3.h ] || missing+=(libsqlite3-dev)
    has initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ -n "${SPRONGUS_PG_BIN:-}" ] || missing+=(postgresql)
    "$python" -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
fi

if [ ${#missing[@]} -gt 0 ]; then
    has apt-get || { echo "setup: please install: ${missing[*]}" >&2; exit 1; }
    sudo=()
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    echo "setup: installing ${missing[*]}"
    "${sudo[@]}" apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "setup: $python is older than Python 3.11; name another by PYTHON=" >&2; exit 1; }
[ "$purpose" = test ] || exit 0

# The stamp holds what the environment was made from; another interpreter or list makes it anew.
stamp="$venv/made-from"
wanted="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
$(cat "$requirements")"
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    echo "setup: making the Python environment in $venv"
    "$python" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet -r "$requirements"
    printf '%s\n' "$wanted" >"$stamp"
fi

# The module is built by cargo into the source tree; the environment only points there, also in a tree that was moved or
# copied with its environment.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
realpath sprongus-py/python >"$site/sprongus.pth"
