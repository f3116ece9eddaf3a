"""Lists, pages, selectors and watches: what a reflector is built on."""

import asyncio

from .raw import CONFIG, DEPLOYMENTS, PODS, Cluster, Json, config, deployment, pod, running


async def test_pages_show_one_moment(cluster: Cluster) -> None:
    for number in range(5):
        await cluster.made(
            CONFIG, config(f"page-{number}") | {"metadata": {"name": f"page-{number}", "labels": {"l": "p"}}}
        )
    first = (await cluster.get(CONFIG, limit="2", labelSelector="l=p")).body
    token = first["metadata"]["continue"]
    await cluster.delete(CONFIG + "/page-4")
    second = (await cluster.get(CONFIG, limit="2", labelSelector="l=p", **{"continue": token})).body
    third = (
        await cluster.get(CONFIG, limit="2", labelSelector="l=p", **{"continue": second["metadata"]["continue"]})
    ).body
    names = [item["metadata"]["name"] for page in (first, second, third) for item in page["items"]]
    assert names == [f"page-{number}" for number in range(5)]
    assert "continue" not in third["metadata"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_remaining_items_are_counted(cluster: Cluster) -> None:
    for number in range(3):
        await cluster.made(DEPLOYMENTS, deployment(f"d{number}", 0))
    page = (await cluster.get(DEPLOYMENTS, limit="2")).body
    assert page["metadata"]["remainingItemCount"] == 1


async def test_items_of_built_in_lists_carry_no_kind(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a"))
    found = (await cluster.get(CONFIG)).body
    assert found["kind"] == "ConfigMapList"
    assert all("kind" not in item for item in found["items"])


async def test_labels_select(cluster: Cluster) -> None:
    for name, labels in (
        ("a", {"tier": "web", "env": "prod"}),
        ("b", {"tier": "web"}),
        ("c", {"tier": "db"}),
        ("d", {}),
    ):
        await cluster.made(CONFIG, {"metadata": {"name": name, "labels": labels | {"here": "y"}}})

    async def chosen(selector: str) -> list[str]:
        found = await cluster.get(CONFIG, labelSelector=f"here=y,{selector}")
        assert found.code == 200, found.body
        return [item["metadata"]["name"] for item in found.body["items"]]

    assert await chosen("tier=web") == ["a", "b"]
    assert await chosen("tier!=web") == ["c", "d"]
    assert await chosen("tier in (web,db),env") == ["a"]
    assert await chosen("tier notin (web)") == ["c", "d"]
    assert await chosen("!tier") == ["d"]
    assert (await cluster.get(CONFIG, labelSelector="a==b==c")).code == 400


async def test_fields_select_and_unknown_ones_are_refused(cluster: Cluster) -> None:
    await cluster.made(PODS, pod("a"))
    await cluster.made(PODS, pod("b", nodeName="node-that-is-not"))
    found = (await cluster.get(PODS, fieldSelector="spec.nodeName=node-that-is-not")).body
    assert [item["metadata"]["name"] for item in found["items"]] == ["b"]
    found = (await cluster.get(PODS, fieldSelector="metadata.name=a,status.phase!=Running")).body
    assert [item["metadata"]["name"] for item in found["items"]] == ["a"]
    answer = await cluster.get(PODS, fieldSelector="spec.hostname=x")
    assert (answer.code, answer.reason) == (400, "BadRequest")


async def test_events_are_found_by_what_they_are_about(cluster: Cluster) -> None:
    made = await cluster.made(PODS, pod("a"))
    uid = made["metadata"]["uid"]
    about = {"kind": "Pod", "name": "a", "namespace": cluster.namespace, "uid": uid, "apiVersion": "v1"}
    event: Json = {
        "metadata": {"name": "a.1"},
        "involvedObject": about,
        "reason": "BackOff",
        "message": "Back-off",
        "type": "Warning",
        "source": {"component": "kubelet"},
    }
    await cluster.made("/api/v1/namespaces/{}/events", event)
    found = await cluster.get("/api/v1/namespaces/{}/events", fieldSelector=f"involvedObject.uid={uid},reason=BackOff")
    assert [item["metadata"]["name"] for item in found.body["items"]] == ["a.1"]
    other = (await cluster.get("/apis/events.k8s.io/v1/namespaces/{}/events/a.1")).body
    assert (other["note"], other["regarding"]["uid"]) == ("Back-off", uid)
    assert other["deprecatedSource"] == {"component": "kubelet"}
    assert other["metadata"]["resourceVersion"] == found.body["items"][0]["metadata"]["resourceVersion"]


async def test_a_watch_goes_on_where_the_list_ended(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("before"))
    listed = (await cluster.get(CONFIG)).body["metadata"]["resourceVersion"]
    await cluster.made(CONFIG, config("a", x="1"))
    seen: list[tuple[str, str]] = []

    async def act() -> None:
        await cluster.patch(CONFIG + "/a", {"data": {"x": "2"}})
        await cluster.delete(CONFIG + "/a")

    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        group.create_task(act())
        async for event in cluster.watch(CONFIG, resourceVersion=listed):
            seen.append((event["type"], event["object"]["metadata"]["name"]))
            if event["type"] == "DELETED":
                break
    assert seen == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_a_deletion_carries_its_own_version(cluster: Cluster) -> None:
    made = await cluster.made(CONFIG, config("a"))
    listed = made["metadata"]["resourceVersion"]
    await cluster.delete(CONFIG + "/a")
    async with asyncio.timeout(15):
        async for event in cluster.watch(CONFIG, resourceVersion=listed):
            assert event["type"] == "DELETED"
            assert int(event["object"]["metadata"]["resourceVersion"]) > int(listed)
            break


async def test_objects_enter_and_leave_a_selected_watch(cluster: Cluster) -> None:
    made = await cluster.made(CONFIG, config("a"))
    listed = made["metadata"]["resourceVersion"]
    await cluster.patch(CONFIG + "/a", {"metadata": {"labels": {"in": "yes"}}})
    await cluster.patch(CONFIG + "/a", {"data": {"x": "1"}})
    await cluster.patch(CONFIG + "/a", {"metadata": {"labels": {"in": None}}})
    seen = []
    async with asyncio.timeout(15):
        async for event in cluster.watch(CONFIG, resourceVersion=listed, labelSelector="in=yes"):
            seen.append(event["type"])
            if len(seen) == 3:
                break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_watch_without_a_version_begins_with_what_is_there(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a"))
    async with asyncio.timeout(15):
        async for event in cluster.watch(CONFIG, fieldSelector="metadata.name=a"):
            assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "a")
            assert event["object"]["kind"] == "ConfigMap"
            break


async def test_streamed_lists_end_with_a_bookmark(cluster: Cluster) -> None:
    await cluster.made(CONFIG, config("a"))
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    seen = []
    async with asyncio.timeout(15):
        async for event in cluster.watch(CONFIG, **query):
            seen.append(event["type"])
            if event["type"] == "BOOKMARK":
                notes = event["object"]["metadata"]["annotations"]
                assert notes == {"k8s.io/initial-events-end": "true"}
                break
    assert seen[-1] == "BOOKMARK"
    assert "ADDED" in seen


async def test_a_watch_ends_when_its_time_is_over(cluster: Cluster) -> None:
    async with asyncio.timeout(10):
        async for event in cluster.watch(DEPLOYMENTS, timeoutSeconds="1"):
            raise AssertionError(f"nothing happened, yet there was {event}")


async def test_a_version_from_the_future_times_out(cluster: Cluster) -> None:
    answer = await cluster.get(CONFIG, resourceVersion="99999999999", resourceVersionMatch="NotOlderThan")
    assert (answer.code, answer.reason) == (504, "Timeout")
    assert answer.causes[0]["reason"] == "ResourceVersionTooLarge"


async def test_tables_are_for_eyes(cluster: Cluster) -> None:
    await cluster.made(PODS, pod("a"))
    await cluster.patch(PODS + "/a/status", running())
    accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
    found = (await cluster.get(PODS, accept=accept)).body
    assert found["kind"] == "Table"
    shown = [(item["name"], item["type"], item["priority"]) for item in found["columnDefinitions"]]
    assert shown == [
        ("Name", "string", 0),
        ("Ready", "string", 0),
        ("Status", "string", 0),
        ("Restarts", "string", 0),
        ("Age", "string", 0),
        ("IP", "string", 1),
        ("Node", "string", 1),
        ("Nominated Node", "string", 1),
        ("Readiness Gates", "string", 1),
    ]
    row = found["rows"][0]
    assert row["cells"][:3] == ["a", "1/1", "Running"]
    assert row["object"]["kind"] == "PartialObjectMetadata"
