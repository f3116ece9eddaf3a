"""What kubectl relies on beyond plain reads and writes: tables, ownership of fields, words of refusals, OpenAPI."""

import json
from urllib.parse import urlencode

from kubernaut.sim.apiserver.openapi_schemas import name_of
from kubernaut.sim.apiserver.schema import LIST_KEYS, PATCH_ONLY_KEYS, SET

from .raw import (
    APPLY_PATCH,
    BUDGETS,
    CONFIG,
    DEPLOYMENTS,
    JSON_PATCH,
    PODS,
    SETS,
    STRATEGIC_PATCH,
    Cluster,
    Json,
    config,
    deployment,
    pod_spec,
)

_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
_CONTROLLERS = "/api/v1/namespaces/{}/replicationcontrollers"
_SERVICES = "/api/v1/namespaces/{}/services"
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_IMAGE = '.spec.template.spec.containers[name="web"].image'


async def applied(cluster: Cluster, body: Json, manager: str, **query: str) -> Json:
    where = f"{DEPLOYMENTS}/{body['metadata']['name']}"
    answer = await cluster.patch(where, body, APPLY_PATCH, fieldManager=manager, **query)
    return {"code": answer.code, **answer.body}


def image(tag: str) -> Json:
    body = deployment("web", 0)
    body["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.example/web:{tag}"
    return body


async def test_a_conflict_names_every_manager_of_a_field(cluster: Cluster) -> None:
    assert (await applied(cluster, image("1"), "first"))["code"] == 201
    only = await applied(cluster, image("2"), "third")
    assert only["message"] == f'Apply failed with 1 conflict: conflict with "first": {_IMAGE}'
    await applied(cluster, image("1"), "second")
    await cluster.patch(f"{DEPLOYMENTS}/web", {"spec": {"paused": True}}, fieldManager="pauser")
    both = await applied(cluster, {**image("2"), "spec": {**image("2")["spec"], "paused": False}}, "third")
    assert (both["code"], both["reason"]) == (409, "Conflict")
    assert both["message"].splitlines() == [
        'Apply failed with 3 conflicts: conflicts with "first":', f"- {_IMAGE}",
        both["message"].splitlines()[2], "- .spec.paused", 'conflicts with "second":', f"- {_IMAGE}",
    ]  # fmt: skip
    assert both["message"].splitlines()[2].startswith('conflicts with "pauser" using apps/v1')
    assert {cause["reason"] for cause in both["details"]["causes"]} == {"FieldManagerConflict"}


async def test_kubectl_takes_over_what_it_applied_on_its_own_side(cluster: Cluster) -> None:
    body = image("1")
    body["metadata"]["annotations"] = {_LAST_APPLIED: json.dumps(image("1"))}
    await cluster.made(DEPLOYMENTS, body, fieldManager="kubectl-client-side-apply")
    assert (await applied(cluster, image("2"), "somebody"))["code"] == 409
    taken = await applied(cluster, image("2"), "kubectl")
    assert taken["code"] == 200
    said = json.loads(taken["metadata"]["annotations"][_LAST_APPLIED])
    assert said["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":2")
    await cluster.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}}, fieldManager="scaler")
    assert (await applied(cluster, image("3"), "kubectl"))["code"] == 409


async def test_what_kubectl_keeps_in_step_changes_no_ownership(cluster: Cluster) -> None:
    body = image("1")
    body["metadata"]["annotations"] = {_LAST_APPLIED: json.dumps(image("1"))}
    await cluster.made(DEPLOYMENTS, body, fieldManager="kubectl-client-side-apply")
    taken = await applied(cluster, image("2"), "kubectl")
    (own,) = [one for one in taken["metadata"]["managedFields"] if one["manager"] == "kubectl-client-side-apply"]
    assert f"f:{_LAST_APPLIED}" in own["fieldsV1"]["f:metadata"]["f:annotations"]


