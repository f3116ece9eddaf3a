"""Who may do what: static tokens name users, RBAC objects give them rights."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kubernaut.sim.apiserver.status import Json, StatusError, forbidden
from kubernaut.sim.apiserver.store import Change, Store

_GROUP = "rbac.authorization.k8s.io"
_BUCKETS = tuple(f"{name}.{_GROUP}" for name in ("roles", "rolebindings", "clusterroles", "clusterrolebindings"))
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated user as SelfSubjectReview shows it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    @property
    def all_groups(self) -> tuple[str, ...]:
        if self.name == ANONYMOUS:
            return ("system:unauthenticated",)
        return (*self.groups, "system:authenticated")


ANONYMOUS = "system:anonymous"
NOBODY = User(ANONYMOUS)
SYSTEM = User("system:apiserver", (MASTERS,))


@dataclass(frozen=True, slots=True)
class Attributes:
    """What somebody wants to do; `path` is set for requests that name no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource

    def refusal(self, user: User) -> StatusError:
        if self.path:
            text = f'forbidden: User "{user.name}" cannot {self.verb} path "{self.path}"'
            return StatusError(403, "Forbidden", text, {})
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        text = (
            f'User "{user.name}" cannot {self.verb} resource "{self.full_resource}" in API group "{self.group}" {where}'
        )
        return forbidden(self.group, self.resource, self.name, text)


class Authenticator:
    """Finds the user of a bearer token."""

    def __init__(self, tokens: Mapping[str, User]) -> None:
        self._tokens = dict(tokens)
        self._issued: dict[str, tuple[User, Callable[[], bool]]] = {}

    def user(self, token: str) -> User | None:
        """The user of a token, or None if nobody has it, or not any more."""
        user, is_good = self._issued.get(token, (None, None))
        if is_good is not None and not is_good():
            del self._issued[token]
            return None
        return user or self._tokens.get(token)

    def issue(self, user: User, is_good: Callable[[], bool]) -> str:
        """A new token that is taken for as long as `is_good` says so."""
        token = secrets.token_urlsafe(32)
        self._issued[token] = (user, is_good)
        return token


class Authorizer:
    """Role-based access control over the Role and Binding objects in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rules: dict[User, list[tuple[str, Json, str]]] = {}
        for bucket in _BUCKETS:
            store.subscribe(bucket, self._forget)

    def allows(self, user: User, wanted: Attributes) -> bool:
        return bool(self.reason(user, wanted))

    def reason(self, user: User, wanted: Attributes) -> str:
        """Why the user may, as SelfSubjectAccessReview says it; empty if nothing allows it."""
        if MASTERS in user.groups:
            return "allowed by system:masters"
        for namespace, rule, origin in self._rules_of(user):
            if namespace and namespace != wanted.namespace:
                continue
            if _covers(rule, wanted):
                return f"RBAC: allowed by {origin}"
        return ""

    def rules(self, user: User, namespace: str) -> list[Json]:
        """The rules that hold in a namespace, for SelfSubjectRulesReview."""
        return [rule for where, rule, _ in self._rules_of(user) if not where or where == namespace]

    def _forget(self, _: Change) -> None:
        self._rules.clear()

    def _rules_of(self, user: User) -> list[tuple[str, Json, str]]:
        if user not in self._rules:
            self._rules[user] = list(self._collect(user))
        return self._rules[user]

    def _collect(self, user: User) -> Iterator[tuple[str, Json, str]]:
        for bucket in ("clusterrolebindings", "rolebindings"):
            for binding in self._store.objects(f"{bucket}.{_GROUP}"):
                if not any(_is_subject(subject, user) for subject in binding.get("subjects") or ()):
                    continue
                metadata, reference = binding["metadata"], binding["roleRef"]
                namespace = metadata.get("namespace", "")
                kind = "RoleBinding" if namespace else "ClusterRoleBinding"
                shown = f"{metadata['name']}/{namespace}" if namespace else metadata["name"]
                origin = f'{kind} "{shown}" of {reference["kind"]} "{reference["name"]}" to {user.name}'
                for rule in self._role_rules(reference, namespace):
                    yield namespace, rule, origin

    def _role_rules(self, reference: Json, namespace: str) -> list[Json]:
        bucket = "roles" if reference["kind"] == "Role" else "clusterroles"
        where = namespace if bucket == "roles" else ""
        entry = self._store.get(f"{bucket}.{_GROUP}", (where, reference["name"]))
        return (entry.obj.get("rules") or []) if entry else []


def _is_subject(subject: Json, user: User) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.all_groups
    return user.name == f"system:serviceaccount:{subject.get('namespace', '')}:{name}"


def _covers(rule: Json, wanted: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and wanted.verb not in verbs:
        return False
    if wanted.path:
        return any(
            path == "*" or path == wanted.path or (path.endswith("*") and wanted.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or ()
        )
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    if "*" not in groups and wanted.group not in groups:
        return False
    named = {"*", wanted.full_resource} | ({f"*/{wanted.subresource}"} if wanted.subresource else set())
    if not named.intersection(resources):
        return False
    names = rule.get("resourceNames")
    return not names or wanted.name in names
