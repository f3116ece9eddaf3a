"""From a manifest to its place in the API, by discovery."""

from dataclasses import dataclass

from kubernaut.domain.errors import NotFound, Permanent
from kubernaut.sim.client import ApiClient, Json

_ORDER = ("Namespace", "ResourceQuota", "LimitRange", "ServiceAccount", "Secret", "ConfigMap", "PersistentVolumeClaim",
          "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Service")  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """An object of the cluster; namespace is empty for cluster-wide ones."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str
    collection: str  # the path of the whole collection, over all namespaces
    path: str

    @property
    def parent(self) -> str:
        """Where it is created."""
        return self.path.rpartition("/")[0]


class Discovery:
    """Asks the API server once for each group and version."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._known: dict[str, dict[str, tuple[str, bool]]] = {}

    async def place(self, manifest: Json, namespace: str) -> ObjectRef:
        """Where a manifest belongs; `namespace` is for those that name none.

        Raises:
            Permanent: the API server does not know the kind.
        """
        api_version, kind = manifest["apiVersion"], manifest["kind"]
        group, _, version = api_version.rpartition("/")
        root = f"/apis/{api_version}" if group else f"/api/{version}"
        plural, namespaced = await self._plural(root, kind)
        metadata = manifest["metadata"]
        inside = (metadata.get("namespace") or namespace) if namespaced else ""
        folder = f"{root}/namespaces/{inside}" if inside else root
        name = metadata["name"]
        return ObjectRef(group, version, kind, inside, name, f"{root}/{plural}", f"{folder}/{plural}/{name}")

    async def _plural(self, root: str, kind: str) -> tuple[str, bool]:
        if kind not in self._known.get(root, {}):
            try:
                listed = await self._api.get(root)
            except NotFound:
                listed = {"resources": []}
            self._known[root] = {
                r["kind"]: (r["name"], r["namespaced"]) for r in listed["resources"] if "/" not in r["name"]
            }
        if kind not in self._known[root]:
            raise Permanent(
                f"The Kubernetes API could not find {root.removeprefix('/apis/')}/{kind} for requested resource"
            )
        return self._known[root][kind]


def in_order(manifest: Json) -> tuple[int, str]:
    """Namespaces first, what others refer to next, then the rest by name."""
    kind = manifest["kind"]
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), manifest["metadata"]["name"])