async def test_selectors_are_made_of_labels(cluster: Cluster) -> None:
    async def fields(path: str, body: Json) -> list[tuple[str, str]]:
        answer = await cluster.post(path, body)
        assert (answer.code, answer.reason) == (422, "Invalid"), answer.body
        return [(cause["field"], cause["reason"]) for cause in answer.causes]

    wrong = {"app": "Web_"}
    web = deployment("web", 0)
    web["spec"]["selector"] = {"matchLabels": wrong}
    web["spec"]["template"]["metadata"]["labels"] = wrong
    both = [("spec.selector.matchLabels", "FieldValueInvalid"), ("spec.selector", "FieldValueInvalid")]
    assert await fields(DEPLOYMENTS, web) == both
    spec = {"selector": wrong, "ports": [{"port": 80}]}
    assert await fields(_SERVICES, {"metadata": {"name": "web"}, "spec": spec}) == [
        ("spec.selector", "FieldValueInvalid")
    ]
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": wrong}}}
    assert await fields(BUDGETS, budget) == both[:1]
    for item, found in (
        ({"key": "a", "operator": "In"}, ("values", "FieldValueRequired")),
        ({"key": "a", "operator": "Exists", "values": ["b"]}, ("values", "FieldValueForbidden")),
        ({"key": "a", "operator": "Near"}, ("operator", "FieldValueInvalid")),
        ({"key": "a", "operator": "In", "values": ["b_"]}, ("values[0]", "FieldValueInvalid")),
    ):
        budget["spec"] = {"minAvailable": 1, "selector": {"matchExpressions": [item]}}
        assert await fields(BUDGETS, budget) == [(f"spec.selector.matchExpressions[0].{found[0]}", found[1])]


async def test_managed_fields_can_be_written_and_forgotten(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a", x="1"), fieldManager="first")
    rename = [{"op": "replace", "path": "/metadata/managedFields/0/manager", "value": "renamed"}]
    changed = await cluster.patch(f"{CONFIG}/a", rename, JSON_PATCH)
    assert [entry["manager"] for entry in changed.body["metadata"]["managedFields"]] == ["renamed"]
    forgotten = await cluster.patch(f"{CONFIG}/a", {"metadata": {"managedFields": [{}]}})
    assert not forgotten.body["metadata"].get("managedFields")


async def test_a_selector_is_owned_as_a_whole_and_scaling_through_its_subresource(cluster: Cluster) -> None:
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0), fieldManager="first")
    assert made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:selector"] == {}
    await cluster.patch(f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 1}}, fieldManager="scaler")
    held = (await cluster.get(f"{DEPLOYMENTS}/web")).body
    (entry,) = [one for one in held["metadata"]["managedFields"] if one["manager"] == "scaler"]
    assert (entry["subresource"], entry["fieldsV1"]) == ("scale", {"f:spec": {"f:replicas": {}}})


async def test_a_patch_that_makes_no_object_is_shown(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0))

    async def refused(patch: object, kind: str = STRATEGIC_PATCH, **query: str) -> tuple[int, str]:
        answer = await cluster.patch(f"{DEPLOYMENTS}/web", patch, kind, **query)
        return answer.code, answer.body["message"]

    head = '"" is invalid: patch: Invalid value: '
    for spec, shown, text in (
        ({"replicas": "x"}, "replicas:x", "unrecognized type: int32"),
        ({"paused": "x"}, "paused:x", "unrecognized type: bool"),
        ({"strategy": "x"}, "strategy:x", "cannot restore struct from: string"),
    ):
        assert await refused({"spec": spec}) == (422, f' {head}"map[spec:map[{shown}]]": {text}')
    labels = {"spec": {"template": {"metadata": {"labels": ["x"]}}}}
    assert (await refused(labels))[1].endswith("cannot restore map from slice")
    code, text = await refused({"spec": {"nope": 1}}, fieldValidation="Strict")
    assert (code, text) == (422, f' {head}"map[spec:map[nope:1]]": strict decoding error: unknown field "spec.nope"')
    code, text = await refused({"spec": {"nope": 1}}, "application/merge-patch+json", fieldValidation="Strict")
    assert code == 422
    assert text.endswith('strict decoding error: unknown field "spec.nope"')
    code, text = await refused("nonsense")
    assert (code, text) == (400, "json: cannot unmarshal string into Go value of type map[string]interface {}")


async def test_a_scale_is_a_table_of_its_own(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0))
    table = (await cluster.get(f"{DEPLOYMENTS}/web/scale", accept=_TABLE)).body
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Desired", "Available", "Age"]
    assert table["rows"][0]["cells"][:3] == ["web", 0, 0]


async def test_an_ingress_shows_its_hosts(cluster: Cluster) -> None:
    where = "/apis/networking.k8s.io/v1/namespaces/{}/ingresses"
    back = {"service": {"name": "web", "port": {"number": 80}}}
    http = {"paths": [{"path": "/", "pathType": "Prefix", "backend": back}]}
    rules = [{"host": f"{name}.example", "http": http} for name in "abcd"]
    await cluster.made(where, {"metadata": {"name": "web"}, "spec": {"rules": rules}})
    row = (await cluster.get(where, accept=_TABLE)).body["rows"][0]["cells"]
    assert row[:5] == ["web", "<none>", "a.example,b.example,c.example + 1 more...", "", "80"]


