"""What StatefulSets, DaemonSets and Jobs share: the pods they own, and creating and deleting them with events."""

from __future__ import annotations

from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.status import Json, StatusError
from kubernaut.sim.controllers.loop import Controller, controller_of

REVISION_LABEL = "controller-revision-hash"


class OwnerOfPods(Controller):
    """A controller whose objects own pods directly."""

    created, deleted = "Created pod: {pod}", "Deleted pod: {pod}"

    def owned(self, owner: Json) -> list[Json]:
        """Every pod the object controls, in order of name."""
        uid = owner["metadata"]["uid"]
        found = []
        for pod in self.store.objects("pods", owner["metadata"]["namespace"]):
            reference = controller_of(pod)
            if reference is not None and reference["uid"] == uid:
                found.append(pod)
        return sorted(found, key=lambda pod: str(pod["metadata"]["name"]))

    def make(self, owner: Json, pod: Json) -> Json:
        """Create a pod; a refusal becomes a FailedCreate event and is raised, so that it is tried again.

        Raises:
            StatusError: the API server refused the pod.
        """
        resource = self.api.catalogue.of_bucket("pods")
        try:
            made = self.api.create(resource, owner["metadata"]["namespace"], pod, controller()).obj
        except StatusError as error:
            self.recorder.event(owner, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise StatusError(500, "FailedCreate", error.message) from error
        self.recorder.event(owner, "Normal", "SuccessfulCreate", self._told(self.created, owner, made))
        return made

    def unmake(self, owner: Json, pod: Json) -> None:
        """Delete a pod gracefully."""
        name = pod["metadata"]["name"]
        resource = self.api.catalogue.of_bucket("pods")
        self.api.delete(resource, pod["metadata"]["namespace"], name, DeleteOptions(), controller())
        self.recorder.event(owner, "Normal", "SuccessfulDelete", self._told(self.deleted, owner, pod))

    def _told(self, text: str, owner: Json, pod: Json) -> str:
        return text.format(pod=pod["metadata"]["name"], owner=owner["metadata"]["name"])


def revision_of(pod: Json) -> str:
    """The template a pod was made from, by its hash."""
    return str((pod["metadata"].get("labels") or {}).get(REVISION_LABEL, ""))
