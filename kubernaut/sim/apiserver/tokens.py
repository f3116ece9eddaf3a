"""Service accounts prove themselves by tokens: asked for (`kubectl create token`) or kept in a Secret.

They are random, not signed as the genuine server's are; they stop being taken at the same moments.
"""

from __future__ import annotations

from datetime import timedelta

from kubernaut.sim.apiserver.access import Authenticator, User
from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.status import Json, invalid, invalid_value

_SHORTEST_S, _LONGEST_S, _DEFAULT_S = 600, 1 << 32, 3600


def user_of(account: Json) -> User:
    """Whom a token of this service account names."""
    metadata = account["metadata"]
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{metadata['namespace']}")
    return User(f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}", groups, metadata["uid"])


class Tokens:
    """Issues tokens that are good for as long as what they belong to exists."""

    def __init__(self, api: Api, authenticator: Authenticator) -> None:
        self._api = api
        self._authenticator = authenticator

    def request(self, namespace: str, name: str, body: Json) -> Json:
        """The answer to a TokenRequest.

        Raises:
            StatusError: 404 without such an account, 422 for a time that is too short or too long.
        """
        account = self._api.entry(self._api.catalogue.of_bucket("serviceaccounts"), namespace, name).obj
        spec = dict(body.get("spec") or {})
        lifetime_s = spec.setdefault("expirationSeconds", _DEFAULT_S)
        for wrong, text in (
            (lifetime_s < _SHORTEST_S, "may not specify a duration less than 10 minutes"),
            (lifetime_s > _LONGEST_S, "may not specify a duration larger than 2^32 seconds"),
        ):
            if wrong:
                cause = invalid_value("spec.expirationSeconds", lifetime_s, text)
                raise invalid("authentication.k8s.io", "TokenRequest", "", [cause])
        spec["audiences"] = spec.get("audiences") or ["https://kubernetes.default.svc"]
        ends = self._api.now() + timedelta(seconds=lifetime_s)
        token = self._authenticator.issue(
            user_of(account), lambda: self._api.now() < ends and self._exists("serviceaccounts", account)
        )
        return {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": stamp(self._api.now())},
            "spec": spec,
            "status": {"token": token, "expirationTimestamp": stamp(ends)},
        }

    def kept_in(self, secret: Json, account: Json) -> str:
        """A token that is good while the Secret and the account exist."""
        return self._authenticator.issue(
            user_of(account), lambda: self._exists("secrets", secret) and self._exists("serviceaccounts", account)
        )

    def _exists(self, bucket: str, obj: Json) -> bool:
        metadata = obj["metadata"]
        held = self._api.store.get(bucket, (metadata["namespace"], metadata["name"]))
        return held is not None and bool(held.obj["metadata"]["uid"] == metadata["uid"])
