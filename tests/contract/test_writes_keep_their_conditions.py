"""Conflicts, preconditions, dry runs and refusals, as clients that guard their writes rely on them."""

import pytest

from .raw import CONFIG, DEPLOYMENTS, JSON_PATCH, MERGE_PATCH, PODS, STRATEGIC_PATCH, Cluster, config, deployment, pod


async def test_a_stale_resource_version_is_a_conflict(cluster: Cluster) -> None:
    made = await cluster.made(CONFIG, config("a", x="1"))
    assert (await cluster.patch(CONFIG + "/a", {"data": {"x": "2"}})).code == 200
    answer = await cluster.put(CONFIG + "/a", made | {"data": {"x": "3"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}
    assert "the object has been modified" in answer.body["message"]
    assert (await cluster.get(CONFIG + "/a")).body["data"] == {"x": "2"}


@pytest.mark.parametrize("kind", [MERGE_PATCH, STRATEGIC_PATCH])
async def test_a_patch_may_name_the_version_and_the_uid_it_is_meant_for(cluster: Cluster, kind: str) -> None:
    """A stale version is a conflict, but another uid is *invalid*: a uid can't be changed."""
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0))
    stale = await cluster.patch(
        DEPLOYMENTS + "/web", {"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}, kind
    )
    assert (stale.code, stale.reason) == (409, "Conflict"), stale.body
    nobody = "00000000-0000-0000-0000-000000000000"
    other = await cluster.patch(DEPLOYMENTS + "/web", {"metadata": {"uid": nobody, "labels": {"a": "b"}}}, kind)
    assert (other.code, other.reason) == (422, "Invalid"), other.body
    assert {cause["field"] for cause in other.causes} == {"metadata.uid"}
    put = await cluster.put(DEPLOYMENTS + "/web", deployment("web", 0) | {"metadata": {"name": "web", "uid": nobody}})
    assert (put.code, put.reason) == (409, "Conflict")
    assert "labels" not in (await cluster.get(DEPLOYMENTS + "/web")).body["metadata"]
    same = {"metadata": {"uid": made["metadata"]["uid"], "labels": {"a": "b"}}}
    assert (await cluster.patch(DEPLOYMENTS + "/web", same, kind)).code == 200


@pytest.mark.parametrize("field", ["resourceVersion", "uid"])
async def test_a_deletion_with_a_wrong_precondition_is_a_conflict(cluster: Cluster, field: str) -> None:
    made = await cluster.made(PODS, pod("p"))
    wrong = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {field: "1"}}
    answer = await cluster.delete(PODS + "/p", wrong)
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.body["details"] == {"name": "p", "kind": "Pod"}
    assert "in the precondition (1) does not match" in answer.body["message"]
    uid = {"preconditions": {"uid": made["metadata"]["uid"]}, "gracePeriodSeconds": 0}
    assert (await cluster.delete(PODS + "/p", uid)).code == 200
    assert (await cluster.get(PODS + "/p")).code == 404


async def test_a_dry_run_validates_and_stores_nothing(cluster: Cluster) -> None:
    answer = await cluster.post(CONFIG, config("a"), dryRun="All")
    assert answer.code == 201
    assert answer.body["metadata"]["uid"]
    assert (await cluster.get(CONFIG + "/a")).code == 404
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0))
    patched = await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"replicas": 7}}, dryRun="All")
    assert (patched.code, patched.body["spec"]["replicas"]) == (200, 7)
    held = (await cluster.get(DEPLOYMENTS + "/web")).body
    assert held["spec"]["replicas"] == 0
    assert held["metadata"]["generation"] == made["metadata"]["generation"]
    assert (await cluster.delete(DEPLOYMENTS + "/web", dryRun="All")).code == 200
    said = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
    assert (await cluster.delete(DEPLOYMENTS + "/web", said)).code == 200
    assert (await cluster.get(DEPLOYMENTS + "/web")).code == 200
    bad = await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"replicas": -1}}, dryRun="All")
    assert (bad.code, bad.reason) == (422, "Invalid")


async def test_an_unknown_dry_run_is_refused(cluster: Cluster) -> None:
    answer = await cluster.post(CONFIG, config("a"), dryRun="Some")
    assert (answer.code, answer.reason) == (422, "Invalid")


