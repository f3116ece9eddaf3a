# Shared by the scripts of this folder: finds Python and uv, makes the environment. Everything it makes lives in ~/.cache/kubernaut.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/kubernaut"
mkdir -p "$CACHE"

say() { printf '%s\n' "kubernaut: $*" >&2; }
die() { say "$*"; exit 1; }

find_python() { # prints a Python >= 3.11
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3; do
    if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"; return
    fi
  done
  die "Python 3.11 or newer is needed and was not found on PATH (Debian: apt-get install python3 python3-venv)"
}

find_uv() { # prints a uv, installed from PyPI into the cache if the machine has none
  if command -v uv >/dev/null 2>&1; then command -v uv; return; fi
  if [ ! -x "$CACHE/uv/bin/uv" ]; then
    say "installing uv from PyPI into $CACHE/uv (once)"
    "$1" -m venv "$CACHE/uv" || die "could not make a virtual environment (Debian: apt-get install python3-venv)"
    "$CACHE/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv || die "could not install uv from PyPI: is the network up?"
  fi
  printf '%s\n' "$CACHE/uv/bin/uv"
}

enter_environment() { # the locked environment, its commands first on PATH
  local python uv key
  python="$(find_python)"
  uv="$(find_uv "$python")"
  key="$(printf %s "$PWD" | cksum | cut -d' ' -f1)"
  export UV_PROJECT_ENVIRONMENT="$CACHE/venv/$key" UV_CACHE_DIR="${UV_CACHE_DIR:-$CACHE/uv-cache}" UV_PYTHON_DOWNLOADS=never
  [ -d "$UV_PROJECT_ENVIRONMENT" ] || say "installing the locked dependencies from PyPI into $UV_PROJECT_ENVIRONMENT (once)"
  "$uv" sync --quiet --locked --no-progress --python "$python" "$@" || die "uv sync failed: see above"
  export PATH="$UV_PROJECT_ENVIRONMENT/bin:$PATH" VIRTUAL_ENV="$UV_PROJECT_ENVIRONMENT"
}

ensure_git() { # the local forge is made of git >= 2.38
  local version
  version="$(git --version 2>/dev/null | awk '{print $3}')" || true
  [ -n "$version" ] || die "git is needed (Debian: apt-get install git)"
  [ "$(printf '%s\n2.38\n' "$version" | sort -V | head -1)" = 2.38 ] || die "git 2.38 or newer is needed, this is $version"
}
