"""A watch may end, lie or fall silent at any byte: afterwards the cache equals the server again, and nothing is told twice.

A server of the test's own sends the bytes, because the order of a break and a change must be exact.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web
from kubernetes_server import kubeconfig, serving, status

from kubernaut.adapters.kubernetes import KubernetesCluster

Send = Callable[[web.StreamResponse], Awaitable[None]]


def pod(name: str, version: int, **labels: str) -> dict:
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": str(version), "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta}


def line(kind: str, item: dict) -> bytes:
    return json.dumps({"type": kind, "object": item}, separators=(",", ":")).encode() + b"\n"


class Pods:
    """Lists what it is told to, and plays one script for each watch; after the last one watches stay open."""

    def __init__(self) -> None:
        self.listings: list[tuple[int, list[dict]]] = []
        self.scripts: list[Send] = []
        self.watched_from: list[str] = []
        self.open = asyncio.Event()
        self.answers_version = asyncio.Event()
        self.answers_version.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            await self.answers_version.wait()
            return web.json_response({"gitVersion": "v1.36.3"})
        if "watch" not in request.query:
            version, items = self.listings.pop(0) if len(self.listings) > 1 else self.listings[0]
            return web.json_response({"metadata": {"resourceVersion": str(version)}, "items": items})
        self.watched_from.append(request.query["resourceVersion"])
        if self.scripts and self.scripts[0] is GONE:
            self.scripts.pop(0)
            return status(410, "Expired", "too old resource version")
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        if self.scripts:
            await self.scripts.pop(0)(response)
            return response
        self.open.set()
        await asyncio.Event().wait()
        return response


async def GONE(_: web.StreamResponse) -> None:  # noqa: N802 — stands for an answer, not for a stream
    raise AssertionError("never sent")


def sending(*chunks: bytes) -> Send:
    async def send(response: web.StreamResponse) -> None:
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.01)

    return send


def breaking(*chunks: bytes) -> Send:
    async def send(response: web.StreamResponse) -> None:
        await sending(*chunks)(response)
        response._req.transport.abort()

    return send


class Told(list):
    def __call__(self, before, after) -> None:
        item = after or before
        kind = "added" if before is None else "deleted" if after is None else "changed"
        self.append((kind, item["metadata"]["name"], int(item["metadata"]["resourceVersion"])))


@pytest.fixture
async def pods() -> AsyncIterator[Pods]:
    return Pods()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def following(pods, told, tmp_path, clock) -> AsyncIterator[Callable[[], Awaitable[KubernetesCluster]]]:
    async with serving(pods.handle) as url:
        path = kubeconfig(tmp_path / "config", url)
        cluster = await KubernetesCluster.connect("c", path, None, clock, told, watched=("Pod",))

        async def start() -> KubernetesCluster:
            await cluster.start()
            async with asyncio.timeout(20):
                await pods.open.wait()
            return cluster

        yield start
        await cluster.close()


async def test_a_stream_that_ends_is_continued_where_it_was(pods, told, following):
    pods.listings = [(10, [pod("a", 5)])]
    pods.scripts = [sending(line("MODIFIED", pod("a", 11))), sending(line("ADDED", pod("b", 12)))]
    await following()
    assert told == [("added", "a", 5), ("changed", "a", 11), ("added", "b", 12)]
    assert pods.watched_from == ["10", "11", "12"]


async def test_bookmarks_move_the_version_and_tell_nothing(pods, told, following):
    pods.listings = [(10, [])]
    pods.scripts = [sending(line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "99"}}))]
    await following()
    assert told == []
    assert pods.watched_from == ["10", "99"]


async def test_a_line_may_come_in_pieces_and_in_company(pods, told, following):
    whole = (
        line("ADDED", pod("a", 11)) + line("MODIFIED", pod("a", 12, long="x" * 5000)) + line("DELETED", pod("a", 13))
    )
    pods.listings = [(10, [])]
    pods.scripts = [sending(whole[:3], whole[3:200], whole[200:4000], whole[4000:])]
    await following()
    assert told == [("added", "a", 11), ("changed", "a", 12), ("deleted", "a", 12)]


async def test_a_line_cut_off_by_a_break_is_asked_for_again(pods, told, following):
    pods.listings = [(10, [])]
    pods.scripts = [
        breaking(line("ADDED", pod("a", 11)), line("ADDED", pod("b", 12))[:40]),
        sending(line("ADDED", pod("b", 12))),
    ]
    await following()
    assert told == [("added", "a", 11), ("added", "b", 12)]
    assert pods.watched_from == ["10", "11", "12"]


ERROR_410 = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})


@pytest.mark.parametrize("forgotten", [GONE, sending(ERROR_410)], ids=["status", "event"])
async def test_forgotten_history_is_listed_again_and_only_differences_are_told(pods, told, following, forgotten):
    before = [pod("kept", 1), pod("changed", 2), pod("removed", 3)]
    after = [pod("kept", 1), pod("changed", 22), pod("new", 23)]
    pods.listings = [(10, before), (30, after)]
    pods.scripts = [forgotten]
    cluster = await following()
    assert told[3:] == [("deleted", "removed", 3), ("changed", "changed", 22), ("added", "new", 23)]
    assert pods.watched_from == ["10", "30"]
    assert cluster.cached("Pod", "shop", "kept")["metadata"]["resourceVersion"] == "1"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"<html>a proxy</html>\n",
        b'{"type":"ADDED"}\n',
        b'{"type":"ADDED","object":{"metadata":\n',
        b'{"type":"ADDED","object":7}\n',
    ],
)
async def test_after_nonsense_everything_is_listed_again(pods, told, following, nonsense):
    pods.listings = [(10, [pod("a", 5)]), (20, [pod("a", 15)])]
    pods.scripts = [sending(nonsense)]
    await following()
    assert told == [("added", "a", 5), ("changed", "a", 15)]
    assert pods.watched_from == ["10", "20"]


async def test_a_namesake_with_another_uid_is_told_as_another_object(pods, told, following):
    other = pod("a", 15)
    other["metadata"]["uid"] = "another"
    pods.listings = [(10, [pod("a", 5)]), (20, [other])]
    pods.scripts = [GONE]
    cluster = await following()
    assert told == [("added", "a", 5), ("changed", "a", 15)]
    assert cluster.cached("Pod", "shop", "a")["metadata"]["uid"] == "another"


async def test_unusual_spacing_of_json_is_read_as_well(pods, told, following):
    spaced = json.dumps({"object": pod("a", 11), "type": "ADDED"}).encode() + b"\r\n"
    pods.listings = [(10, [])]
    pods.scripts = [sending(spaced)]
    await following()
    assert told == [("added", "a", 11)]


async def test_a_subscriber_that_fails_ends_nothing(pods, tmp_path, clock, until):
    def subscriber(before, after):
        raise RuntimeError("a mistake")

    pods.listings = [(10, [pod("a", 5)])]
    pods.scripts = [sending(line("ADDED", pod("b", 11)))]
    async with serving(pods.handle) as url:
        path = kubeconfig(tmp_path / "config", url)
        cluster = await KubernetesCluster.connect("c", path, None, clock, subscriber, watched=("Pod",))
        try:
            await cluster.start()
            await until(lambda: cluster.cached("Pod", "shop", "b"))
            assert cluster.cached("Pod", "shop", "a")
        finally:
            await cluster.close()


async def test_a_silent_server_is_noticed_and_its_watches_are_opened_anew(pods, following, until):
    pods.listings = [(10, [])]
    cluster = await following()
    await until(lambda: cluster.health().state == "LIVE")
    pods.answers_version.clear()
    await until(lambda: cluster.health().state != "LIVE")
    assert "no answer" in cluster.health().reason
    watches = len(pods.watched_from)
    pods.answers_version.set()
    await until(lambda: cluster.health().state == "LIVE")
    await until(lambda: len(pods.watched_from) > watches)
