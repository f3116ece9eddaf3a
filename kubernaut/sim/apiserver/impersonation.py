"""Somebody may act as somebody else, where RBAC lets them (`kubectl --as`).

Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubernaut.sim.apiserver.access import Attributes, Authorizer, User
from kubernaut.sim.apiserver.status import internal

_ACCOUNT = "system:serviceaccount:"
_EXTRA = "impersonate-extra-"


def acting_as(user: User, headers: Any, authorizer: Authorizer) -> User:
    """Whom a request is made as: by its Impersonate headers, else the user.

    Raises:
        StatusError: 403 if the user may not, 500 for groups without a user.
    """
    name, groups, uid = headers.get("Impersonate-User", ""), headers.getall("Impersonate-Group", []), ""
    uid = headers.get("Impersonate-Uid", "")
    extras = sorted({key.lower().removeprefix(_EXTRA) for key in headers if key.lower().startswith(_EXTRA)})
    if not name:
        if groups or uid or extras:
            raise internal("requested impersonation of groups, a uid or extras without impersonating a user")
        return user
    for wanted in _wanted(name, groups, uid, extras):
        if not authorizer.allows(user, wanted):
            raise wanted.refusal(user)
    return User(name, tuple(groups) or _own_groups(name), uid)


def _wanted(name: str, groups: list[str], uid: str, extras: list[str]) -> Iterator[Attributes]:
    if name.startswith(_ACCOUNT) and name.count(":") == 3:
        _, _, namespace, account = name.split(":")
        yield Attributes("impersonate", "", "serviceaccounts", "", namespace, account)
    else:
        yield Attributes("impersonate", "", "users", name=name)
    for group in groups:
        yield Attributes("impersonate", "", "groups", name=group)
    if uid:
        yield Attributes("impersonate", "authentication.k8s.io", "uids", name=uid)
    for extra in extras:
        yield Attributes("impersonate", "authentication.k8s.io", "userextras", extra)


def _own_groups(name: str) -> tuple[str, ...]:
    """Every service account is in two groups."""
    if not name.startswith(_ACCOUNT) or name.count(":") != 3:
        return ()
    return "system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}"
