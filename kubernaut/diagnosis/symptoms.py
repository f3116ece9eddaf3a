"""What a container said when it ended, sorted by the few sentences that the kernel and runtimes write in every language.

A log is a witness, not a judge: what it says names a symptom, and only facts of the API that agree make it a cause.
"""

import re
from dataclasses import dataclass

from .case import Case
from .changes import Difference
from .objects import Container

LINES = 40
_VERY_END = 6
UNREACHABLE = re.compile(
    r"connection refused|ECONNREFUSED|no such host|ENOTFOUND|i/o timeout|ETIMEDOUT|connection timed out|no route to host"
    r"|EHOSTUNREACH|host unreachable|name or service not known|temporary failure in name resolution|getaddrinfo"
    r"|server misbehaving|connection reset by peer|ECONNRESET|UnknownHostException|could not translate host name"
    r"|connection to \S{1,253} refused|communications link failure",
    re.I,
)
COMPLAINS = re.compile(
    r"fatal|error|err=|invalid|panic|exception|cannot|can't|fail|unable|missing|required|parse|unknown|illegal|malformed"
    r"|unexpected|unsupported|not a valid|out of range|refus|emerg|could not|must be|ENOTFOUND|no such host",
    re.I,
)
CALM = re.compile(r"^.{0,80}?(?:(?i:\blevel[\"']?\s*[=:]\s*[\"']?(?:info|debug|trace)\b)|\b(?:INFO|DEBUG|TRACE)\b)")
"""What a program tells of its settings while it starts is no complaint, whatever words the settings hold."""
_AROUND = re.compile(r"^\s+at \S|^\s*[\"']?(?!\w*(?:Error|Exception))\w+[\"']?:\s*[\"']?[\w.-]+[\"']?,?\s*$")
"""A frame of a stack, or one field of an error that was printed: what was said stands in a line near it."""
_SAID = (
    ("port", "wants a port that is taken", re.compile(r"address already in use|EADDRINUSE|port \S+ (?:is )?already", re.I)),
    ("read-only", "may not write: its file system is read-only", re.compile(r"read-only file system|EROFS", re.I)),
    ("heap", "ran out of its own heap, not of the container's limit",
     re.compile(r"OutOfMemoryError|heap out of memory|heap limit|MemoryError", re.I)),
    ("space", "finds no space left", re.compile(r"no space left on device|ENOSPC|disk quota exceeded", re.I)),
    ("disk", "reads or writes a disk that fails", re.compile(r"input/output error|\bEIO\b", re.I)),
    ("library", "misses a library", re.compile(r"error while loading shared libraries|cannot open shared object|GLIBC_\d")),
    ("permission", "is not permitted to do what it needs",
     re.compile(r"permission denied|EACCES|operation not permitted|EPERM|AccessDenied", re.I)),
    ("unreachable", "can't reach what it needs", UNREACHABLE),
    ("login", "is refused by what it logs in to",
     re.compile(r"password authentication failed|access denied for user|authentication failed|NOAUTH|WRONGPASS", re.I)),
    ("certificate", "does not trust a certificate", re.compile(r"x509:|certificate (?:has expired|verify failed)", re.I)),
    ("file", "misses a file or a module",
     re.compile(r"no such file or directory|ENOENT|FileNotFound|ModuleNotFoundError|cannot find module", re.I)),
    ("trace", "fails in its own code",
     re.compile(r"^panic:|panicked at|^Traceback|Exception in thread|^[\w.$]*(?:Error|Exception):|segmentation fault"
                r"|unhandled|uncaught", re.I)),
)  # fmt: skip
STATED = ("heap", "library")
"""Symptoms that are their own cause, as far as the cluster can know."""
_FITS = {
    "port": ("ports", "env", "args", "command"),
    "read-only": ("securityContext", "volumeMounts"),
    "permission": ("securityContext", "volumeMounts"),
    "file": ("volumeMounts", "env", "args", "command"),
    "login": ("env",),
    "unreachable": ("env", "args"),
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """What a container complained about. kind: a key of the table; said: in our words; line: in its own."""

    kind: str
    said: str
    line: str


def last_lines(case: Case, container: Container, most: int = LINES) -> list[str]:
    """The end of what a container said in the run that failed, else in the present one; blank lines left out."""
    meta = container.pod["metadata"]
    for previous in (True, False):
        text = case.snapshot.log(meta.get("namespace", ""), meta["name"], container.name, previous=previous)
        if lines := [line for line in text.splitlines() if line.strip()]:
            return lines[-most:]
    message = str(container.last_end[1].get("message", ""))
    return [line for line in message.splitlines() if line.strip()][-most:]


def symptom(case: Case, container: Container) -> Symptom | None:
    """The first symptom of the table that the very end of the log shows, else that a little more of it shows; else its last
    complaint, whatever that is about."""
    lines = last_lines(case, container)
    telling = [line for line in lines if not _AROUND.search(line)]
    for nearer in (telling[-_VERY_END:], telling, lines):
        for kind, said, words in _SAID:
            line = next((line for line in reversed(nearer) if words.search(line)), "")
            if line:
                return Symptom(kind, said, line)
    last = next((line for line in reversed(telling) if COMPLAINS.search(line) and not CALM.search(line)), "")
    return Symptom("complaint", "complains", last) if last else None


def agrees(case: Case, container: Container, told: Symptom) -> bool:
    """Whether an object's field says the same as the log."""
    if told.kind == "read-only":
        return bool((container.spec.get("securityContext") or {}).get("readOnlyRootFilesystem"))
    if told.kind != "port":
        return told.kind in STATED
    others = [c for c in case.containers if c.pod is container.pod and c.name != container.name]
    ports = {str(p.get("containerPort")) for c in others for p in c.spec.get("ports") or ()}
    return any(port in ports for port in re.findall(r"(?<!\d)\d{2,5}(?!\d)", told.line))


def explaining(told: Symptom | None, lines: list[str], differences: list[Difference]) -> list[Difference]:
    """Of what a release changed, what fits the symptom: the fields that can cause it, or a variable that the log names."""
    fields = _FITS.get(told.kind, ()) if told else ()
    found = []
    for difference in differences:
        name = re.match(r"env\[(.+)\]$", difference.field)
        named = name is not None and any(
            re.search(rf"(?<![\w.-]){re.escape(name[1])}(?![\w-])", line) for line in lines
        )
        if named or (name is None and difference.field.split(".")[0].split("[")[0] in fields):
            found.append(difference)
    return found
