"""Where no pull request can be made the person gets the change itself: a patch, and the text that goes with it."""

from typing import Any

import yaml

from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.redaction import redact
from kubernaut.domain.resources import KINDS

from . import workload

_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""Written in C where libyaml is there: the other takes as long as a diagnosis."""


def patch_text(proposal: ActionProposal) -> str:
    """The change as a strategic merge patch, which Kustomize and `kubectl patch --patch-file` take; empty when unknown.

    Redacted: what looks like a credential is left out and has to be filled in.
    """
    body = _body(proposal)
    if not body:
        return ""
    target = proposal.target
    meta = {"name": target.name} | ({"namespace": target.namespace} if target.namespace else {})
    whole = {"apiVersion": KINDS[target.kind].api_version, "kind": target.kind, "metadata": meta, **body}
    return redact(yaml.dump(whole, Dumper=_DUMPER, sort_keys=False, allow_unicode=True))


def told(why: str, proposal: ActionProposal) -> str:
    """Why there is no pull request, and the change in one line."""
    given, target = proposal.parameters, proposal.target
    if not _body(proposal):
        return why
    container = f" of container {given.get('container')}" if "container" in given else ""
    field = {"update-image": "image", "update-configmap": given.get("key")}.get(proposal.action, given.get("field"))
    old = given.get("from")
    change = f"from {_short(old)} to {_short(given.get('to'))}" if old else f"to {_short(given.get('to'))}"
    return f"{why}; by hand: set {field}{container} of {target.kind} {target.short} {change}"


def _body(proposal: ActionProposal) -> dict[str, Any]:
    given, new = proposal.parameters, proposal.parameters.get("to")
    if new is None or proposal.target.kind not in KINDS:
        return {}
    if proposal.action == "update-configmap":
        return {"data": {str(given.get("key")): str(new)}}
    if proposal.action == "update-image":
        change: dict[str, Any] = {"image": str(new)}
    elif proposal.action == "update-resources":
        group, _, resource = str(given.get("field")).partition(".")
        change = {"resources": {group: {resource: str(new)}}}
    else:
        return {}
    body: Any = {"containers": [{"name": str(given.get("container")), **change}]}
    for key in reversed(workload.pod_spec(proposal.target.kind)):
        body = {key: body}
    return dict(body)


def _short(value: object) -> str:
    plain = " ".join(redact(str(value)).split())
    return plain if len(plain) <= 80 else f"{plain[:79]}…"
