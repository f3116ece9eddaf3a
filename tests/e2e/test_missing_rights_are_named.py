"""On a genuine API server: a right that is missing is named before anything is written, and Secrets stay closed."""

import pytest
import yaml

from kubernaut.lab.genuine import GenuineWorld

from .conftest import RBAC
from .incident import Incidents

pytestmark = [pytest.mark.genuine, pytest.mark.asyncio(loop_scope="session")]


async def test_the_missing_right_is_named_and_nothing_is_written(incidents: Incidents, world: GenuineWorld) -> None:
    documents = list(yaml.safe_load_all(RBAC.read_text("utf-8")))
    role = next(d for d in documents if d["kind"] == "ClusterRole")
    rules = [r for r in role["rules"] if not (r["resources"] == ["nodes"] and r["verbs"] == ["patch"])]
    assert len(rules) == len(role["rules"]) - 1
    role |= {"metadata": {"name": "no-cordon"}, "rules": rules}
    await world.control_plane.kubectl("apply", "-f", "-", input=yaml.safe_dump(role))
    await world.control_plane.grant("outsider", "no-cordon")
    scenario = await incidents.broken(3)
    engineer = await incidents.fired(scenario, await incidents.daemon(user="outsider"))
    document = await engineer.ended()
    assert document["phase"] == "Escalated"
    assert "lacks a permission: RBAC does not let kubernaut patch nodes" in document["tracks"][0]["reason"]
    assert incidents.mutations(user="outsider") == []


@pytest.mark.parametrize("verb", ["get", "list", "watch"])
async def test_secrets_are_closed(world: GenuineWorld, verb: str) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "resource": "secrets", "namespace": "argocd"}},
    }
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, body = await world.control_plane.request("POST", path, review, user="kubernaut")
    assert status == 201
    assert b'"allowed":false' in body
    status, _ = await world.control_plane.request("GET", "/api/v1/namespaces/argocd/secrets", user="kubernaut")
    assert status == 403


async def test_nothing_that_is_watched_is_forbidden(incidents: Incidents) -> None:
    daemon = await incidents.daemon()
    async with daemon.client() as client:
        (cluster,) = (await client.get("/v1/clusters"))["items"]
    assert (cluster["state"], cluster["reason"]) == ("LIVE", "")


async def test_a_drain_that_was_rejected_is_not_done(incidents: Incidents) -> None:
    before = len(incidents.mutations())
    engineer = await incidents.fired(await incidents.broken(11), await incidents.daemon())
    await engineer.vote(await engineer.asked(), "reject", "not tonight")
    assert (await engineer.ended())["phase"] == "Rejected"
    assert incidents.mutations(before) == []