async def test_names_that_exist_or_do_not(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a"))
    twice = await cluster.post(CONFIG, config("a"))
    assert (twice.code, twice.reason) == (409, "AlreadyExists")
    assert twice.body["details"] == {"name": "a", "kind": "configmaps"}
    missing = await cluster.get(DEPLOYMENTS + "/nope")
    assert (missing.code, missing.reason) == (404, "NotFound")
    assert missing.body["details"] == {"name": "nope", "group": "apps", "kind": "deployments"}
    assert missing.body["message"] == 'deployments.apps "nope" not found'
    nowhere = await cluster.post("/api/v1/namespaces/not-there/configmaps", config("a"))
    assert (nowhere.code, nowhere.reason) == (404, "NotFound")
    assert (await cluster.get("/apis/apps/v1/namespaces/{}/nonsense")).code == 404


async def test_generated_names_extend_their_stem(cluster: Cluster) -> None:
    made = await cluster.made(CONFIG, {"metadata": {"generateName": "log-"}})
    assert made["metadata"]["name"].startswith("log-")
    assert len(made["metadata"]["name"]) == len("log-") + 5


INVALID = [
    ("name", lambda body: body["metadata"].update(name="Not_Valid"), "metadata.name"),
    ("selector", lambda body: body["spec"].pop("selector"), "spec.selector"),
    ("labels", lambda body: body["spec"]["selector"].update(matchLabels={"app": "x"}), "spec.template.metadata.labels"),
    (
        "image",
        lambda body: body["spec"]["template"]["spec"]["containers"][0].pop("image"),
        "spec.template.spec.containers[0].image",
    ),
    ("containers", lambda body: body["spec"]["template"]["spec"].pop("containers"), "spec.template.spec.containers"),
    (
        "restart",
        lambda body: body["spec"]["template"]["spec"].update(restartPolicy="Never"),
        "spec.template.spec.restartPolicy",
    ),
    ("replicas", lambda body: body["spec"].update(replicas=-1), "spec.replicas"),
]


@pytest.mark.parametrize(("change", "field"), [item[1:] for item in INVALID], ids=[item[0] for item in INVALID])
async def test_what_is_wrong_is_named_by_its_field(cluster: Cluster, change: object, field: str) -> None:
    body = deployment("web")
    change(body)  # type: ignore[operator]
    answer = await cluster.post(DEPLOYMENTS, body)
    assert (answer.code, answer.reason) == (422, "Invalid"), answer.body
    assert field in [cause["field"] for cause in answer.causes], answer.causes
    assert answer.body["details"]["kind"] == "Deployment"


async def test_requests_above_limits_are_refused(cluster: Cluster) -> None:
    body = deployment("web")
    resources = {"limits": {"memory": "64Mi"}, "requests": {"memory": "128Mi"}}
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = resources
    answer = await cluster.post(DEPLOYMENTS, body)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0]["field"] == "spec.template.spec.containers[0].resources.requests"


async def test_a_bad_quantity_or_type_is_a_bad_request(cluster: Cluster) -> None:
    body = deployment("web")
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": {"memory": "lots"}}
    answer = await cluster.post(DEPLOYMENTS, body)
    assert (answer.code, answer.reason) == (400, "BadRequest")
    answer = await cluster.post(DEPLOYMENTS, deployment("web") | {"spec": {"replicas": "two"}})
    assert (answer.code, answer.reason) == (400, "BadRequest")
    await cluster.made(DEPLOYMENTS, deployment("web", 0))
    answer = await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"replicas": "two"}})
    assert (answer.code, answer.reason) in ((422, "Invalid"), (400, "BadRequest"))


async def test_a_selector_is_immutable(cluster: Cluster) -> None:
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0))
    del made["metadata"]["resourceVersion"]
    made["spec"]["selector"]["matchLabels"]["more"] = "x"
    made["spec"]["template"]["metadata"]["labels"]["more"] = "x"
    answer = await cluster.put(DEPLOYMENTS + "/web", made)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0]["field"] == "spec.selector"


