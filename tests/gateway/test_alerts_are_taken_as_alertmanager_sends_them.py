"""Version 4 of Alertmanager's webhook, with everything in it that has tripped others up."""

from datetime import UTC, datetime

from kubernaut.domain.values import Severity

from .house import House, alert, payload


async def test_a_firing_alert_opens_a_remediation_of_what_it_names(home: House) -> None:
    status, answer = await home.post(payload(alert(1)))
    assert status == 200
    assert answer == {"taken": 1, "outcomes": {"opened": 1}, "rejected": [], "truncated": 0}
    item = await home.only()
    assert (item.cluster, item.target.kind, item.target.namespace, item.target.name) == (
        "prod-eu",
        "Pod",
        "shop",
        "web-1",
    )
    assert item.signal.name == "KubePodCrashLooping"
    assert item.signal.severity is Severity.WARNING
    assert item.signal.annotations["summary"] == "Pod is crash looping."


async def test_each_alert_has_its_own_status_whatever_the_top_says(home: House) -> None:
    await home.post(payload(alert(1), alert(2)))
    gone = alert(2, status="resolved", endsAt="2026-01-02T04:00:00.987654321+01:00")
    status, answer = await home.post(payload(alert(1), gone, status="firing"))
    assert status == 200
    assert answer["outcomes"] == {"attached": 1, "resolved": 1}
    by_name = {item.target.name: item.signal for item in await home.all()}
    assert by_name["web-1"].resolved_at is None
    assert by_name["web-2"].resolved_at == datetime(2026, 1, 2, 3, 0, 0, 987654, tzinfo=UTC)
    assert by_name["web-1"].count == 2


async def test_a_resolved_alert_alone_opens_nothing(home: House) -> None:
    status, answer = await home.post(payload(alert(1, status="resolved", endsAt="2026-01-02T04:00:00Z")))
    assert status == 200
    assert answer["outcomes"] == {"ignored": 1}
    assert await home.all() == []


async def test_the_year_one_means_no_end(home: House) -> None:
    await home.post(payload(alert(1)))
    assert (await home.only()).signal.resolved_at is None


async def test_repeats_of_the_group_count_and_open_nothing_new(home: House) -> None:
    for _ in range(3):
        await home.post(payload(alert(1)))
    assert (await home.only()).signal.count == 3


async def test_another_group_key_is_the_same_alert(home: House) -> None:
    await home.post(payload(alert(1)))
    _, answer = await home.post(payload(alert(1), groupKey='{}/{a="b"}:{}', receiver="other"))
    assert answer["outcomes"] == {"attached": 1}


async def test_alerts_that_were_left_out_are_told(home: House) -> None:
    _, answer = await home.post(payload(alert(1), truncatedAlerts=17))
    assert answer["truncated"] == 17


async def test_new_fields_are_ignored(home: House) -> None:
    body = payload(alert(1, newField={"a": [1]}), notification_reason="first", routeLabels={"team": "shop"})
    assert (await home.post(body))[0] == 200


async def test_what_go_writes_for_nothing_is_nothing(home: House) -> None:
    """A nil map or an absent text is null in Go's JSON."""
    nothing = alert(1, annotations=None, endsAt=None, fingerprint=None)
    status, answer = await home.post(payload(nothing, truncatedAlerts=None))
    assert (status, answer["outcomes"]) == (200, {"opened": 1})


async def test_letters_of_times_may_be_small(home: House) -> None:
    status, answer = await home.post(payload(alert(1, startsAt="2026-01-02t03:04:05.5z")))
    assert (status, answer["taken"]) == (200, 1)


async def test_a_group_without_alerts_is_fine(home: House) -> None:
    assert (await home.post(payload()))[1]["taken"] == 0


async def test_a_missing_fingerprint_is_made_from_the_labels(home: House) -> None:
    bare = alert(1)
    del bare["fingerprint"]
    await home.post(payload(bare))
    assert (await home.post(payload(bare)))[1]["outcomes"] == {"attached": 1}


async def test_the_path_names_the_cluster(home: House) -> None:
    status, _ = await home.post(payload(alert(1)), path="/v1/alertmanager/prod-eu")
    assert status == 200
    assert (await home.only()).cluster == "prod-eu"


async def test_heartbeats_and_self_monitoring_never_act(home: House) -> None:
    names = (
        "Watchdog",
        "InfoInhibitor",
        "AlertmanagerFailedReload",
        "PrometheusBadConfig",
        "KubeStateMetricsListErrors",
    )
    alerts = [alert(n, labels={"alertname": name}) for n, name in enumerate(names)]
    _, answer = await home.post(payload(*alerts))
    assert answer["outcomes"] == {"ignored": len(names)}
    assert await home.all() == []


async def test_what_looks_like_a_secret_is_neither_stored_nor_shown(home: House) -> None:
    hidden = "ghp_" + "a1B2" * 9
    noisy = alert(1, annotations={"summary": f"login failed with password=hunter2secret and token {hidden}"})
    noisy["labels"]["api_token"] = "hunter3secret"
    await home.post(payload(noisy))
    item = await home.only()
    _, whole = await home.ask("GET", f"/v1/remediations/{item.id}")
    state = b"".join(p.read_bytes() for p in home.settings.state_dir.iterdir() if p.is_file())
    for secret in ("hunter2secret", "hunter3secret", hidden):
        assert secret not in str(whole)
        assert secret.encode() not in state
