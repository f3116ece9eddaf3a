"""Whatever is posted, the answer says what is wrong, and the next good alert is taken."""

import asyncio
import gc
import json
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from .house import TOKEN, House, alert, payload


async def _still_works(home: House) -> None:
    assert (await home.post(payload(alert(99))))[0] == 200
    assert "web-99" in {item.target.name for item in await home.all()}


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        (b"", "", "not JSON"),
        (b"{", "", "not JSON"),
        (b"\xff\xfe{}", "", "not JSON"),
        (b'{"version": "4", "alerts": [] ', "", "not JSON"),
        (b"null", "", "object"),
        (b"[]", "", "object"),
        (b'"4"', "", "object"),
        (b"[" * 100_000, "", "object"),
        (b'{"version": "4", "alerts": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "", "not JSON"),
        (b'{"alerts": []}', "version", "missing"),
        (b'{"version": "3", "alerts": []}', "version", "'3'"),
        (b'{"version": 4, "alerts": []}', "version", "str"),
        (b'{"version": null, "alerts": []}', "version", "str"),
        (b'{"version": "4"}', "alerts", "missing"),
        (b'{"version": "4", "alerts": {}}', "alerts", "array"),
        (b'{"version": "4", "alerts": null}', "alerts", "array"),
        (b'{"version": "4", "alerts": [], "truncatedAlerts": "x"}', "truncatedAlerts", "int"),
    ],
)
async def test_a_body_that_is_no_notification_is_refused_for_good(
    home: House, body: bytes, field: str, says: str
) -> None:
    status, answer = await home.post(body)
    assert status == 400
    assert answer["error"]["field"] == field
    assert says in answer["error"]["message"]
    await _still_works(home)


async def test_a_body_above_the_cap_is_refused_however_it_is_sent(home: House) -> None:
    large = b'{"version": "4", "alerts": [' + b" " * (8 * 1024 * 1024) + b"]}"
    status, answer = await home.post(large)
    assert status == 413
    assert "gateway.max_body_bytes" in answer["error"]["message"]

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 256 * 1024):
            yield large[start : start + 256 * 1024]

    status, answer = await home.post(chunks())
    assert status == 413
    await _still_works(home)


async def test_a_body_just_below_the_cap_is_taken(home: House) -> None:
    body = json.dumps(payload(alert(1))).encode()
    assert (await home.post(body + b" " * (8 * 1024 * 1024 - len(body))))[0] == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"labels": {f"label_{n}": "x" for n in range(100_000)}}, "labels"),
        ({"startsAt": "9" * 100_000}, "startsAt"),
        ({"startsAt": "2026-13-45T00:00:00Z"}, "startsAt"),
        ({"startsAt": "0000-00-00T00:00:00Z"}, "startsAt"),
        ({"startsAt": ""}, "startsAt"),
        ({"startsAt": None}, "startsAt"),
        ({"startsAt": 10**400}, "startsAt"),
        ({"endsAt": "soon", "status": "resolved"}, "endsAt"),
        ({"status": 10**5}, "status"),
        ({"status": "FIRING"}, "status"),
        ({"labels": {"severity": ["x"]}}, "labels"),
        ({"annotations": {"deep": [[[[]]]]}}, "annotations"),
    ],
)
async def test_an_alert_that_can_not_be_is_refused_by_its_field(
    home: House, change: dict[str, object], field: str
) -> None:
    status, answer = await home.post(payload(alert(1, **change), alert(2)))
    assert status == 200
    assert answer["taken"] == 1
    [rejected] = answer["rejected"]
    assert rejected["index"] == 0
    assert rejected["field"].startswith(f"alerts[0].{field}")
    assert len(json.dumps(answer)) < 2000


async def test_when_no_alert_could_be_read_the_whole_is_bad(home: House) -> None:
    status, answer = await home.post(payload(alert(1, status="maybe")))
    assert status == 400
    assert answer["rejected"][0]["field"] == "alerts[0].status"


async def test_a_megabyte_in_a_label_is_cut(home: House) -> None:
    await home.post(payload(alert(1, labels={"blob": "b" * 1_000_000}, annotations={"summary": "s" * 1_000_000})))
    item = await home.only()
    assert len(item.signal.labels["blob"]) <= 1024
    assert len(item.signal.annotations["summary"]) <= 1024


async def test_a_password_that_the_cut_would_go_through_is_no_less_one(home: House) -> None:
    said = "x" * (1024 - len(" https://user:hunter2")) + " https://user:hunter2@host/"
    await home.post(payload(alert(1, labels={"where": said}, annotations={"summary": said})))
    item = await home.only()
    assert "hunter2" not in item.signal.labels["where"] + item.signal.annotations["summary"]
    assert max(len(item.signal.labels["where"]), len(item.signal.annotations["summary"])) <= 1024


async def test_what_was_sent_at_length_is_not_kept_in_memory(home: House) -> None:
    """Texts that repeat are remembered as they are kept, not as they were sent."""
    tracemalloc.start()
    try:
        for number in range(8):
            body = {"kind": "Deployment", "name": "web", "namespace": "shop", "summary": f"{number}" + "s" * 4_000_000}
            assert (await home.post(json.dumps(body).encode(), path="/v1/signals"))[0] == 200
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 16_000_000
    finally:
        tracemalloc.stop()


