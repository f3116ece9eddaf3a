"""Names that come from outside are checked before git sees them: paths stay inside, revisions are no expressions."""

import re
from pathlib import PurePosixPath

from kubernaut.domain.errors import BadInput

_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}")
_BAD_PART = re.compile(r"[\x00-\x1f\x7f\\:]")
SHA = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")
"""A full object name, SHA-1 or SHA-256."""


def folder(path: str) -> str:
    """A folder inside a repository, without leading or trailing slash; empty for the root.

    Raises:
        BadInput: the path leaves the repository, enters `.git` or holds control characters.
    """
    text = path.strip().strip("/")
    if text in ("", "."):
        return ""
    parts = PurePosixPath(text).parts
    if any(part == ".." or part.lower() == ".git" or _BAD_PART.search(part) for part in parts):
        raise BadInput(f"{path!r} is not a folder inside the repository", field="path")
    return "/".join(parts)


def file(path: str) -> str:
    """A file inside a repository. Raises BadInput like `folder`, and for the root."""
    text = folder(path)
    if not text or path.startswith("/") or path.endswith("/"):
        raise BadInput(f"{path!r} is not a file inside the repository", field="path")
    return text


def revision(name: str) -> str:
    """A branch, tag or commit by its plain name. Raises BadInput for revision expressions as `main~3` or `a..b`."""
    if not _REVISION.fullmatch(name) or ".." in name or "//" in name or name.endswith(("/", ".lock", ".")):
        raise BadInput(f"{name!r} is no branch, tag or commit", field="revision")
    return name
