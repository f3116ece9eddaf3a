"""Two spellings of one repository are one repository.

Argo CD, Flux and people write the same remote as `git@host:org/shop.git`, `ssh://git@HOST/org/shop` or
`https://host/org/shop/`; configuration names it once.
"""

import re
from urllib.parse import unquote, urlsplit

_SCP = re.compile(r"^(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!/)(?P<path>[^\s]+)$")
_DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}


def canonical(repo_url: str) -> str:
    """The spelling that all spellings of a repository share: `host[:port]/path`, or an absolute path.

    Scheme, user, default port, trailing slash and `.git` don't tell repositories apart; the case of the host neither,
    that of the path does. What is no URL stays as it is.
    """
    text = repo_url.strip()
    if "://" not in text:
        scp = _SCP.match(text)
        return _join(scp["host"].lower(), scp["path"]) if scp else _trim(text)
    try:
        parts = urlsplit(text)
    except ValueError:
        return _trim(text)
    if parts.scheme == "file":
        return _trim(unquote(parts.path))
    try:
        port = parts.port
    except ValueError:
        port = None
    host = (parts.hostname or "").lower()
    is_default = port is None or port == _DEFAULT_PORTS.get(parts.scheme.lower())
    return _join(host if is_default else f"{host}:{port}", parts.path)


def _join(host: str, path: str) -> str:
    return f"{host}/{_trim(path).lstrip('/')}"


def _trim(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")
