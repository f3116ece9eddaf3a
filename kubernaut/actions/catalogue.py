"""All actions by name, and the declarative ones that only Git carries out."""

from kubernaut.domain.errors import BadInput

from .action import Action
from .drain import DrainNode
from .nodes import CordonNode, UncordonNode
from .pods import DeletePod
from .workloads import RestartDeployment

IMPERATIVE: dict[str, Action] = {
    action.name: action for action in (RestartDeployment(), DeletePod(), CordonNode(), UncordonNode(), DrainNode())
}
"""Actions that mutate a cluster directly."""

DECLARATIVE: dict[str, str] = {
    "update-resources": "Change a container's resource requests or limits",
    "update-image": "Change a container's image",
    "update-configmap": "Change one value of a ConfigMap",
}
"""Actions that are carried out by an edit in Git: name → what it does."""


def find(name: str) -> Action:
    """The imperative action of that name.

    Raises:
        BadInput: there is none.
    """
    if name not in IMPERATIVE:
        known = ", ".join(sorted(IMPERATIVE))
        raise BadInput(f"unknown action {name!r}; the catalogue has {known}", field="action")
    return IMPERATIVE[name]