async def test_a_pods_spec_is_immutable_but_for_its_images(cluster: Cluster) -> None:
    await cluster.made(PODS, pod("p"))
    image = {"spec": {"containers": [{"name": "web", "image": "registry.example/web:2.0"}]}}
    assert (await cluster.patch(PODS + "/p", image, STRATEGIC_PATCH)).code == 200
    command = {"spec": {"containers": [{"name": "web", "command": ["sh"]}]}}
    answer = await cluster.patch(PODS + "/p", command, STRATEGIC_PATCH)
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0] | {"message": ""} == {"reason": "FieldValueForbidden", "field": "spec", "message": ""}


async def test_unknown_fields_vanish_or_are_refused_when_asked(cluster: Cluster) -> None:
    body = config("a") | {"nonsense": 1}
    assert (await cluster.post(CONFIG, body, fieldValidation="Strict")).code == 400
    made = await cluster.post(CONFIG, body)
    assert made.code == 201
    assert "nonsense" not in made.body
    assert 'unknown field "nonsense"' in made.headers["Warning"].replace("\\", "")


async def test_status_and_spec_are_written_apart(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0) | {"status": {"replicas": 9}})
    held = (await cluster.get(DEPLOYMENTS + "/web")).body
    assert held["status"].get("replicas", 0) == 0
    both = {"spec": {"replicas": 3}, "status": {"conditions": []}}
    answer = await cluster.patch(DEPLOYMENTS + "/web/status", both)
    assert (answer.code, answer.body["spec"]["replicas"]) == (200, 0)


async def test_generation_counts_changes_of_the_spec_only(cluster: Cluster) -> None:
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0))
    assert made["metadata"]["generation"] == 1
    labelled = await cluster.patch(DEPLOYMENTS + "/web", {"metadata": {"labels": {"a": "b"}}})
    assert labelled.body["metadata"]["generation"] == 1
    scaled = await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"paused": True}})
    assert scaled.body["metadata"]["generation"] == 2


async def test_a_write_that_changes_nothing_has_no_new_version(cluster: Cluster) -> None:
    made = await cluster.made(CONFIG, config("a", x="1"))
    same = await cluster.patch(CONFIG + "/a", {"data": {"x": "1"}})
    assert same.body["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_json_patches_test_before_they_write(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a", x="1"))
    wrong = [{"op": "test", "path": "/data/x", "value": "2"}, {"op": "replace", "path": "/data/x", "value": "3"}]
    answer = await cluster.patch(CONFIG + "/a", wrong, JSON_PATCH)
    assert (answer.code, answer.reason) == (422, "Invalid")
    right = [{"op": "test", "path": "/data/x", "value": "1"}, {"op": "add", "path": "/data/y", "value": "2"}]
    answer = await cluster.patch(CONFIG + "/a", right, JSON_PATCH)
    assert answer.body["data"] == {"x": "1", "y": "2"}
    removed = await cluster.patch(CONFIG + "/a", [{"op": "remove", "path": "/data/none"}], JSON_PATCH)
    assert (removed.code, removed.reason) == (422, "Invalid")


async def test_merge_patches_replace_lists_and_strategic_ones_merge_them(cluster: Cluster) -> None:
    body = deployment("web", 0)
    containers = body["spec"]["template"]["spec"]["containers"]
    containers[0]["env"] = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    containers.append({"name": "side", "image": "side:1"})
    await cluster.made(DEPLOYMENTS, body)
    change = {"name": "web", "env": [{"name": "B", "value": "3"}, {"name": "A", "$patch": "delete"}]}
    patch = {"spec": {"template": {"spec": {"containers": [change]}}}}
    answer = await cluster.patch(DEPLOYMENTS + "/web", patch, STRATEGIC_PATCH)
    assert answer.code == 200, answer.body
    found = answer.body["spec"]["template"]["spec"]["containers"]
    assert [item["name"] for item in found] == ["web", "side"]
    assert found[0]["env"] == [{"name": "B", "value": "3"}]
    only = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "w:2"}]}}}}
    answer = await cluster.patch(DEPLOYMENTS + "/web", only)
    assert [item["image"] for item in answer.body["spec"]["template"]["spec"]["containers"]] == ["w:2"]


