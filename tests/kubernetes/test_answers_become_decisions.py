"""What a server or the network may answer, and what kubernaut makes of it, over a real loopback connection.

A server of the test's own, because no genuine one loses a reply or forgets a page on request.
"""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import yaml
from aiohttp import web
from kubernetes_server import kubeconfig, serving, status

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import BadInput, Conflict, NotFound, Permanent, Refused, Temporary, Unknown
from kubernaut.domain.resources import ResourceRef
from kubernaut.sim.cluster import SimulatedCluster

POD = ResourceRef("c", "Pod", "web", "shop")
EXPECTED = {"uid": "u1"}
PATCH = {"metadata": {"labels": {"a": "b"}}}


class Server:
    """Answers every request by `answer`, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: list[str] = []
        self.answer = lambda request: status(404, "NotFound", "nothing here")

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.tokens.append(request.headers.get("Authorization", ""))
        await request.read()
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    async with serving(made.handle) as made.url:
        yield made


@pytest.fixture
async def cluster(server, tmp_path, clock) -> AsyncIterator[KubernetesCluster]:
    made = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", server.url), None, clock)
    yield made
    await made.close()


async def lose_reply(request: web.Request) -> web.StreamResponse:
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "read", "write"),
    [
        (lambda _: status(400, "BadRequest", "no"), Permanent, Permanent),
        (lambda _: status(403, "Forbidden", "no"), Refused, Refused),
        (lambda _: status(404, "NotFound", "no"), None, NotFound),
        (lambda _: status(409, "Conflict", "changed"), Conflict, Conflict),
        (lambda _: status(422, "Invalid", "no"), Refused, Refused),
        (lambda _: status(429, "TooManyRequests", "slow down"), Temporary, Temporary),
        (lambda _: status(500, "InternalError", "etcd timed out"), Temporary, Unknown),
        (lambda _: status(500, "", "This pod has more than one PodDisruptionBudget, which …"), Refused, Refused),
        (lambda _: status(503, "ServiceUnavailable", "gone"), Temporary, Unknown),
        (lambda _: status(504, "Timeout", "no answer"), Temporary, Unknown),
        (lambda _: web.Response(status=502, text="<html>a proxy</html>"), Temporary, Unknown),
        (lose_reply, Temporary, Unknown),
    ],
)
async def test_each_answer_is_a_decision(cluster, server, answer, read, write):
    server.answer = answer
    if read is None:
        assert await cluster.get("Pod", "shop", "web") is None
    else:
        with pytest.raises(read):
            await cluster.get("Pod", "shop", "web")
    server.asked.clear()
    with pytest.raises(write):
        await cluster.patch(POD, PATCH, expected=EXPECTED)
    with pytest.raises(write):
        await cluster.delete(POD, expected=EXPECTED)
    with pytest.raises(write):
        await cluster.evict(POD, expected=EXPECTED)
    assert [line.split()[0] for line in server.asked] == ["PATCH", "DELETE", "POST"]  # each was sent exactly once


@pytest.mark.parametrize("answer", [lambda _: status(500, "InternalError", "no"), lose_reply])
async def test_a_dry_run_whose_answer_is_lost_has_changed_nothing(cluster, server, answer):
    server.answer = answer
    with pytest.raises(Temporary):
        await cluster.patch(POD, PATCH, expected=EXPECTED, dry_run=True)


async def test_a_reply_lost_on_a_kept_connection_is_not_sent_again(cluster, server):
    server.answer = lambda _: web.json_response({"metadata": {"name": "web"}})
    assert await cluster.get("Pod", "shop", "web")
    server.answer = lose_reply
    server.asked.clear()
    with pytest.raises(Unknown):
        await cluster.delete(POD, expected=EXPECTED)
    assert len(server.asked) == 1


async def test_the_server_says_how_long_to_wait(cluster, server):
    server.answer = lambda _: web.Response(status=429, headers={"Retry-After": "7"}, text="later")
    with pytest.raises(Temporary) as busy:
        await cluster.patch(POD, PATCH, expected=EXPECTED)
    assert busy.value.delay_s == 7
    server.answer = lambda _: web.Response(status=503, headers={"Retry-After": "3"}, text="later")
    with pytest.raises(Temporary) as starting:
        await cluster.patch(POD, PATCH, expected=EXPECTED)
    assert starting.value.delay_s == 3


async def test_a_budgets_words_are_kept(cluster, server):
    causes = [{"reason": "DisruptionBudget", "message": "The disruption budget db needs 2 healthy pods and has 2"}]
    server.answer = lambda _: status(429, "TooManyRequests", "Cannot evict", causes=causes)
    with pytest.raises(Temporary, match="budget db needs 2"):
        await cluster.evict(POD, expected=EXPECTED)


async def test_messages_quote_neither_input_nor_bodies(cluster, server):
    server.answer = lambda _: status(422, "Invalid", 'spec.x: Invalid value: "s3cr3t \\" word": must be short')
    with pytest.raises(Refused) as invalid:
        await cluster.patch(POD, PATCH, expected=EXPECTED)
    assert "s3cr3t" not in str(invalid.value)
    assert "must be short" in str(invalid.value)
    server.answer = lambda _: web.Response(status=500, text="password: s3cr3t")
    with pytest.raises(Temporary) as page:
        await cluster.get("Pod", "shop", "web")
    assert "s3cr3t" not in str(page.value)
    server.answer = lambda _: status(422, "Invalid", "data.password: s3cr3t is too short")
    with pytest.raises(Refused) as secret:
        await cluster.patch(ResourceRef("c", "Secret", "db", "shop"), {}, expected=EXPECTED)
    assert "s3cr3t" not in str(secret.value)


async def test_credentials_are_loaded_once_more_when_they_are_rejected(server, tmp_path, clock):
    token = tmp_path / "token"
    token.write_text("old")
    config = kubeconfig(tmp_path / "config", server.url, {"tokenFile": str(token)})
    cluster = await KubernetesCluster.connect("c", config, None, clock)

    def answer(request):
        token.write_text("new")
        fresh = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"metadata": {"name": "web"}}) if fresh else status(401, "Unauthorized", "no")

    server.answer = answer
    try:
        patched = await cluster.patch(POD, PATCH, expected=EXPECTED)
        assert patched["metadata"]["name"] == "web"
        assert server.tokens == ["Bearer old", "Bearer new"]
        server.answer = lambda _: status(401, "Unauthorized", "no")
        server.asked.clear()
        with pytest.raises(Refused, match="401"):
            await cluster.get("Pod", "shop", "web")
        assert len(server.asked) == 2
    finally:
        await cluster.close()


async def test_an_exec_plugin_gives_the_token(server, tmp_path, clock):
    plugin = tmp_path / "plugin"
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "t1"}}
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}}
    cluster = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", server.url, user), None, clock)
    server.answer = lambda _: web.json_response({"metadata": {"name": "web"}})
    try:
        assert await cluster.get("Pod", "shop", "web")
        assert server.tokens == ["Bearer t1"]
        plugin.unlink()
    finally:
        await cluster.close()


async def test_a_plugin_that_fails_makes_the_cluster_down_not_the_program(server, tmp_path, clock, until):
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/nonexistent/plugin"}}
    cluster = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", server.url, user), None, clock)
    try:
        await cluster.start()
        await until(lambda: "credentials" in cluster.health().reason)
        assert cluster.health().state == "DOWN"
        with pytest.raises(Temporary, match="credentials"):
            await cluster.get("Pod", "shop", "web")
    finally:
        await cluster.close()


@pytest.mark.parametrize(
    ("change", "context", "expected"),
    [
        (lambda c: c, "other", r"contexts: no entry named 'other' \(there: main\)"),
        (lambda c: c | {"current-context": ""}, None, "contexts"),
        (lambda c: c | {"clusters": []}, None, "clusters: no entry named 'main'"),
        (lambda c: c | {"users": []}, None, "users: no entry named 'me'"),
        (lambda c: c | {"clusters": [{"name": "main", "cluster": {}}]}, None, "names no server"),
        (
            lambda c: (
                c | {"clusters": [{"name": "main", "cluster": {"server": "https://x", "proxy-url": "socks5://y"}}]}
            ),
            None,
            r"clusters\[main\].proxy-url: kubernaut can't use this kind of proxy",
        ),
        (lambda c: [], None, "not a mapping"),
    ],
)
async def test_a_wrong_kubeconfig_is_named_at_once(tmp_path, clock, change, context, expected):
    path = kubeconfig(tmp_path / "config", "http://127.0.0.1:1")
    path.write_text(yaml.safe_dump(change(yaml.safe_load(path.read_text()))))
    with pytest.raises(BadInput, match=expected):
        await KubernetesCluster.connect("c", path, context, clock)


async def test_a_missing_kubeconfig_is_named_at_once(tmp_path, clock):
    with pytest.raises(BadInput, match="config: can't read the kubeconfig"):
        await KubernetesCluster.connect("c", tmp_path / "config", None, clock)


async def test_all_pages_are_read_and_an_expired_page_starts_again(cluster, server):
    pages = {"": (["a", "b"], "p2"), "p2": (["c"], "")}
    forget = [True]

    def answer(request):
        asked = request.query.get("continue", "")
        if asked and forget.pop() if forget else False:
            return status(410, "Expired", "the continue token is too old")
        names, following = pages[asked]
        items = [{"metadata": {"name": name}} for name in names]
        return web.json_response({"metadata": {"resourceVersion": "5", "continue": following}, "items": items})

    server.answer = answer
    listed = await cluster.list("Pod", "shop", labels="app=web")
    assert [(o["kind"], o["metadata"]["name"]) for o in listed] == [("Pod", "a"), ("Pod", "b"), ("Pod", "c")]
    assert all("limit=500" in line and "labelSelector=app%3Dweb" in line for line in server.asked)


async def test_a_kind_nobody_knows_is_bad_input(cluster):
    with pytest.raises(BadInput, match="Gizmo"):
        await cluster.list("Gizmo")


async def test_a_name_cannot_leave_its_path(cluster, server):
    with pytest.raises(BadInput):
        await cluster.get("Pod", "shop", "../secrets")
    assert server.asked == []


async def test_a_server_with_an_untrusted_certificate_is_not_asked(tmp_path, clock):
    simulated = SimulatedCluster()
    await simulated.start()
    cluster = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", simulated.url), None, clock)
    try:
        with pytest.raises(Temporary, match="certificate is not trusted"):
            await cluster.delete(POD, expected=EXPECTED)
    finally:
        await cluster.close()
        await simulated.stop()


async def test_a_server_that_keeps_its_version_to_itself_is_alive(cluster, server, until):
    def answer(request):
        if request.path == "/version":
            return status(403, "Forbidden", "no")
        return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})

    server.answer = answer
    await cluster.start()
    await until(lambda: cluster.health().state == "LIVE")


async def test_a_server_that_knows_us_not_is_down_until_it_does(cluster, server, until):
    server.answer = lambda _: status(401, "Unauthorized", "no")
    await cluster.start()
    await until(lambda: "credentials" in cluster.health().reason)
    assert cluster.health().state == "DOWN"
    server.answer = lambda _: web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})
    await until(lambda: cluster.health().state == "LIVE")
