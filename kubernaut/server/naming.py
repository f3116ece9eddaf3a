"""An object that a sender or a caller named in words of their own: it is checked before it reaches a path or a screen."""

from kubernaut.domain.errors import BadInput
from kubernaut.domain.resources import KINDS, ResourceRef, is_name

_SHOWN = 40


def named(cluster: str, kind: str, namespace: str, name: str) -> ResourceRef:
    """The reference. A namespace given for a kind that has none is left out, as kubectl does.

    Raises:
        BadInput: names the field that is missing or can't be.
    """
    if not kind:
        raise BadInput("is missing", field="kind")
    if kind not in KINDS:
        raise BadInput(f"{kind[:_SHOWN]!r} is no kind; known: {', '.join(sorted(KINDS))}", field="kind")
    parts = {"name": name, "namespace": namespace} if KINDS[kind].namespaced else {"name": name}
    for field, value in parts.items():
        if not value:
            raise BadInput("is missing", field=field)
        if not is_name(value):
            raise BadInput(f"{value[:_SHOWN]!r} is no name that Kubernetes takes", field=field)
    return ResourceRef(cluster, kind, name, parts.get("namespace", ""))
