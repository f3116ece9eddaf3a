# Shared by the scripts of this folder: finds Python and uv, makes the environment. Everything it makes lives in ~/.cache/kubernaut.
set -euo pipefail
unset CDPATH
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

say() { printf '%s\n' "kubernaut: $*" >&2; }
die() { say "$*"; exit 1; }

[ "$(uname -s)" = Linux ] || die "Linux is needed, this is $(uname -s)"
if [ -z "${HOME:-}" ]; then # cron, systemd and `env -i` leave it out
  HOME="$(getent passwd "$(id -u)" | cut -d: -f6)" || true
  [ -n "$HOME" ] || die "HOME is not set: set it, or XDG_CACHE_HOME, to a folder that you may write to"
  export HOME
fi
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/kubernaut"
mkdir -p "$CACHE" 2>/dev/null && [ -w "$CACHE" ] || die "can't write to $CACHE: set XDG_CACHE_HOME to a folder that you may write to"

newer() { [ "$(printf '%s\n' "$1" "$2" | sort -V | tail -1)" = "$1" ]; } # whether version $1 is $2 or newer

with_clock() { # with_clock WHAT COMMAND ARG…: says what is done, and shows while it takes long that it goes on
  local what="$1" ticker status=0 started=$SECONDS
  shift
  say "$what"
  (
    while sleep 1 && kill -0 $$ 2>/dev/null; do # $$ is the script: nothing ticks on when it was killed
      if [ -t 2 ]; then
        printf '\r  %s s ' $((SECONDS - started)) >&2
      elif [ $(((SECONDS - started) % 15)) -eq 0 ]; then
        say "… $((SECONDS - started)) s"
      fi
    done
  ) >/dev/null & # a caller that reads our output must not wait for it
  ticker=$!
  ("$@") || status=$? # in a shell of its own: `die` in it must not leave the clock behind
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  if [ -t 2 ]; then printf '\r             \r' >&2; fi
  [ "$status" -ne 0 ] || say "… done in $((SECONDS - started)) s"
  return "$status"
}

find_python() { # prints a Python >= 3.11
  local candidate found old=""
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    # asked for its own path, because pyenv's `python3` is a script that chooses anew at each start
    found="$("$candidate" -c 'import sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null)" || continue
    if [ -n "$found" ]; then printf '%s\n' "$found"; return; fi
    old="${old:-$candidate is Python $("$candidate" -c 'import platform; print(platform.python_version())')}"
  done
  die "Python 3.11 or newer is needed and was not found${old:+ ($old)}. Debian: apt-get install python3 python3-venv; any Linux: pyenv install 3.13"
}

find_uv() { # prints a uv, installed from PyPI into the cache if the machine has none that is young enough
  local version fresh
  version="$(uv --version 2>/dev/null | awk '{print $2}')" || true
  if [ -n "$version" ] && newer "$version" 0.5; then command -v uv; return; fi
  if [ ! -x "$CACHE/uv/bin/uv" ]; then
    fresh="$(mktemp -d "$CACHE/.uv-XXXXXX")"
    with_clock "installing uv from PyPI into $CACHE/uv (once)" install_uv "$1" "$fresh"
    mv -T "$fresh" "$CACHE/uv" 2>/dev/null || rm -rf "$fresh" # another run was faster
  fi
  printf '%s\n' "$CACHE/uv/bin/uv"
}

install_uv() { # install_uv PYTHON FOLDER
  "$1" -m venv "$2" >&2 || { rm -rf "$2"; die "could not make a virtual environment (Debian: apt-get install python3-venv)"; }
  "$2/bin/python" -m pip install --quiet --no-cache-dir --disable-pip-version-check uv >&2 ||
    { rm -rf "$2"; die "could not install uv from PyPI: is the network up?"; }
}

enter_environment() { # the locked environment, its commands first on PATH; arguments: `run` leaves out what only tests and checks need
  local python uv kind="${1:-all}" wanted options=()
  export UV_PROJECT_ENVIRONMENT UV_CACHE_DIR="${UV_CACHE_DIR:-$CACHE/uv-cache}" UV_PYTHON_DOWNLOADS=never
  UV_PROJECT_ENVIRONMENT="$CACHE/venv/$(printf %s "$PWD" | cksum | cut -d' ' -f1)"
  wanted="$(cat pyproject.toml uv.lock | cksum)"
  if ! synced "$kind" "$wanted"; then
    python="$(find_python)"
    uv="$(find_uv "$python")"
    if [ "$kind" = run ]; then options=(--no-dev --inexact); fi # inexact: what scripts/test installed stays
    if [ -x "$UV_PROJECT_ENVIRONMENT/bin/python" ]; then
      sync_packages "$uv" "$python" "${options[@]}"
    else
      with_clock "installing the locked dependencies from PyPI into $UV_PROJECT_ENVIRONMENT (once)" \
        sync_packages "$uv" "$python" "${options[@]}"
    fi || die "the dependencies could not be installed: see above; \`uv sync\` needs PyPI once"
    printf '%s\n' "$wanted" >"$UV_PROJECT_ENVIRONMENT/.synced-$kind"
    if [ "$kind" = all ]; then printf '%s\n' "$wanted" >"$UV_PROJECT_ENVIRONMENT/.synced-run"; fi
  fi
  export PATH="$UV_PROJECT_ENVIRONMENT/bin:$PATH" VIRTUAL_ENV="$UV_PROJECT_ENVIRONMENT"
}

synced() { # whether the environment is as the lock says: then nothing is asked of the network, nor of uv
  [ "$(cat "$UV_PROJECT_ENVIRONMENT/.synced-$1" 2>/dev/null)" = "$2" ] && "$UV_PROJECT_ENVIRONMENT/bin/python" -c '' 2>/dev/null
}

sync_packages() { # sync_packages UV PYTHON OPTION…; TMPDIR, because uv leaves its lock there
  local uv="$1" python="$2"
  shift 2
  TMPDIR="$CACHE" "$uv" sync --quiet --locked --no-progress --compile-bytecode --python "$python" "$@"
}

ensure_git() { # the local forge is made of git >= 2.38
  local version
  version="$(git --version 2>/dev/null | awk '{print $3}')" || true
  [ -n "$version" ] || die "git is needed (Debian: apt-get install git)"
  newer "$version" 2.38 || die "git 2.38 or newer is needed, this is $version"
}
