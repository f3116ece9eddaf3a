"""A Secret of type service-account-token gets a token of its service account, and goes when that account goes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.apiserver.tokens import Tokens
from kubernaut.sim.apiserver.validation import ACCOUNT_NAME, SECRET_TYPE
from kubernaut.sim.controllers.loop import Controller, Key, key_of

_ACCOUNT_UID = "kubernetes.io/service-account.uid"


class TokenController(Controller):
    """Fills token Secrets.

    Source: k8s.io/kubernetes/pkg/controller/serviceaccount/tokens_controller.go
    """

    name = "token-controller"

    def __init__(self, api: Api, tokens: Tokens, authority_pem: str) -> None:
        super().__init__(api)
        self._tokens = tokens
        self._pem = authority_pem

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"secrets": lambda change: [key_of(change.entry.obj)], "serviceaccounts": self._of_account}

    def _of_account(self, change: Change) -> list[Key]:
        metadata = change.entry.obj["metadata"]
        return [
            key_of(secret)
            for secret in self.store.objects("secrets", metadata["namespace"])
            if _account_of(secret) == metadata["name"]
        ]

    def reconcile(self, key: Key) -> float | None:
        secret = self.held("secrets", key)
        if secret is None or not _account_of(secret) or secret["metadata"].get("deletionTimestamp"):
            return None
        account = self.held("serviceaccounts", (key[0], _account_of(secret)))
        notes = secret["metadata"]["annotations"]
        if account is None or notes.get(_ACCOUNT_UID, account["metadata"]["uid"]) != account["metadata"]["uid"]:
            resource = self.api.catalogue.of_bucket("secrets")
            self.api.delete(resource, *key, DeleteOptions(uid=secret["metadata"]["uid"]), controller())
        elif "token" not in (secret.get("data") or {}):
            self._fill(secret, account)
        return None

    def _fill(self, secret: Json, account: Json) -> None:
        texts = {
            "token": self._tokens.kept_in(secret, account),
            "ca.crt": self._pem,
            "namespace": secret["metadata"]["namespace"],
        }

        def change(obj: Json) -> None:
            obj["metadata"]["annotations"][_ACCOUNT_UID] = account["metadata"]["uid"]
            obj["data"] = (obj.get("data") or {}) | {
                name: base64.b64encode(text.encode()).decode() for name, text in texts.items()
            }

        self.api.edit("secrets", secret, change)


def _account_of(secret: Json) -> str:
    """The service account that a token Secret belongs to; empty for all other Secrets."""
    if secret.get("type") != SECRET_TYPE:
        return ""
    return str((secret["metadata"].get("annotations") or {}).get(ACCOUNT_NAME, ""))
