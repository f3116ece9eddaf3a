"""Which environment a target lives in, and how urgent that makes the trouble."""

from kubernaut.domain.facts import Object
from kubernaut.domain.resources import ResourceRef
from kubernaut.domain.values import Priority, Severity

from .outside import Outside


async def classify(out: Outside, target: ResourceRef, severity: Severity) -> tuple[str, Priority]:
    """Environment (by Rego, from the namespace's and the cluster's labels) and priority.

    A cluster-scoped object such as a node has no namespace, so the cluster's labels decide.
    """
    labels: dict[str, str] = {}
    if target.namespace:
        namespace: Object | None = await out.cluster(target.cluster).get("Namespace", "", target.namespace)
        labels = dict((namespace or {}).get("metadata", {}).get("labels") or {})
    environment = await out.policy.environment(target.namespace, labels, out.cluster_labels.get(target.cluster, {}))
    return environment, Priority.of(severity, environment)
