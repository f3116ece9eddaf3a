"""Who may do what, and how refusals read."""

from .raw import CONFIG, DEPLOYMENTS, PODS, Cluster, config, pod, unique

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


async def test_no_token_is_anonymous_and_a_wrong_one_nobody(cluster: Cluster) -> None:
    anonymous = await cluster.get(PODS, user="")
    assert (anonymous.code, anonymous.reason) == (403, "Forbidden")
    assert 'User "system:anonymous" cannot list resource "pods"' in anonymous.body["message"]
    assert (await cluster.get("/readyz", user="")).code == 200
    tokens = cluster.token
    cluster.token = lambda user: "wrong"
    wrong = await cluster.get(PODS)
    assert (wrong.code, wrong.reason, wrong.body["message"]) == (401, "Unauthorized", "Unauthorized")
    cluster.token = tokens


async def test_a_refusal_names_user_verb_and_resource(cluster: Cluster) -> None:
    answer = await cluster.get(DEPLOYMENTS, user="outsider")
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.body["message"] == (
        'deployments.apps is forbidden: User "outsider" cannot list resource "deployments" in API group "apps" '
        f'in the namespace "{cluster.namespace}"'
    )
    assert answer.body["details"] == {"group": "apps", "kind": "deployments"}
    node = await cluster.get("/api/v1/nodes/n", user="outsider")
    assert node.body["message"] == (
        'nodes "n" is forbidden: User "outsider" cannot get resource "nodes" in API group "" at the cluster scope'
    )


async def test_a_viewer_sees_but_neither_writes_nor_reads_secrets(cluster: Cluster) -> None:
    assert (await cluster.get(PODS, user="viewer")).code == 200
    assert (await cluster.get("/api/v1/namespaces/{}/secrets", user="viewer")).code == 403
    assert (await cluster.post(CONFIG, config("a"), user="viewer")).code == 403
    assert (await cluster.get("/api/v1/nodes", user="viewer")).code == 403


async def test_a_role_in_a_namespace_holds_there_only(cluster: Cluster) -> None:
    name = unique("restarter")
    rules = [
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"], "resourceNames": ["only-this"]},
    ]
    await cluster.made(_RBAC + "/namespaces/{}/roles", {"metadata": {"name": name}, "rules": rules})
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "User", "name": "outsider", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    await cluster.made(_RBAC + "/namespaces/{}/rolebindings", binding)

    async def may(**wanted: str) -> bool:
        body = {"spec": {"resourceAttributes": {"namespace": cluster.namespace, **wanted}}}
        answer = await cluster.post(_REVIEW, body, user="outsider")
        assert answer.code == 201, answer.body
        return bool(answer.body["status"]["allowed"])

    async def settled() -> None:
        for _ in range(100):
            if await may(verb="patch", group="apps", resource="deployments"):
                return

    await settled()
    assert await may(verb="patch", group="apps", resource="deployments")
    assert not await may(verb="delete", group="apps", resource="deployments")
    assert not await may(verb="patch", group="apps", resource="deployments", subresource="scale")
    assert not await may(verb="patch", group="apps", resource="deployments", namespace="default")
    assert await may(verb="delete", resource="pods", name="only-this")
    assert not await may(verb="delete", resource="pods", name="another")
    assert not await may(verb="delete", resource="pods")
    await cluster.made(PODS, pod("another"))
    assert (await cluster.delete(PODS + "/another", user="outsider")).code == 403
    binding["roleRef"]["name"] = "other"
    changed = await cluster.put(_RBAC + f"/namespaces/{{}}/rolebindings/{name}", binding)
    assert (changed.code, changed.reason) == (422, "Invalid")


async def test_reviews_say_who_one_is(cluster: Cluster) -> None:
    answer = await cluster.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, user="viewer")
    assert answer.code == 201
    assert answer.body["status"]["userInfo"]["username"] == "viewer"
    assert "system:authenticated" in answer.body["status"]["userInfo"]["groups"]
    token = {"spec": {"token": cluster.token("viewer")}}
    review = await cluster.post("/apis/authentication.k8s.io/v1/tokenreviews", token)
    assert review.body["status"]["authenticated"] is True
    assert review.body["status"]["user"]["username"] == "viewer"
    wrong = await cluster.post("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": "x"}})
    assert not wrong.body["status"].get("authenticated")


async def test_discovery_lists_what_is_served(cluster: Cluster) -> None:
    core = (await cluster.get("/api/v1")).body
    found = {item["name"]: item for item in core["resources"]}
    assert found["pods"]["shortNames"] == ["po"]
    assert found["pods/eviction"]["kind"] == "Eviction"
    assert (found["pods/eviction"]["group"], found["pods/eviction"]["version"]) == ("policy", "v1")
    apps = (await cluster.get("/apis/apps/v1")).body
    assert {item["name"]: item["kind"] for item in apps["resources"]}["deployments/scale"] == "Scale"
    groups = (await cluster.get("/apis")).body
    assert {"apps", "batch", "policy", "events.k8s.io"} <= {item["name"] for item in groups["groups"]}
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    aggregated = (await cluster.get("/apis", accept=accept)).body
    assert aggregated["kind"] == "APIGroupDiscoveryList"


async def test_a_definition_makes_its_kind_served(cluster: Cluster) -> None:
    plural = "w" + unique("").replace("-", "")
    group = "example.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    column = {"name": "Size", "type": "integer", "jsonPath": ".spec.size"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": schema,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column],
    }
    names = {"plural": plural, "kind": plural.capitalize()}
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    body = {
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }
    await cluster.made(crd, body)
    await cluster.until(
        f"{crd}/{plural}.{group}",
        lambda found: (
            ("Established", "True")
            in [(item["type"], item["status"]) for item in found.get("status", {}).get("conditions") or ()]
        ),
    )
    where = f"/apis/{group}/v1/namespaces/{{}}/{plural}"
    await cluster.until(where, lambda found: "items" in found)
    obj = {"apiVersion": f"{group}/v1", "kind": names["kind"], "metadata": {"name": "a"}, "spec": {"size": 3}}
    made = await cluster.made(where, obj | {"status": {"phase": "no"}})
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    changed = await cluster.patch(where + "/a", {"spec": {"size": 4}})
    assert changed.body["metadata"]["generation"] == 2
    status = await cluster.patch(where + "/a/status", {"status": {"phase": "ok"}})
    assert (status.body["status"], status.body["metadata"]["generation"]) == ({"phase": "ok"}, 2)
    refused = await cluster.patch(where + "/a", {"spec": {}}, "application/strategic-merge-patch+json")
    assert (refused.code, refused.reason) == (415, "UnsupportedMediaType")
    unversioned = await cluster.put(where + "/a", obj)
    assert (unversioned.code, unversioned.reason) == (422, "Invalid")
    table = await cluster.get(where, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert [item["name"] for item in table.body["columnDefinitions"]] == ["Name", "Size"]
    assert table.body["rows"][0]["cells"] == ["a", 4]
    listed = (await cluster.get(where)).body
    assert listed["items"][0]["kind"] == names["kind"]
    await cluster.delete(f"{crd}/{plural}.{group}")
    await cluster.gone(f"{crd}/{plural}.{group}")
