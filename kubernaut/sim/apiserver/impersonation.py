"""Somebody may act as somebody else, where RBAC lets them (`kubectl --as`).

The right is the old verb `impersonate`; the newer ones, which are bound to what is then done, give nothing here, but a
refusal names them as the genuine server does.

Source: k8s.io/apiserver/pkg/endpoints/filters/impersonation
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kubernaut.sim.apiserver.access import Attributes, Authorizer, User
from kubernaut.sim.apiserver.status import bad_request

_ACCOUNT = "system:serviceaccount:"
_NODE = "system:node:"
_EXTRA = "impersonate-extra-"


def acting_as(user: User, headers: Any, authorizer: Authorizer, wanted: Attributes) -> User:
    """Whom a request is made as: by its Impersonate headers, else the user.

    Args:
        wanted: what is asked for, which a refusal names.

    Raises:
        StatusError: 403 if the user may not, 400 for groups without a user.
    """
    name, groups, uid = headers.get("Impersonate-User", ""), headers.getall("Impersonate-Group", []), ""
    uid = headers.get("Impersonate-Uid", "")
    extras = sorted({key.lower().removeprefix(_EXTRA) for key in headers if key.lower().startswith(_EXTRA)})
    if not name:
        if groups or uid or extras:
            raise bad_request("requested impersonation of groups, a uid or extras without impersonating a user name")
        return user
    if not all(authorizer.allows(user, right) for right in _rights(name, groups, uid, extras)):
        mode = "serviceaccount" if _is_account(name) else "arbitrary-node" if name.startswith(_NODE) else "user-info"
        raise replace(wanted, verb=f"impersonate-on:{mode}:{wanted.verb}").refusal(user)
    return User(name, tuple(groups) or _own_groups(name), uid)


def _rights(name: str, groups: list[str], uid: str, extras: list[str]) -> Iterator[Attributes]:
    if _is_account(name):
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


def _is_account(name: str) -> bool:
    return name.startswith(_ACCOUNT) and name.count(":") == 3


def _own_groups(name: str) -> tuple[str, ...]:
    """Every service account is in two groups."""
    if not _is_account(name):
        return ()
    return "system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}"
