"""The way to an API server may lead through a proxy: the kubeconfig's, or the environment's unless NO_PROXY names the host."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from kubernetes_server import kubeconfig, serving

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import Temporary

NAMES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy")


class Server:
    """An API server, or a proxy that answers in its place; remembers who came how."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.headers["Host"], request.headers.get("Authorization", "")))
        return web.json_response({"metadata": {"name": "n", "uid": "u", "resourceVersion": "1"}})

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")


@pytest.fixture
async def servers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Server, Server]]:
    """An API server and a proxy, in an environment that names no proxy."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    api, proxy = Server(), Server()
    async with serving(api.answer) as api.url, serving(proxy.answer) as proxy.url:
        yield api, proxy


async def read(path: Path, clock: object) -> None:
    cluster = await KubernetesCluster.connect("c", path, None, clock)
    try:
        assert await cluster.get("Node", "", "n", live=True)
    finally:
        await cluster.close()


async def test_the_environments_proxy_is_asked_with_its_password(tmp_path, clock, monkeypatch):
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ana:p%40ss@127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        with pytest.raises(Temporary, match="no answer from the API server"):
            await read(kubeconfig(tmp_path / "config", "https://api.example:6443"), clock)
    assert asked[0].startswith(b"CONNECT api.example:6443 ")
    assert b"Proxy-Authorization: Basic YW5hOnBAc3M=" in asked[0]


async def test_a_host_of_no_proxy_is_asked_directly(servers, tmp_path, clock, monkeypatch):
    api, proxy = servers
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "other.example,127.0.0.1")
    await read(kubeconfig(tmp_path / "config", api.url), clock)
    assert (len(api.asked), len(proxy.asked)) == (1, 0)


async def test_the_kubeconfigs_proxy_goes_before_the_environment(servers, tmp_path, clock, monkeypatch):
    api, proxy = servers
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "*")
    path = kubeconfig(tmp_path / "config", api.url)
    config = yaml.safe_load(path.read_text())
    config["clusters"][0]["cluster"]["proxy-url"] = proxy.url
    path.write_text(yaml.safe_dump(config))
    await read(path, clock)
    assert (len(api.asked), len(proxy.asked)) == (0, 1)


async def test_a_netrc_is_nobodys_business(servers, tmp_path, clock, monkeypatch):
    api, _ = servers
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ana password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    await read(kubeconfig(tmp_path / "config", api.url, {"name": "nobody"}), clock)
    assert api.asked == [(api.host, "")]
