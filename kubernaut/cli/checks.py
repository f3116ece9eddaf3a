"""What only a look at the files shows: the configuration is well formed, and still the daemon could not carry it out."""

import grp
import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

import yaml

from kubernaut.clock import SystemClock
from kubernaut.domain.errors import BadInput, KubernautError
from kubernaut.domain.redaction import redact
from kubernaut.settings import Settings
from kubernaut.settings.environment import Where, dotted
from kubernaut.settings.model import no_pod

Fault = tuple[Where, str]
"""A key, and what is wrong with what it names."""


def told(fault: Fault, path: Path, where: Mapping[Where, str]) -> str:
    """One line: file and line, key, sentence; a key may be a URL with a password in it."""
    key, sentence = fault
    place = next((where[key[:n]] for n in range(len(key), 0, -1) if key[:n] in where), str(path))
    return f"{place}: {redact(dotted(key))}: {sentence}"


async def faults_of(settings: Settings) -> list[Fault]:
    """What keeps the daemon from doing what the configuration says."""
    return [
        *_cluster_faults(settings),
        *_token_faults(settings),
        *_door_faults(settings),
        *_folder_faults(settings),
        *_role_faults(settings),
        *_forge_faults(settings),
        *await _policy_faults(settings),
    ]


def cautions_of(settings: Settings) -> list[Fault]:
    """What works and is unwise."""
    from kubernaut.server.gateway.tokens import Tokens

    tokens = Tokens(settings.gateway.tokens_file).caution()
    cautions: list[Fault] = [(("gateway", "tokens_file"), tokens)] if tokens else []
    for index, cluster in enumerate(settings.clusters):
        if cluster.kubeconfig is not None and cluster.kubeconfig.stat().st_mode & stat.S_IROTH:
            sentence = (
                f"everybody on this machine may read {cluster.kubeconfig}: `chmod o= {cluster.kubeconfig}` closes it"
            )
            cautions.append((("clusters", index, "kubeconfig"), sentence))
    for role, members in settings.roles:
        cautions += [
            (("roles", role, "users"), f"this machine knows no user {name!r}")
            for name in members.users
            if not _user(name)
        ]
        cautions += [
            (("roles", role, "groups"), f"this machine knows no group {name!r}")
            for name in members.groups
            if not _group(name)
        ]
    return cautions


def _user(name: str) -> bool:
    """Whether there is such a user; `uid:1234` is somebody whom the directory doesn't name."""
    try:
        return name.startswith("uid:") or bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _group(name: str) -> bool:
    try:
        return name.startswith("gid:") or bool(grp.getgrnam(name))
    except KeyError:
        return False


def _door_faults(settings: Settings) -> list[Fault]:
    """Addresses and groups that are not this machine's. A port may be taken: by the daemon that runs already."""
    from kubernaut.server.sockets import LONGEST_PATH, tcp_socket

    faults: list[Fault] = []
    try:
        tcp_socket(settings.gateway.host, 0).close()
    except BadInput as error:
        faults.append((("gateway", "listen"), error.message))
    if len(os.fsencode(settings.socket)) > LONGEST_PATH:
        faults.append(
            (("api", "socket"), f"{settings.socket} is longer than the {LONGEST_PATH} bytes of a socket's path")
        )
    if settings.api.group is not None and not _group(settings.api.group):
        faults.append((("api", "group"), f"there is no group {settings.api.group!r} on this machine"))
    return faults


def _folder_faults(settings: Settings) -> list[Fault]:
    faults: list[Fault] = []
    for key, folder in ((("state_dir",), settings.state_dir), (("forge", "root"), settings.forge_root)):
        there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
        if not there.is_dir():
            faults.append((key, f"{there} is not a folder"))
        elif not os.access(there, os.W_OK | os.X_OK):
            faults.append((key, f"{there} is not writable"))
    return faults


def _cluster_faults(settings: Settings) -> list[Fault]:
    if not settings.clusters:
        return [(("clusters",), "none is configured, so there is nothing to look after")]
    faults: list[Fault] = []
    for index, cluster in enumerate(settings.clusters):
        if cluster.kubeconfig is None:
            if sentence := no_pod():
                faults.append((("clusters", index, "kubeconfig"), sentence))
            continue
        if not cluster.kubeconfig.is_file():
            faults.append((("clusters", index, "kubeconfig"), f"{cluster.kubeconfig} is not a file"))
        else:
            faults += _context_faults(index, cluster.kubeconfig, cluster.context)
    return faults


def _context_faults(index: int, kubeconfig: Path, context: str | None) -> list[Fault]:
    try:
        document = yaml.safe_load(kubeconfig.read_text("utf-8")) or {}
        names = [str(entry["name"]) for entry in document.get("contexts") or ()]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        return [(("clusters", index, "kubeconfig"), f"{kubeconfig} is not a kubeconfig")]
    wanted = context or document.get("current-context")
    if wanted in names:
        return []
    known = f"contexts: {', '.join(names) or 'none'}"
    return [(("clusters", index, "context"), f"{wanted!r} is not in {kubeconfig} ({known})")]


def _token_faults(settings: Settings) -> list[Fault]:
    from kubernaut.server.gateway.tokens import Tokens

    key: Where = ("gateway", "tokens_file")
    tokens = settings.gateway.tokens_file
    if tokens is None:
        return [(key, "is not set, so no webhook is taken")]
    if not tokens.is_file():
        return [(key, f"{tokens} is not a file; write one token a line, as `openssl rand -hex 32` makes it")]
    try:
        loaded = Tokens(tokens)
    except BadInput as error:
        return [(key, f"{error.place}: {error.message}" if error.place else error.message)]
    return [] if loaded else [(key, f"{tokens} holds no token, so no webhook is taken")]


def _role_faults(settings: Settings) -> list[Fault]:
    roles = settings.roles
    if any(role.users or role.groups for role in (roles.approver, roles.senior, roles.admin)):
        return []
    return [(("roles",), "nobody may approve; give roles.approver users or groups")]


def _forge_faults(settings: Settings) -> list[Fault]:
    from kubernaut.adapters.forge.local import LocalForge

    faults: list[Fault] = []
    try:
        LocalForge(settings.forge_root, settings.forge.repositories, SystemClock())
    except BadInput as error:
        faults.append((("forge", "repositories"), error.message))
    for url, name in settings.forge.repositories.items():
        candidates = [settings.forge_root / name, settings.forge_root / f"{name}.git"]
        if not any((folder / "HEAD").is_file() for folder in candidates):
            sentence = f"{candidates[0]} is no bare repository; `git init --bare` makes one"
            faults.append((("forge", "repositories", url), sentence))
    return faults


async def _policy_faults(settings: Settings) -> list[Fault]:
    from kubernaut.adapters.rego.engine import RegoPolicyEngine
    from kubernaut.adapters.rego.shipped import shipped_policies

    key: Where = ("policies", "dir") if settings.policies.dir else ("policies", "settings")
    if settings.policies.dir and not settings.policies.dir.is_dir():
        return [(key, f"{settings.policies.dir} is not a folder")]
    try:
        engine = await RegoPolicyEngine.load(settings.policies.dir or shipped_policies(), settings.policy_overrides())
    except KubernautError as error:
        return [(key, str(error))]
    engine.close()
    return []
