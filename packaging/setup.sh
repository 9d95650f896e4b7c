#!/bin/sh
# Makes .venv ready for `make demo` and `make test` on a Debian-like machine that has python3, git
# and make. Installs Debian packages only as root; otherwise it says in one line what to run.
# A second run finds its stamp and does nothing.
set -eu
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 3; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "python3 is missing; run: apt-get install python3 python3-venv"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed, $("$python" --version) found; set PYTHON=python3.11"

missing=""
has_library() { "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null; }
case "$(uname -s)" in
Linux)
    has_library libGL.so.1 || missing="$missing libgl1"
    has_library libEGL.so.1 || missing="$missing libegl1"
    ;;
esac
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing$missing"
        apt-get update -qq >&2
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
    else
        fail "missing$missing; run: sudo apt-get install --no-install-recommends$missing"
    fi
fi

stamp=.venv/.installed
want=$(cat setup.py pyproject.toml packaging/setup.sh | sha256sum | cut -c1-16)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

say "making the environment in .venv (a few minutes the first time)"
[ -x .venv/bin/python ] || "$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' >&2
printf '%s' "$want" >"$stamp"
