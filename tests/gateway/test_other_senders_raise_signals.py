"""POST /v1/signals: one signal about one object, for senders that are no Alertmanager."""

from typing import Any

import pytest

from kubernaut.domain.signals import SignalSource
from kubernaut.domain.values import Severity

from .house import House, alert, payload

POD = {"kind": "Pod", "namespace": "shop", "name": "web-1"}


async def _raise(home: House, **changes: Any) -> tuple[int, dict[str, Any]]:
    return await home.post(POD | changes, path="/v1/signals")


async def test_a_signal_opens_a_remediation_of_what_it_names(home: House) -> None:
    status, answer = await _raise(
        home, signal="SyntheticCheck", severity="critical", summary="login fails, password=hunter2secret", cluster="prod-eu",
        labels={"team": "shop", "api_token": "hunter3secret"}, starts_at="2026-01-02T03:04:05.123456789Z",
    )  # fmt: skip
    assert (status, answer["outcome"]) == (200, "opened")
    item = await home.only()
    assert item.id == answer["remediation_id"]
    assert (item.signal.name, item.signal.source, item.signal.severity) == (
        "SyntheticCheck", SignalSource.WEBHOOK, Severity.CRITICAL
    )  # fmt: skip
    assert item.target.short == "shop/web-1"
    assert "hunter" not in str(item.signal)
    assert item.signal.labels["team"] == "shop"


async def test_it_joins_what_alertmanager_told(home: House) -> None:
    await home.post(payload(alert(1)))
    _, answer = await _raise(home, signal="KubePodCrashLooping")
    assert answer == {"remediation_id": (await home.only()).id, "outcome": "attached"}


@pytest.mark.parametrize("identity", [{}, {"id": "check-7"}], ids=["named by its object", "named by the sender"])
async def test_it_is_resolved_by_whoever_raised_it(home: House, identity: dict[str, str]) -> None:
    await _raise(home, **identity)
    await _raise(home, status="resolved", id="another")
    assert (await home.only()).signal.resolved_at is None
    _, answer = await _raise(home, status="resolved", **identity)
    assert answer["outcome"] == "resolved"
    assert (await home.only()).signal.resolved_at is not None


async def test_the_same_firing_is_known_again_by_its_id(home: House) -> None:
    for outcome in ("opened", "attached"):
        _, answer = await _raise(home, id="check-7", failure_class="Synthetic")
        assert answer["outcome"] == outcome
    assert (await home.only()).signal.count == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "Pid"}, "kind"), ({"kind": ""}, "kind"), ({"name": "Web_1"}, "name"), ({"name": ""}, "name"),
        ({"namespace": ""}, "namespace"), ({"namespace": "../x"}, "namespace"), ({"cluster": "nowhere"}, "cluster"),
        ({"severity": "loud"}, "severity"), ({"status": "maybe"}, "status"), ({"starts_at": "yesterday"}, "starts_at"),
        ({"failure_class": "a b"}, "failure_class"), ({"labels": {"a": 1}}, "labels"), ({"nmae": "x"}, "nmae"),
        ({"id": "x" * 1000}, "id"), ({"name": None}, "name"), ({"labels": {f"l{n}": "x" for n in range(65)}}, "labels"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_named(home: House, changes: dict[str, Any], field: str) -> None:
    status, answer = await _raise(home, **changes)
    assert status == 400
    assert answer["error"]["field"].startswith(field), answer
    assert answer["error"]["message"]
    assert await home.all() == []


async def test_an_object_without_a_namespace_needs_none(home: House) -> None:
    assert (await home.post({"kind": "Node", "name": "n1"}, path="/v1/signals"))[1]["outcome"] == "opened"


async def test_nobody_raises_one_without_a_token(home: House) -> None:
    assert (await home.post(POD, path="/v1/signals", token=None))[0] == 401
    async with home.web.get(f"{home.url}/v1/signals") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
    for body in (b"", b"[]", b"{", b"\xff"):
        assert (await home.post(body, path="/v1/signals"))[0] == 400
    assert await home.all() == []


async def test_they_are_counted_by_their_source(home: House) -> None:
    await _raise(home)
    await _raise(home, kind="Pid")
    _, text = await home.text("/metrics")
    assert 'kubernaut_signals_total{outcome="opened",source="webhook"} 1.0' in text
    assert 'kubernaut_signals_rejected_total{source="webhook"} 1.0' in text
