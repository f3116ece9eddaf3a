"""What the API server says was written and by whom: the witness of "this was changed once and by nobody else".

Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ (audit.k8s.io/v1 Event).
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

# Reads are not recorded, nor what the cluster's own controllers do: a test asks about writes of users.
POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: None
    userGroups: ["system:nodes", "system:serviceaccounts"]
  - level: None
    users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler"]
  - level: Metadata
"""


@dataclass(frozen=True, slots=True)
class Write:
    """One write that reached the API server.

    Args:
        user: who wrote.
        verb: create, update, patch, delete or deletecollection; an eviction is a create of `pods/eviction`.
        resource: plural, with its subresource, as `deployments` or `pods/eviction`.
        namespace: empty for cluster-wide objects.
        name: empty where the server made it or many were meant.
        status: the HTTP status of the answer.
        dry_run: nothing was stored.
        time: when the request came in.
    """

    user: str
    verb: str
    resource: str
    namespace: str
    name: str
    status: int
    dry_run: bool
    time: datetime


class _User(msgspec.Struct):
    username: str


class _Object(msgspec.Struct):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""


class _Response(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct):
    user: _User
    verb: str
    requestURI: str  # noqa: N815  # the format's own name
    requestReceivedTimestamp: datetime  # noqa: N815
    objectRef: _Object | None = None  # noqa: N815
    responseStatus: _Response | None = None  # noqa: N815


def read_writes(log: Path, user: str) -> list[Write]:
    """The writes of `user` so far, in the order in which they were answered."""
    if not log.is_file():
        return []
    lines = [line for line in log.read_bytes().split(b"\n")[:-1] if line]  # a line without its end isn't written yet
    return [_write(event) for line in lines if (event := _decode(line)).user.username == user]


def _decode(line: bytes) -> _Event:
    return msgspec.json.decode(line, type=_Event)


def _write(event: _Event) -> Write:
    target = event.objectRef or _Object()
    return Write(
        user=event.user.username,
        verb=event.verb,
        resource="/".join(part for part in (target.resource, target.subresource) if part),
        namespace=target.namespace,
        name=target.name,
        status=event.responseStatus.code if event.responseStatus else 0,
        dry_run="dryRun=" in event.requestURI,
        time=event.requestReceivedTimestamp,
    )
