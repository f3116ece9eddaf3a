"""Which key of a ConfigMap an application's last words are about: it names the key, says it in plain words, or names its value.

A line that only says that something can't be reached blames the setting less than what it points at, unless no such host exists.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .case import Case
from .dependencies import broken_dependencies, named_services
from .objects import Container
from .symptoms import CALM, COMPLAINS, UNREACHABLE, last_lines

_NO_HOST = re.compile(
    r"no such host|ENOTFOUND|name or service not known|could not translate host name|UnknownHostException|getaddrinfo",
    re.I,
)
_UNREADABLE = re.compile(
    r"pars|invalid|syntax|convert|unknown|unsupported|unrecogni|not a valid|must be|malformed", re.I
)
_COMMON = (
    "true",
    "false",
    "yes",
    "none",
    "null",
    "info",
    "debug",
    "production",
    "staging",
    "default",
    "localhost",
    "http",
)
_NEAR = 4
_QUOTED = re.compile(r"[\"'`]([^\"'`\s]{3,60})[\"'`]")
_HOST_OF = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?([a-z0-9][a-z0-9.-]*)(?::\d+)?(?:[/?,].*)?$", re.I)


@dataclass(frozen=True, slots=True)
class Use:
    """One key of a ConfigMap that a container uses, and the name that the application knows it by."""

    config_map: str
    key: str
    known_as: str


@dataclass(frozen=True, slots=True)
class Blamed:
    """A key that the application's log complains about.

    Args:
        value_named: the line holds the value, or a word of the file, too, and names no other key: a program that dies may
            print all its settings.
        unreachable: the line says that something can't be reached.
        nowhere: the value is a host in the cluster that does not exist, or a port that a Service does not have.
    """

    use: Use
    container: Container
    line: str
    value: str
    value_named: bool
    unreachable: bool = False
    nowhere: bool = False


def blames(case: Case, container: Container) -> Iterator[Blamed]:
    """Keys of the container's ConfigMaps that its last words complain about."""
    namespace = container.pod["metadata"].get("namespace", "")
    told = _complaints(last_lines(case, container), without_network=bool(broken_dependencies(case)))
    held = [(use, value) for use in uses(case, container) if (value := _value(case, use, namespace)) is not None]
    for use, value in held:
        if found := _named(told, use, value):
            line, near = found
            alone = not any(_names(line, other) for other, _ in held if other != use)
            strong = alone and (_has_value(near, value) or _has_word(near, value, use))
            yield Blamed(use, container, line, value, strong, bool(UNREACHABLE.search(line)))
        elif line := _lost_host(case, list(told), value, namespace) or _lost_port(case, container, value):
            yield Blamed(use, container, line, value, True, unreachable=True, nowhere=True)
        elif line := _only_value(list(told), value, [other for _, other in held]):
            yield Blamed(use, container, line, value, True)


def _complaints(lines: list[str], *, without_network: bool) -> dict[str, str]:
    """The lines that complain, each with itself and what stands right below: some programs name the value there."""
    return {
        line: "\n".join(lines[i : i + _NEAR])
        for i, line in enumerate(lines)
        if COMPLAINS.search(line) and not CALM.search(line) and not (without_network and UNREACHABLE.search(line))
    }


def _value(case: Case, use: Use, namespace: str) -> str | None:
    data = (case.snapshot.get("ConfigMap", use.config_map, namespace) or {}).get("data") or {}
    return str(data[use.key]) if use.key in data else None


def uses(case: Case, container: Container) -> Iterator[Use]:
    """Every ConfigMap key that a container gets as variable or file."""
    yield from _variables(case, container)
    namespace = container.pod["metadata"].get("namespace", "")
    mounted = {mount.get("name") for mount in container.spec.get("volumeMounts") or ()}
    for volume in (container.pod.get("spec") or {}).get("volumes") or ():
        if volume.get("name") not in mounted:
            continue
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            reference = source.get("configMap") or {}
            paths = {item.get("key"): item.get("path") for item in reference.get("items") or ()}
            for key in _keys(case, str(reference.get("name")), namespace) if reference else ():
                yield Use(str(reference.get("name")), key, str(paths.get(key) or key))