async def test_names_that_no_object_can_have_name_no_target(home: House) -> None:
    """A cluster would refuse them, too; none of them may reach a path, a command or a terminal."""
    for number, pod in enumerate(
        ("../../secrets/x", "a/b", "web 1", "web\n1", "x" * 300, "\x1b[31mred", "WEB", "-web", "a%2fb")
    ):
        _, answer = await home.post(payload(alert(number, labels={"pod": pod})))
        assert answer["outcomes"] == {"ignored": 1}, pod
    _, answer = await home.post(payload(alert(50, labels={"namespace": "../kube-system"})))
    assert answer["outcomes"] == {"ignored": 1}
    assert await home.all() == []


async def test_the_last_of_duplicate_keys_holds(home: House) -> None:
    """As every JSON reader does; what matters is that one value is used throughout."""
    text = json.dumps(payload(alert(1))).replace(
        '"status": "firing", "labels"', '"status": "resolved", "status": "firing", "labels"'
    )
    status, answer = await home.post(text.encode())
    assert status == 200
    assert answer["outcomes"] == {"opened": 1}


async def test_lone_surrogates_do_not_poison_a_batch(home: House) -> None:
    body = json.dumps(payload(alert(1, labels={"odd": "@@"}), alert(2))).replace("@@", "\\ud800").encode()
    status, answer = await home.post(body)
    assert status == 200
    assert answer["taken"] >= 1
    await _still_works(home)


async def test_control_characters_are_kept_from_the_names(home: House) -> None:
    await home.post(payload(alert(1, labels={"alertname": "\x1b[2JKubePodCrashLooping"})))
    for item in await home.all():
        assert "\x1b" not in item.signal.name


async def test_compressed_bodies_are_not_unpacked(home: House) -> None:
    """Alertmanager never compresses, and a small bomb would be a large body."""
    bomb = zlib.compress(b" " * (64 * 1024 * 1024), 9)
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Encoding": "deflate"}
    async with home.web.post(f"{home.url}/v1/alertmanager", data=bomb, headers=headers) as response:
        assert response.status in (400, 413, 415)
    await _still_works(home)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/alertmanager", 405), ("POST", "/nowhere", 404), ("PUT", "/v1/alertmanager", 405), ("GET", "/", 404),
     ("POST", "/v1/alertmanager/a/b", 404), ("POST", "/metrics", 405)],
)  # fmt: skip
async def test_other_doors_answer_in_json(home: House, method: str, path: str, status: int) -> None:
    async with home.web.request(method, home.url + path) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"]


async def test_an_unknown_cluster_in_the_path_is_refused(home: House) -> None:
    status, answer = await home.post(payload(alert(1)), path="/v1/alertmanager/nowhere")
    error = {"message": "no cluster 'nowhere' is configured (configured: prod-eu)", "field": "cluster"}
    assert (status, answer) == (400, {"error": error})


async def test_an_unknown_cluster_is_not_repeated_at_length(home: House) -> None:
    status, answer = await home.post(payload(alert(1, labels={"cluster": "x" * 1_000_000})))
    assert status == 400
    assert len(json.dumps(answer)) < 1000
    assert answer["rejected"][0]["field"] == "alerts[0].labels.cluster"


@pytest.mark.parametrize("zone", ["eth0", "x?dryRun=All#", "x\x1b[31m"])
async def test_what_follows_an_address_names_no_node(home: House, zone: str) -> None:
    """It would end up in a path of the API server, and on a screen."""
    labels = {"alertname": "KubeNodeNotReady", "pod": None, "namespace": None, "instance": f"[fe80::1%{zone}]:9100"}
    assert (await home.post(payload(alert(1, labels=labels))))[1]["outcomes"] == {"ignored": 1}


async def test_a_body_full_of_nothing_is_refused_as_a_whole(home: House) -> None:
    """Eight megabytes hold almost three million empty alerts, and as many complaints would be a longer answer."""
    body = b'{"version":"4","alerts":[' + b",".join([b"{}"] * 2_700_000) + b"]}"
    status, answer = await home.post(body)
    assert (status, answer["error"]["field"]) == (400, "alerts")
    assert "at most 50000" in answer["error"]["message"]
    await _still_works(home)


@pytest.mark.parametrize(
    "rest", [b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", b"Content-Length: 50\r\n\r\n{"], ids=["chunk", "short"]
)
async def test_a_body_that_breaks_off_is_no_fault_of_ours(home: House, rest: bytes) -> None:
    head = f"POST /v1/alertmanager HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n".encode()
    with capture_logs() as logs:
        reader, writer = await asyncio.open_connection("127.0.0.1", home.running.gateway_port)
        writer.write(head + rest)
        writer.write_eof()
        async with asyncio.timeout(20):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert not answer or answer.split()[1].startswith(b"4"), answer
    assert [entry for entry in logs if entry["log_level"] == "error"] == []
    await _still_works(home)
