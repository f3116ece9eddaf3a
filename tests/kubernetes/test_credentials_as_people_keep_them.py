"""Tokens with a line's end, plugins that hang or talk too much, answers that are no objects: none of them blinds a cluster."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes_server import kubeconfig, serving

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import Temporary, Unknown
from kubernaut.domain.resources import ResourceRef

API = "client.authentication.k8s.io/v1"
POD = ResourceRef("c", "Pod", "web", "shop")


class Server:
    """An empty cluster, or whatever body a test wants for its pod."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.body: str | None = None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        await request.read()
        if "watch" in request.query:
            await asyncio.Event().wait()
        if self.body is not None and request.path.endswith("/pods/web"):
            return web.Response(text=self.body, content_type="application/json")
        if self.body is not None and request.path.endswith("/secrets"):
            text = json.dumps({"metadata": {"resourceVersion": "1"}, "items": ["@"]}).replace('"@"', self.body)
            return web.Response(text=text, content_type="application/json")
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})


@pytest.fixture
async def server():
    made = Server()
    async with serving(made.handle) as made.url:
        yield made


def plugin(folder: Path, script: str) -> dict[str, object]:
    """A user whose credentials come from a shell script."""
    file = folder / "plugin"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"exec": {"apiVersion": API, "command": str(file)}}


async def connected(server: Server, folder: Path, clock, user: dict[str, object]) -> KubernetesCluster:
    return await KubernetesCluster.connect("c", kubeconfig(folder / "config", server.url, user), None, clock)


async def test_a_token_file_may_end_with_a_line(server, tmp_path, clock, until):
    token = tmp_path / "token"
    token.write_text("t1\n")
    cluster = await connected(server, tmp_path, clock, {"tokenFile": str(token)})
    try:
        await cluster.start()
        await until(lambda: cluster.health().state == "LIVE")
        assert set(server.tokens) == {"Bearer t1"}
    finally:
        await cluster.close()


async def test_a_token_that_can_not_be_sent_is_named_and_read_again(server, tmp_path, clock, until):
    token = tmp_path / "token"
    token.write_text("t1\r\nX-Evil: 1")
    cluster = await connected(server, tmp_path, clock, {"tokenFile": str(token)})
    try:
        await cluster.start()
        await until(lambda: "token" in cluster.health().reason)
        assert cluster.health().state == "DOWN"
        with pytest.raises(Temporary, match="the token has a control character"):
            await cluster.get("Pod", "shop", "web")
        token.write_text("t2")
        await until(lambda: cluster.health().state == "LIVE")
        assert set(server.tokens) == {"Bearer t2"}
    finally:
        await cluster.close()


@pytest.mark.parametrize("script", ["echo $$ > {pid}; exec sleep 3600", "sleep 3600 & echo $! > {pid}; wait"])
async def test_a_plugin_that_hangs_is_ended_with_the_wait_for_it(server, tmp_path, clock, until, script):
    pid = tmp_path / "pid"
    cluster = await connected(server, tmp_path, clock, plugin(tmp_path, script.format(pid=pid)))
    read = asyncio.ensure_future(cluster.get("Pod", "shop", "web"))
    await until(lambda: pid.exists() and pid.read_text().strip())
    read.cancel()
    await asyncio.wait({read})
    await cluster.close()

    def gone() -> bool:
        try:
            state = Path(f"/proc/{int(pid.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        return state == "Z"  # ended, and nobody has asked yet how

    await until(gone)


async def test_a_plugin_that_hangs_is_not_told_as_a_silent_server(server, tmp_path, clock, until):
    cluster = await connected(server, tmp_path, clock, plugin(tmp_path, "exec sleep 3600"))
    try:
        await cluster.start()
        await until(lambda: cluster.health().reason != "not connected yet")
        assert "credentials" in cluster.health().reason
        assert server.tokens == []
    finally:
        await cluster.close()


async def test_what_a_failing_plugin_says_is_told_without_its_secrets(server, tmp_path, clock):
    cluster = await connected(
        server, tmp_path, clock, plugin(tmp_path, "echo 'bad password=hunter2hunter2' >&2; exit 3")
    )
    try:
        with pytest.raises(Temporary, match=r"plugin.*3.*bad password") as told:
            await cluster.get("Pod", "shop", "web")
        assert "hunter2" not in str(told.value)
    finally:
        await cluster.close()


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("echo nonsense", "not JSON"),
        ("echo '[]'", "not an ExecCredential"),
        ("""echo '{"apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "t"}}'""", "v1beta1"),
        ("""echo '{"apiVersion": "client.authentication.k8s.io/v1", "status": null}'""", "neither token"),
        (
            """echo '{"apiVersion": "client.authentication.k8s.io/v1", "status": {"clientCertificateData": "c"}}'""",
            "key",
        ),
    ],
)
async def test_what_is_wrong_with_a_plugin_is_told(server, tmp_path, clock, says, told):
    cluster = await connected(server, tmp_path, clock, plugin(tmp_path, says))
    try:
        with pytest.raises(Temporary, match=told):
            await cluster.get("Pod", "shop", "web")
    finally:
        await cluster.close()


@pytest.mark.parametrize("body", ["null", "[]", "3", '"web"', '{"metadata": null}', '{"metadata": {"name": null}}'])
async def test_an_answer_that_is_no_object_is_waited_for(server, tmp_path, clock, body):
    cluster = await connected(server, tmp_path, clock, {"token": "t1"})
    server.body = body
    try:
        with pytest.raises(Temporary, match="not an object"):
            await cluster.get("Pod", "shop", "web")
        with pytest.raises(Unknown, match="not an object"):
            await cluster.patch(POD, {}, expected={"uid": "u"})
        with pytest.raises(Temporary, match="not a list of objects"):
            await cluster.list("Secret", live=True)
    finally:
        await cluster.close()


async def test_an_object_that_is_merely_odd_is_taken(server, tmp_path, clock):
    cluster = await connected(server, tmp_path, clock, {"token": "t1"})
    server.body = (
        '{"kind": null, "metadata": {"name": "web", "managedFields": [null], "annotations": null}, "data": null}'
    )
    try:
        item = await cluster.get("Pod", "shop", "web")
        assert (item["kind"], item["metadata"]["managedFields"]) == ("Pod", [])
        assert [secret["metadata"]["name"] for secret in await cluster.list("Secret", live=True)] == ["web"]
    finally:
        await cluster.close()


class Failing:
    """A clock that fails a few times: a mistake of our own somewhere below a watch."""

    def __init__(self, clock) -> None:
        self._clock, self.times = clock, 0

    def now(self):
        self.times -= 1
        if self.times in range(6):
            raise ValueError("a mistake")
        return self._clock.now()


async def test_a_mistake_of_our_own_does_not_end_the_watches(server, tmp_path, clock, until):
    failing = Failing(clock)
    cluster = await connected(server, tmp_path, failing, {"token": "t1"})
    try:
        failing.times = 6
        await cluster.start()
        await until(lambda: failing.times < 0)
        await until(lambda: cluster.health().state == "LIVE")
    finally:
        await cluster.close()
