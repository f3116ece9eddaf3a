"""Short words for what the tests of the GitOps knowledge say again and again."""

from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops.edit import plan_edit

DEPLOYMENT = ResourceRef("prod", "Deployment", "checkout", "shop")
CONFIG = ResourceRef("prod", "ConfigMap", "checkout-config", "shop")


def memory(old: str | None = "128Mi", new: str = "256Mi", field: str = "limits.memory") -> ActionProposal:
    return ActionProposal("update-resources", DEPLOYMENT, {"container": "app", "field": field, "from": old, "to": new})


def image(old: str, new: str, container: str = "app") -> ActionProposal:
    return ActionProposal("update-image", DEPLOYMENT, {"container": container, "from": old, "to": new})


def config(key: str, old: str | None, new: str) -> ActionProposal:
    return ActionProposal("update-configmap", CONFIG, {"key": key, "from": old, "to": new})


def edited(files: dict[str, str], action: ActionProposal, path: str = "app") -> dict[str, tuple[list[str], list[str]]]:
    """Path → (lines taken away, lines added), counted by position: what a reviewer would see."""
    result = {}
    for change in plan_edit(files, action, path).files:
        assert change.before == files[change.path]
        old, new = change.before.splitlines(keepends=True), change.after.splitlines(keepends=True)
        head = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        room = min(len(old), len(new)) - head
        pairs = zip(reversed(old), reversed(new), strict=False)
        tail = min(next((i for i, (a, b) in enumerate(pairs) if a != b), room), room)
        assert change.line == head + 1
        result[change.path] = (old[head : len(old) - tail], new[head : len(new) - tail])
    return result
