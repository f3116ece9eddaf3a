"""Every path answers in the documented shape; whatever is asked wrongly is named by its field."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cli.shell import kubernaut
from gateway.house import CLUSTER, House, alert, me, payload

from kubernaut.adapters.rego.samples import sample
from kubernaut.adapters.rego.shipped import shipped_policies
from kubernaut.domain.journal import JournalDraft
from kubernaut.domain.policy import Decision
from kubernaut.ports import Change

from .seeds import target, waiting


async def test_status_tells_who_and_what(home: House) -> None:
    await waiting(home)
    status, answer = await home.ask("GET", "/v1/status")
    assert status == 200
    assert answer["me"]["name"] == me()
    assert answer["mode"] == {"armed": False, "until": None, "reason": ""}
    assert (answer["counts"]["needs_you"], answer["counts"]["active"], answer["counts"]["total"]) == (1, 1, 1)
    assert [c["name"] for c in answer["clusters"]] == [CLUSTER]
    assert answer["journal_seq"] == await home.running.store.last_seq()
    assert datetime.fromisoformat(answer["time"]).utcoffset() is not None


async def test_a_row_is_light_and_a_whole_has_its_timeline(home: House) -> None:
    await waiting(home)
    _, page = await home.ask("GET", "/v1/remediations")
    [row] = page["items"]
    _, whole = await home.ask("GET", "/v1/remediations/rr-aaaaaa")
    assert "timeline" not in row
    assert row["story"]
    assert whole["timeline"][0]["message"] == "opened"
    assert whole["tracks"][0]["plan"]["steps"][0]["parameters"] == {}
    assert (row["needs_you"], row["target"]) == (True, {"kind": "Deployment", "namespace": "shop", "name": "checkout"})


async def test_pages_hold_what_was_asked_for(home: House) -> None:
    await home.post(payload(*(alert(n) for n in range(30))))
    seen: list[str] = []
    for offset in (0, 12, 24, 36):
        _, page = await home.ask("GET", "/v1/remediations", limit="12", offset=str(offset))
        assert page["total"] == 30
        seen += [item["target"]["name"] for item in page["items"]]
    assert sorted(seen) == sorted(f"web-{n}" for n in range(30))
    ids = [item["id"] for item in (await home.ask("GET", "/v1/remediations", limit="2"))[1]["items"]]
    _, two = await home.ask("GET", "/v1/remediations", ids=",".join(ids))
    assert sorted(item["id"] for item in two["items"]) == sorted(ids)
    assert (await home.ask("GET", "/v1/remediations", text="web-7"))[1]["total"] == 1
    assert (await home.ask("GET", "/v1/remediations", cluster="elsewhere"))[1]["items"] == []


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "0"}, "limit"), ({"limit": "501"}, "limit"), ({"limit": "many"}, "limit"), ({"offset": "-1"}, "offset"),
        ({"offset": "1e3"}, "offset"), ({"phase": "Nowhere"}, "phase"), ({"needs_you": "1"}, "needs_you"),
        ({"active": ""}, "active"), ({"faults": "TRUE"}, "faults"), ({"clutser": "x"}, "clutser"),
        ({"\x1b[31m": "x"}, "\x1b[31m"),
    ],
)  # fmt: skip
async def test_wrong_parameters_are_named(home: House, params: dict[str, str], field: str) -> None:
    status, answer = await home.ask("GET", "/v1/remediations", **params)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, "bad_input", field)


async def test_wrong_parameters_of_approvals_are_named(home: House) -> None:
    assert (await home.ask("GET", "/v1/approvals", pending="yes"))[1]["error"]["field"] == "pending"
    assert (await home.ask("GET", "/v1/approvals", remedation="rr-1"))[1]["error"]["field"] == "remedation"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"), ("GET", "/v1", 404, "not_found"), ("GET", "/v2/status", 404, "not_found"),
        ("PUT", "/v1/status", 405, "bad_input"), ("POST", "/v1/remediations", 405, "bad_input"),
        ("DELETE", "/v1/remediations/rr-aaaaaa", 405, "bad_input"),
        ("GET", "/v1/remediations/rr-zzzzzz", 404, "not_found"), ("GET", "/v1/remediations/..%2f..%2fetc", 404, "not_found"),
        ("GET", "/v1/remediations/rr-zzzzzz/diff", 404, "not_found"), ("GET", "/v1/approvals/ap-none", 404, "not_found"),
        ("GET", "/v1/pulls/shop/1", 404, "not_found"), ("GET", "/v1/pulls/shop/one", 400, "bad_input"),
        ("POST", "/v1/remediations/rr-zzzzzz/cancel", 404, "not_found"),
    ],
)  # fmt: skip
async def test_what_is_not_there_is_told_in_json(home: House, method: str, path: str, status: int, code: str) -> None:
    got, answer = await home.ask(method, path, {"reason": "x"} if method == "POST" else None)
    assert (got, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'"x"', b"1" * 10, b"[" * 50_000])
async def test_a_body_that_is_no_object_is_bad_input(home: House, body: bytes) -> None:
    async with home.api.post("http://kubernaut/v1/arm", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "bad_input"


async def test_a_body_that_is_too_large_is_refused(home: House) -> None:
    body = io.BytesIO(b'{"reason": "' + b"x" * 1_100_000 + b'"}')
    async with home.api.post("http://kubernaut/v1/arm", data=body) as response:
        assert response.status == 413
    status, answer = await home.ask("POST", "/v1/arm", {"reason": "x" * 501})
    assert (status, answer["error"]["field"]) == (400, "reason")


async def test_the_live_object_is_shown_as_yaml(home: House) -> None:
    await waiting(home)
    status, answer = await home.ask("GET", "/v1/remediations/rr-aaaaaa/yaml")
    assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_logs_of_init_containers_are_shown_too(home: House) -> None:
    """A pod that hangs in its initialisation has no others."""
    await home.create("namespaces", {"kind": "Namespace", "metadata": {"name": "shop"}})
    image = {"image": "registry.example/web:1"}
    await home.create("nodes", {"kind": "Node", "metadata": {"name": "n1"}})
    containers = {"initContainers": [{"name": "migrate", **image}], "containers": [{"name": "app", **image}]}
    pod = {"kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": {"nodeName": "n1", **containers}}
    await home.create("pods", pod, namespace="shop")
    await home.until_cached("Pod", "web-1", "shop")
    assert (await home.post(payload(alert(1))))[0] == 200
    status, answer = await home.ask("GET", f"/v1/remediations/{(await home.only()).id}/logs")
    assert status == 200
    assert [row["container"] for row in answer["logs"]] == ["migrate", "app"], "each says at least why it has none"


async def test_a_cluster_that_left_the_configuration_is_told(home: House) -> None:
    await waiting(home, cluster="gone")
    for what in ("yaml", "logs"):
        status, answer = await home.ask("GET", f"/v1/remediations/rr-aaaaaa/{what}")
        assert (status, answer["error"]["code"]) == (404, "not_found")
        assert "gone" in answer["error"]["message"]
    assert (await home.ask("GET", "/v1/remediations/rr-aaaaaa"))[0] == 200


def _signal(**changes: Any) -> dict[str, Any]:
    ref = target()
    return {"cluster": CLUSTER, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name} | changes


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"kind": ""}, 400, "kind"), ({"kind": "Deploy"}, 400, "kind"), ({"name": ""}, 400, "name"),
        ({"name": "a/b"}, 400, "name"),
        ({"name": "../x"}, 400, "name"), ({"namespace": ""}, 400, "namespace"), ({"namespace": "A"}, 400, "namespace"),
        ({"severity": "loud"}, 400, "severity"), ({"failure_class": "a b\n"}, 400, "failure_class"),
        ({"cluster": "nowhere"}, 400, "cluster"), ({"summary": "x" * 1001}, 400, "summary"), ({"name": 5}, 400, "name"),
        ({}, 404, ""),
    ],
)  # fmt: skip
async def test_a_signal_by_hand_names_something_that_exists(
    home: House, changes: dict[str, Any], status: int, field: str
) -> None:
    got, answer = await home.ask("POST", "/v1/signals", _signal(**changes))
    assert (got, answer["error"]["field"]) == (status, field)
    assert await home.all() == []


async def test_a_signal_by_hand_has_its_requester(home: House) -> None:
    status, answer = await home.ask(
        "POST",
        "/v1/signals",
        {"kind": "Namespace", "name": "default", "severity": "critical", "summary": "token=abcdefghijklmnop"},
    )
    assert (status, answer["outcome"]) == (201, "opened")
    item = await home.only()
    assert (item.signal.requester, item.signal.severity, item.id) == (me(), "critical", answer["remediation_id"])
    assert "abcdefghijklmnop" not in str(item.signal.annotations)


async def test_approvals_come_in_pages(home: House) -> None:
    for number in range(3):
        await waiting(home, f"rr-aaaaa{number}", f"w{number}")
    _, page = await home.ask("GET", "/v1/approvals", limit="2")
    assert (len(page["items"]), page["total"]) == (2, 3)
    status, answer = await home.ask("GET", "/v1/approvals", limit="501")
    assert (status, answer["error"]["field"]) == (400, "limit")


async def test_who_saw_an_older_state_does_not_stop_the_newer_one(home: House) -> None:
    await waiting(home)
    version = (await home.only()).version
    for wrong, status in ((version + 1, 409), ("1", 400), (True, 400)):
        for what in ("cancel", "escalate"):
            body = {"reason": "x", "version": wrong}
            assert (await home.ask("POST", f"/v1/remediations/rr-aaaaaa/{what}", body))[0] == status
    body = {"reason": "x", "version": version}
    assert (await home.ask("POST", "/v1/remediations/rr-aaaaaa/cancel", body))[0] == 200


@pytest.mark.parametrize("text", ["1_0", " 5", "+5", "\u0663", "5.0", "1e2", "", "9" * 400])
async def test_a_number_is_written_in_digits(home: House, text: str) -> None:
    status, answer = await home.ask("GET", "/v1/remediations", limit=text)
    assert (status, answer["error"]["field"]) == (400, "limit")
    assert len(answer["error"]["message"]) < 100


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/", 404, "docs/api.md"), ("GET", "/v1/status/", 404, "docs/api.md"),
        ("POST", "/v1/status", 405, "takes GET, HEAD only"), ("GET", "/v1/arm", 405, "takes DELETE, POST only"),
    ],
)  # fmt: skip
async def test_a_wrong_door_is_told(home: House, method: str, path: str, status: int, says: str) -> None:
    async with home.api.request(method, f"http://kubernaut{path}") as response:
        assert response.status == status
        assert says in (await response.json())["error"]["message"]
        assert ("Allow" in response.headers) is (status == 405)


async def test_a_body_that_is_too_large_is_told_how_large_it_may_be(home: House) -> None:
    async with home.api.post("http://kubernaut/v1/arm", data=io.BytesIO(b"x" * 1_100_000)) as response:
        assert response.status == 413
        assert "1048576 bytes" in (await response.json())["error"]["message"]


async def test_what_policy_said_is_explained_by_the_policies_of_now(home: House) -> None:
    await waiting(home)
    status, answer = await home.ask("GET", "/v1/remediations/rr-aaaaaa/policy")
    assert (status, answer["items"]) == (200, [])
    request = sample()
    said = Decision.fail_closed("older policies said so").to_document()
    data = {"rule": "old", "revision": "0123456789ab", "request": request, "decision": said}
    note = JournalDraft(datetime.now(UTC), "policy", "a person", remediation_id="rr-aaaaaa", data=data)
    await home.running.store.commit(Change(journal=(note,)))
    _, answer = await home.ask("GET", "/v1/remediations/rr-aaaaaa/policy")
    [item] = answer["items"]
    assert (item["request"], item["recorded"], item["revision"]) == (request, said, "0123456789ab")
    assert item["now"]["decision"]["rule"] == "low_risk"
    assert {"field": "freeze", "value": False} in item["now"]["because"]
    assert answer["policy_revision"] == (await home.ask("GET", "/v1/status"))[1]["policy_revision"]
    assert (await home.ask("GET", "/v1/remediations/rr-zzzzzz/policy"))[0] == 404
    told = await kubernaut(home, "policy", "explain", "rr-aaaaaa")
    assert told.status == 0, told
    for words in (
        "ASKED      restart-deployment shop/web",
        "THEN       manual-approval-required, rule fail-closed",
        "low_risk",
    ):
        assert words in told.out
    told = await kubernaut(home, "policy", "explain", "rr-aaaaaa", "--policies", str(shipped_policies()), "-o", "json")
    assert json.loads(told.out)["items"][0]["now"]["decision"]["rule"] == "low_risk"
    assert (await kubernaut(home, "policy", "explain", "rr-zzzzzz")).status == 4
    assert (await kubernaut(None, "policy", "explain", "rr-aaaaaa", cwd=str(home.settings.state_dir))).status == 5
