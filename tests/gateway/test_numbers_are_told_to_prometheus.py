"""/metrics is valid exposition, counts what happened, and holds no secret and nothing of unbounded kind."""

import asyncio

from prometheus_client.parser import text_string_to_metric_families

from kubernaut import __version__

from .house import CLUSTER, TOKEN, House, alert, payload


async def _samples(home: House) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, text = await home.text("/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_happened_is_counted(home: House) -> None:
    await home.post(payload(alert(1), alert(2)))
    await home.post(payload(alert(1), alert(3, status="maybe"), alert(4, labels={"alertname": "Watchdog"})))
    await home.post(payload(alert(1)), token=None)
    await home.post(b"{")
    found = await _samples(home)

    def taken(outcome: str) -> float:
        return found[("kubernaut_signals_total", (("outcome", outcome), ("source", "alertmanager")))]

    assert (taken("opened"), taken("attached"), taken("ignored")) == (2, 1, 1)
    assert found[("kubernaut_signals_rejected_total", (("source", "alertmanager"),))] == 2
    posts = {code: found[("kubernaut_webhook_posts_total", (("code", code),))] for code in ("200", "401", "400")}
    assert posts == {"200": 2, "401": 1, "400": 1}
    assert found[("kubernaut_cluster_live", (("cluster", CLUSTER),))] == 1
    phases = {labels[0][1]: value for (name, labels), value in found.items() if name == "kubernaut_remediations"}
    assert sum(phases.values()) == 2


async def test_what_has_not_happened_yet_is_zero(home: House) -> None:
    found = await _samples(home)
    assert found[("kubernaut_signals_total", (("outcome", "opened"), ("source", "kubernetes")))] == 0
    assert found[("kubernaut_signals_rejected_total", (("source", "alertmanager"),))] == 0
    assert found[("kubernaut_build_info", (("version", __version__),))] == 1
    assert found[("process_resident_memory_bytes", ())] > 0


async def test_signals_of_every_source_are_counted(home: House) -> None:
    node = {"metadata": {"name": "n1"}, "kind": "Node"}
    await home.create("nodes", node)
    status, _ = await home.ask("POST", "/v1/signals", {"kind": "Node", "name": "n1"})
    assert status == 201
    await home.post(payload(alert(1), truncatedAlerts=3))
    found = await _samples(home)
    assert found[("kubernaut_signals_total", (("outcome", "opened"), ("source", "manual")))] == 1
    assert found[("kubernaut_alerts_truncated_total", ())] == 3


async def test_names_follow_prometheus(home: House) -> None:
    """Source: Prometheus, metric and label naming: one prefix, base units, `_total` for counters."""
    _, text = await home.text("/metrics")
    for family in text_string_to_metric_families(text):
        assert family.name.startswith(("kubernaut_", "process_")), family.name
        assert family.documentation, family.name
        assert not family.name.endswith(("_ms", "_millis", "_count", "_percent")), family.name


async def test_phases_that_are_empty_again_are_zero(home: House) -> None:
    first = await _samples(home)
    await home.post(payload(alert(1)))
    second = await _samples(home)
    assert {key for key in first if key[0] == "kubernaut_remediations"} == {
        key for key in second if key[0] == "kubernaut_remediations"
    }


async def test_nothing_of_the_alerts_gets_into_the_numbers(home: House) -> None:
    noisy = {"alertname": "Odd", "secret": "hunter2secret", "severity": "shouting", "pod": "web-77"}
    await home.post(payload(alert(1, labels=noisy)))
    _, text = await home.text("/metrics")
    for word in (TOKEN, "hunter2secret", "web-77", "shouting", "Odd"):
        assert word not in text


async def test_health_and_readiness(home: House) -> None:
    assert await home.text("/healthz") == (200, "ok\n")
    assert await home.text("/readyz") == (200, "ok\n")
    async with home.web.head(f"{home.url}/readyz") as response:
        assert response.status == 200


async def test_how_long_stages_take_is_told(home: House) -> None:
    await home.post(payload(alert(1)))
    key = ("kubernaut_stage_seconds_count", (("part", "assessment"),))
    async with asyncio.timeout(10):
        while (await _samples(home)).get(key, 0) < 1:  # noqa: ASYNC110 - the runner tells nobody
            await asyncio.sleep(0.05)
