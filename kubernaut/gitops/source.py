"""What sources of both GitOps controllers have in common: paths, groups, and revisions that are no branches."""

import posixpath
import re
from urllib.parse import urlsplit, urlunsplit

from kubernaut.domain.facts import Object
from kubernaut.domain.resources import KINDS

_SHA = re.compile(r"^[0-9a-f]{7,64}$")
_VERSION = re.compile(r"^v?\d+(\.\d+){1,2}([-+][\w.+-]+)?$")
_RANGE = re.compile(r"[*~^<>=|]|^v?\d+(\.\d+)?\.x$")


def clean_path(path: str) -> str:
    """A folder without `./`, leading or trailing slash; empty for the root. A path out of the repository stays as it is."""
    text = posixpath.normpath(path.strip() or ".").lstrip("/")
    return "" if text == "." else text


def address(repo_url: object) -> str:
    """A repository's URL without credentials: people put tokens into Applications, and what is stored and shown is no place
    for them. The user of an ssh address is none."""
    text = str(repo_url or "").strip()
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:  # no URL: nobody can be asked there
        return ""
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return text
    kept = f"{user.partition(':')[0]}@{host}" if parts.scheme.endswith("ssh") else host
    return urlunsplit(parts._replace(netloc=kept))


def api_group(item: Object) -> str:
    """The object's API group, by what it says or else by its kind; empty for the core group."""
    version = str(item.get("apiVersion", ""))
    if not version and item["kind"] in KINDS:
        return KINDS[item["kind"]].group
    return version.rpartition("/")[0]


def revision_caution(revision: str, *, application_name: str) -> str:
    """One sentence for a revision that is a tag, a version range or a commit; empty for a branch."""
    if revision in ("", "HEAD"):
        return ""
    if revision.startswith("refs/tags/") or _VERSION.match(revision):
        what = "the tag"
    elif _RANGE.search(revision):
        what = "the version range"
    elif _SHA.match(revision) and any(char.isdigit() for char in revision):
        what = "the commit"
    else:
        return ""
    return f"{application_name} follows {what} {revision}, no branch: a merged pull request won't deploy until that is moved"