async def test_the_reason_of_a_change_is_repeated_on_its_replica_set(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0))
    await cluster.until(SETS, lambda found: len(found["items"]) == 1)
    why = {"kubernetes.io/change-cause": "because"}
    await cluster.patch(f"{DEPLOYMENTS}/web", {"metadata": {"annotations": why}})
    await cluster.until(SETS, lambda found: why.items() <= found["items"][0]["metadata"]["annotations"].items())


async def test_statuses_count_pods_that_end(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 1))
    held = await cluster.until(f"{DEPLOYMENTS}/web", lambda found: found["status"].get("replicas") == 1)
    assert held["status"]["terminatingReplicas"] == 0
    sets = await cluster.until(SETS, lambda found: found["items"][0]["status"].get("observedGeneration"))
    assert sets["items"][0]["status"]["terminatingReplicas"] == 0


async def test_a_replication_controller_keeps_its_pods(cluster: Cluster) -> None:
    labels = {"app": "old"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec()}
    made = await cluster.made(
        _CONTROLLERS, {"metadata": {"name": "old"}, "spec": {"replicas": 2, "template": template}}
    )
    assert (made["spec"]["selector"], made["metadata"]["labels"]) == (labels, labels)
    pods = await cluster.until(PODS, lambda found: len(found["items"]) == 2)
    owner = pods["items"][0]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["controller"]) == ("ReplicationController", True)
    await cluster.patch(f"{_CONTROLLERS}/old/scale", {"spec": {"replicas": 1}})
    await cluster.until(PODS, lambda found: len(found["items"]) == 1)
    wrong = {"metadata": {"name": "x"}, "spec": {"selector": {"app": "other"}, "template": template}}
    assert (await cluster.post(_CONTROLLERS, wrong)).code == 422
    await cluster.delete(f"{_CONTROLLERS}/old", {"propagationPolicy": "Background"})
    await cluster.until(PODS, lambda found: not found["items"])


async def test_ports_of_a_slice_have_a_name_if_only_an_empty_one(cluster: Cluster) -> None:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    await cluster.made(_SERVICES, {"metadata": {"name": "web"}, "spec": spec})
    mine = {"labelSelector": "kubernetes.io/service-name=web"}
    found = await cluster.until(f"{_SLICES}?{urlencode(mine)}", lambda found: found["items"])
    assert all(port["name"] == "" for port in found["items"][0].get("ports") or ())
    port = {"port": 1}
    body = {"metadata": {"name": "own"}, "addressType": "IPv4", "endpoints": [], "ports": [port]}
    made = await cluster.made(_SLICES, body)
    assert made["ports"] == [{"name": "", "port": 1, "protocol": "TCP"}]


async def test_endpoints_are_deprecated(cluster: Cluster) -> None:
    answer = await cluster.get("/api/v1/namespaces/{}/endpoints")
    assert "v1 Endpoints is deprecated in v1.33+" in answer.headers["Warning"]


async def test_openapi_merges_lists_as_patches_do(cluster: Cluster) -> None:
    paths = ("api/v1", "apis/apps/v1", "apis/batch/v1")
    schemas: Json = {}
    for path in paths:
        document = (await cluster.get(f"/openapi/v3/{path}")).body
        (patch, *_) = [found["patch"] for found in document["paths"].values() if "patch" in found]
        assert "fieldValidation" in {one["name"] for one in patch["parameters"] if "name" in one}
        for name, found in document["components"]["schemas"].items():
            schemas[name.rpartition(".")[2]] = found.get("properties", {})
    checked = 0
    for (model, key), wanted in {**{k: v[0] for k, v in LIST_KEYS.items()}, **PATCH_ONLY_KEYS}.items():
        field = schemas.get(name_of(model).rpartition(".")[2], {}).get(key)
        if field is None or wanted == SET:
            continue
        # lists that only server-side apply merges have no key for patches in the genuine document
        if "x-kubernetes-patch-merge-key" in field:
            assert field["x-kubernetes-patch-merge-key"] == wanted, (model, key)
            assert "merge" in field["x-kubernetes-patch-strategy"]
            checked += 1
    assert checked > 20
    assert schemas["DeploymentSpec"]["strategy"]["x-kubernetes-patch-strategy"] == "retainKeys"
    assert schemas["PodSpec"]["volumes"]["x-kubernetes-patch-strategy"] == "merge,retainKeys"