async def test_an_unknown_patch_type_is_unsupported(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a"))
    answer = await cluster.patch(CONFIG + "/a", {}, "application/json")
    assert (answer.code, answer.reason) == (415, "UnsupportedMediaType")


async def test_finalizers_hold_a_deleted_object(cluster: Cluster) -> None:
    body = config("a")
    body["metadata"]["finalizers"] = ["example.com/hold"]
    await cluster.made(CONFIG, body)
    answer = await cluster.delete(CONFIG + "/a")
    assert answer.code == 200
    held = (await cluster.get(CONFIG + "/a")).body
    assert held["metadata"]["deletionTimestamp"]
    assert (await cluster.patch(CONFIG + "/a", {"metadata": {"finalizers": None}})).code == 200
    assert (await cluster.get(CONFIG + "/a")).code == 404


async def test_values_people_did_not_write_are_filled_in(cluster: Cluster) -> None:
    made = await cluster.made(DEPLOYMENTS, deployment("web", 0))
    spec = made["spec"]
    assert (spec["progressDeadlineSeconds"], spec["revisionHistoryLimit"]) == (600, 10)
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    template = spec["template"]["spec"]
    expected = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
    }
    assert {key: value for key, value in template.items() if key != "containers"} == expected
    assert template["containers"] == [
        {
            "name": "web",
            "image": "registry.example/web:1.0",
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "IfNotPresent",
        }
    ]


async def test_quantities_are_spelled_canonically(cluster: Cluster) -> None:
    body = deployment("web", 0)
    limits = {"cpu": "0.5", "memory": "1024Mi"}
    body["spec"]["template"]["spec"]["containers"][0]["resources"] = {"limits": limits, "requests": {"cpu": 0.25}}
    made = await cluster.made(DEPLOYMENTS, body)
    found = made["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert found == {"limits": {"cpu": "500m", "memory": "1Gi"}, "requests": {"cpu": "250m"}}


async def test_managed_fields_say_who_changed_what(cluster: Cluster) -> None:
    await cluster.made(DEPLOYMENTS, deployment("web", 0), agent="kubectl/v1.36")
    await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"minReadySeconds": 3}}, fieldManager="kubernaut")
    entries = (await cluster.get(DEPLOYMENTS + "/web")).body["metadata"]["managedFields"]
    by_manager = {item["manager"]: item for item in entries if not item.get("subresource")}
    assert by_manager["kubernaut"]["operation"] == "Update"
    assert by_manager["kubernaut"]["fieldsV1"] == {"f:spec": {"f:minReadySeconds": {}}}
    spec = by_manager["kubectl"]["fieldsV1"]["f:spec"]
    containers = spec["f:template"]["f:spec"]["f:containers"]
    assert 'k:{"name":"web"}' in containers
    assert "f:image" in containers['k:{"name":"web"}']
    assert "f:minReadySeconds" not in spec


async def test_server_side_apply_names_the_manager_it_conflicts_with(cluster: Cluster) -> None:
    body = deployment("web", 0)
    first = await cluster.patch(DEPLOYMENTS + "/web", body, "application/apply-patch+yaml", fieldManager="argocd")
    assert first.code == 201
    await cluster.patch(DEPLOYMENTS + "/web", {"spec": {"replicas": 1}}, fieldManager="kubernaut")
    answer = await cluster.patch(DEPLOYMENTS + "/web", body, "application/apply-patch+yaml", fieldManager="argocd")
    assert (answer.code, answer.reason) == (409, "Conflict"), answer.body
    assert [cause["reason"] for cause in answer.causes] == ["FieldManagerConflict"]
    assert answer.causes[0]["field"] == ".spec.replicas"
    assert "kubernaut" in answer.causes[0]["message"]
    forced = await cluster.patch(
        DEPLOYMENTS + "/web", body, "application/apply-patch+yaml", fieldManager="argocd", force="true"
    )
    assert (forced.code, forced.body["spec"]["replicas"]) == (200, 0)
    body["spec"]["paused"] = True
    await cluster.patch(DEPLOYMENTS + "/web", body, "application/apply-patch+yaml", fieldManager="argocd")
    del body["spec"]["paused"]
    dropped = await cluster.patch(DEPLOYMENTS + "/web", body, "application/apply-patch+yaml", fieldManager="argocd")
    assert "paused" not in dropped.body["spec"]
