"""What is served, in the three spellings clients ask for: legacy lists, aggregated discovery and OpenAPI."""

from __future__ import annotations

from kubernaut.sim.apiserver.resources import VERBS, Catalogue, Resource
from kubernaut.sim.apiserver.status import Json

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.3+kubernaut-sim",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
_REVIEWS = (
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False),
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", False),
    ("authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False),
    ("authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", True),
    ("authentication.k8s.io", "v1", "tokenreviews", "TokenReview", False),
    ("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False),
)
# Kinds that subresources answer with or take, where it isn't the kind itself.
_SUBRESOURCE_KINDS = {
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "binding": ("", "v1", "Binding", ("create",)),
    "log": ("", "v1", "Pod", ("get",)),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "finalize": ("", "v1", "Namespace", ("update",)),
}


class Discovery:
    """Documents about the catalogue, as it is now."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def group_versions(self) -> list[tuple[str, str]]:
        """Every group and version, the preferred version of a group first."""
        found = dict.fromkeys((item.group, item.version) for item in self._catalogue)
        found |= dict.fromkeys((item[0], item[1]) for item in _REVIEWS)
        return list(found)

    def legacy_versions(self, address: str) -> Json:
        clients = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": clients}

    def group(self, name: str) -> Json | None:
        versions = [
            {"groupVersion": f"{group}/{version}", "version": version}
            for group, version in self.group_versions()
            if group == name and name
        ]
        if not versions:
            return None
        return {
            "kind": "APIGroup",
            "apiVersion": "v1",
            "name": name,
            "versions": versions,
            "preferredVersion": versions[0],
        }

    def groups(self) -> Json:
        names = dict.fromkeys(group for group, _ in self.group_versions() if group)
        groups = [self.group(name) or {} for name in names]
        for group in groups:
            group.pop("kind", None)
            group.pop("apiVersion", None)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def resources(self, group: str, version: str) -> Json | None:
        """The legacy resource list of one group version, or None if it isn't served."""
        listed: list[Json] = []
        for item in sorted(self._catalogue, key=lambda item: item.plural):
            if (item.group, item.version) == (group, version):
                listed += _legacy(item)
        for review in _REVIEWS:
            if review[:2] == (group, version):
                listed.append(
                    {
                        "name": review[2],
                        "singularName": review[3].lower(),
                        "namespaced": review[4],
                        "kind": review[3],
                        "verbs": ["create"],
                    }
                )
        if not listed:
            return None
        name = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": listed}

    def aggregated(self, *, core: bool) -> Json:
        """apidiscovery.k8s.io/v2: everything below /api or /apis in one answer."""
        items: list[Json] = []
        names = dict.fromkeys(group for group, _ in self.group_versions() if (group == "") == core)
        for name in names:
            versions = [
                {"version": version, "resources": self._aggregated_resources(name, version), "freshness": "Current"}
                for group, version in self.group_versions()
                if group == name
            ]
            metadata: Json = {"creationTimestamp": None} | ({"name": name} if name else {})
            items.append({"metadata": metadata, "versions": versions})
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}

    def _aggregated_resources(self, group: str, version: str) -> list[Json]:
        listed = [
            _aggregated(item)
            for item in sorted(self._catalogue, key=lambda item: item.plural)
            if (item.group, item.version) == (group, version)
        ]
        for review in _REVIEWS:
            if review[:2] == (group, version):
                kind = {"group": group, "version": version, "kind": review[3]}
                scope = "Namespaced" if review[4] else "Cluster"
                listed.append(
                    {
                        "resource": review[2],
                        "responseKind": kind,
                        "scope": scope,
                        "singularResource": review[3].lower(),
                        "verbs": ["create"],
                    }
                )
        return listed


def _legacy(item: Resource) -> list[Json]:
    listed: Json = {
        "name": item.plural,
        "singularName": item.singular or item.kind.lower(),
        "namespaced": item.namespaced,
        "kind": item.kind,
        "verbs": list(VERBS),
    }
    if item.short_names:
        listed["shortNames"] = list(item.short_names)
    if item.categories:
        listed["categories"] = list(item.categories)
    found = [listed]
    for name in item.subresources:
        sub: Json = {"name": f"{item.plural}/{name}", "singularName": "", "namespaced": item.namespaced}
        if name in _SUBRESOURCE_KINDS:
            group, version, kind, verbs = _SUBRESOURCE_KINDS[name]
            if (group, version) != (item.group, item.version):
                sub |= {"group": group, "version": version}
            sub |= {"kind": kind, "verbs": list(verbs)}
        else:
            sub |= {"kind": item.kind, "verbs": ["get", "patch", "update"]}
        found.append(sub)
    return found


def _aggregated(item: Resource) -> Json:
    own = {"group": item.group, "version": item.version, "kind": item.kind}
    listed: Json = {
        "resource": item.plural,
        "responseKind": own,
        "scope": "Namespaced" if item.namespaced else "Cluster",
        "singularResource": item.singular or item.kind.lower(),
        "verbs": list(VERBS),
    }
    if item.short_names:
        listed["shortNames"] = list(item.short_names)
    if item.categories:
        listed["categories"] = list(item.categories)
    subresources = []
    for name in item.subresources:
        kind = own
        verbs: tuple[str, ...] = ("get", "patch", "update")
        if name in _SUBRESOURCE_KINDS:
            group, version, other, verbs = _SUBRESOURCE_KINDS[name]
            kind = {"group": group, "version": version, "kind": other}
        subresources.append({"subresource": name, "responseKind": kind, "verbs": list(verbs)})
    if subresources:
        listed["subresources"] = subresources
    return listed