def _variables(case: Case, container: Container) -> list[Use]:
    """The keys that become variables. A later source covers an earlier one, and the container's own `env` covers both."""
    namespace = container.pod["metadata"].get("namespace", "")
    known: dict[str, Use] = {}
    for source in container.spec.get("envFrom") or ():
        prefix = source.get("prefix") or ""
        if reference := source.get("configMapRef"):
            for key in _keys(case, str(reference.get("name")), namespace):
                known[f"{prefix}{key}"] = Use(str(reference.get("name")), key, f"{prefix}{key}")
        elif reference := source.get("secretRef"):
            secret = case.snapshot.get("Secret", str(reference.get("name")), namespace) or {}
            for key in secret.get("data") or ():
                known.pop(f"{prefix}{key}", None)
    for variable in container.spec.get("env") or ():
        known.pop(str(variable.get("name")), None)
        if reference := (variable.get("valueFrom") or {}).get("configMapKeyRef"):
            name = str(variable.get("name"))
            known[name] = Use(str(reference.get("name")), str(reference.get("key")), name)
    return list(known.values())


def _named(told: dict[str, str], use: Use, value: str) -> tuple[str, str] | None:
    """The line that names the key, with what is near it; best one with its value. Plain words need the value, too."""
    named = [(line, near) for line, near in told.items() if _names(line, use)]
    if named:
        return next((pair for pair in reversed(named) if _has_value(pair[1], value)), named[-1])
    words = [word for word in re.split(r"[_.\-\s]+|(?<=[a-z])(?=[A-Z])", use.known_as) if word]
    if len(words) < 2 or len(value.strip()) < 2:
        return None
    spoken = re.compile(r"\b" + r"\W{0,3}".join(map(re.escape, words)) + r"\b", re.I)
    return next(
        ((ln, near) for ln, near in reversed(told.items()) if spoken.search(ln) and _has_value(near, value)), None
    )


def _names(line: str, use: Use) -> bool:
    return bool(re.search(rf"(?<![\w.-]){re.escape(use.known_as)}(?![\w-])", line))


def _only_value(lines: list[str], value: str, others: list[str]) -> str:
    """The line that can't read a word in quotes which is this value, and the value of no other key."""
    value = value.strip()
    if len(value) < 3 or value.lower() in _COMMON or sum(other.strip() == value for other in others) != 1:
        return ""
    quoted = re.compile(rf"[\"'`]{re.escape(value)}[\"'`]")
    return next((line for line in reversed(lines) if _UNREADABLE.search(line) and quoted.search(line)), "")


def _lost_host(case: Case, lines: list[str], value: str, namespace: str) -> str:
    """The line that says that the value's host does not exist, when it is a name of this cluster and no Service has it."""
    match = _HOST_OF.match(value.strip()) if "\n" not in value else None
    host = match[1].lower() if match else ""
    name, _, rest = host.partition(".")
    inside = not rest or rest.endswith((".svc", ".svc.cluster.local"))
    services = {s["metadata"]["name"] for s in case.snapshot.of_kind("Service", rest.partition(".")[0] or namespace)}
    if not re.search(r"[a-z]", host) or not inside or not services or name in services or len(name) < 3:
        return ""
    named = re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", re.I)
    return next((line for line in reversed(lines) if _NO_HOST.search(line) and named.search(line)), "")


def _lost_port(case: Case, container: Container, value: str) -> str:
    """The line that names a Service together with the value's port, which that Service does not have."""
    match = re.fullmatch(r"(?:[^\n]*:)?(\d{2,5})(?:/[^\n]*)?", value.strip())
    if match is None:
        return ""
    port = re.compile(rf"(?:[a-z\]]|\.\d{{1,3}}):{match[1]}(?![\d:])|\bport[ =:]{{0,2}}{match[1]}(?!\d)", re.I)
    for service, line in named_services(case, container):
        known = {str(p.get("port")) for p in (service.get("spec") or {}).get("ports") or ()}
        if known and match[1] not in known and port.search(line):
            return line
    return ""


def _has_value(line: str, value: str) -> bool:
    value = value.strip()
    return len(value) >= 2 and "\n" not in value and value in line


def _has_word(line: str, value: str, use: Use) -> bool:
    """Whether a word that the line quotes stands in the file that it names."""
    if "\n" not in value.strip():
        return False
    return any(word != use.known_as and word in value for word in _QUOTED.findall(line))


def _keys(case: Case, name: str, namespace: str) -> list[str]:
    data: Mapping[str, Any] = (case.snapshot.get("ConfigMap", name, namespace) or {}).get("data") or {}
    return list(data)
