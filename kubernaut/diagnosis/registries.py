"""A registry's answer, told apart by its words: no such image, no permission, no answer, too many requests, another processor,
a certificate that the node does not trust.

Runtimes wrap the registry's words in their own, and each release wraps them anew: words are matched in the whole message
without the image's name, the most telling first, and what is not understood is told as such.
"""

import re

from .case import Case
from .objects import Container

_LIMITED = re.compile(r"too many requests|toomanyrequests|\b429\b|pull rate limit|rate exceeded", re.I)
_PLATFORM = re.compile(
    r"no match(?:ing manifest)? for (?:platform|\S+)|no image found in (?:image index|manifest list) for|does not match the "
    r"specified platform|no matching manifest",
    re.I,
)
_UNTRUSTED = re.compile(r"x509|certificate|server gave HTTP response", re.I)
_UNREACHABLE = re.compile(
    r"no such host|i/o timeout|connection refused|connection reset|dial tcp|handshake|no route to host"
    r"|deadline exceeded|context canceled|\b50[0234]\b|service unavailable|bad gateway|internal server error|\bEOF\b"
    r"|proxyconnect|request canceled|network is unreachable",
    re.I,
)
_DENIED = re.compile(
    r"\b40[13]\b|unauthorized|denied|forbidden|authentication required|authorization failed|no basic auth|not authorized"
    r"|credentials|not logged in",
    re.I,
)
_NOT_FOUND = re.compile(
    r"not found|manifest unknown|name unknown|NAME_UNKNOWN|MANIFEST_UNKNOWN|does not exist|\b404\b|was deleted or has expired"
    r"|unknown: Tag|no such image|manifest invalid",
    re.I,
)
_ORDER = (
    ("limited", _LIMITED),
    ("platform", _PLATFORM),
    ("untrusted", _UNTRUSTED),
    ("unreachable", _UNREACHABLE),
    ("denied", _DENIED),
    ("not found", _NOT_FOUND),
)


def why_not_pulled(case: Case, container: Container) -> str:
    """`not found`, `denied`, `limited`, `platform`, `untrusted`, `unreachable`, `invalid` or `never`; empty when it is not
    understood."""
    if container.waiting in ("InvalidImageName", "ErrImageNeverPull"):
        return "invalid" if container.waiting == "InvalidImageName" else "never"
    for text in (container.waiting_message, *failures(case, container)):
        told = _without_image(text, container)
        if why := next((name for name, words in _ORDER if words.search(told)), ""):
            return why
    return ""


def no_such_host(case: Case, container: Container) -> bool:
    """Whether the name service knows no host of the registry's name."""
    return any("no such host" in text for text in (container.waiting_message, *failures(case, container)))


def registry(image: str) -> str:
    """The registry's host that an image name means.

    >>> registry("ghcr.io/acme/app:1"), registry("nginx"), registry("acme/app")
    ('ghcr.io', 'docker.io', 'docker.io')
    """
    host, slash, _ = image.partition("/")
    return host if slash and ("." in host or ":" in host or host == "localhost") else "docker.io"


def failures(case: Case, container: Container) -> list[str]:
    """What the kubelet's events say about pulls of this container's image, the newest last."""
    image = str(container.spec.get("image") or "")
    told = [str(e.get("message", "")) for e in case.events(container.pod) if e.get("reason") == "Failed"]
    return [text for text in reversed(told) if image in text or "pull" in text.lower()]


def _without_image(text: str, container: Container) -> str:
    """The registry's words alone: a repository named `denied/not-found` must not decide anything."""
    image = str(container.spec.get("image") or "\0")
    return text.replace(image, " ").replace(image.rpartition(":")[0] or "\0", " ")
