"""A client key that a kubeconfig carries inline, or that a plugin gives, never becomes a file; and a new one is taken when the
server does not accept the old one any more.

Every server here asks for a client certificate and answers with the name that it bears.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from kubernetes_certificates import Authority
from kubernetes_server import status

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import Temporary


class Server:
    """An API server that knows one Namespace, called like whoever asks."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.unwelcome = ""
        self.tls = authority.server_side(folder)
        self.tls.verify_mode = ssl.CERT_REQUIRED

    async def answer(self, request: web.Request) -> web.StreamResponse:
        certificate = request.transport.get_extra_info("peercert")
        name = dict(pair for entry in certificate["subject"] for pair in entry)["commonName"]
        if name == self.unwelcome:
            return status(401, "Unauthorized", "who is that?")
        return web.json_response({"metadata": {"name": name, "uid": "u", "resourceVersion": "1"}})


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def server(authority: Authority, tmp_path: Path) -> AsyncIterator[Server]:
    made = Server(authority, tmp_path)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=made.tls).start()
    made.url = f"https://localhost:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def inline(authority: Authority, name: str) -> dict[str, object]:
    certificate, key = (b64encode(content).decode() for content in authority.issue(name))
    return {"client-certificate-data": certificate, "client-key-data": key}


def plugin(path: Path, authority: Authority, name: str) -> dict[str, object]:
    certificate, key = (content.decode() for content in authority.issue(name))
    given = {"clientCertificateData": certificate, "clientKeyData": key}
    version = "client.authentication.k8s.io/v1"
    (path / "credential").write_text(json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": given}))
    (path / "plugin").write_text(f"#!/bin/sh\nexec cat {path / 'credential'}\n")
    (path / "plugin").chmod(0o755)
    return {"exec": {"apiVersion": version, "command": str(path / "plugin")}}


async def asked_name(cluster: KubernetesCluster) -> str:
    found = await cluster.get("Namespace", "", "whoever", live=True)
    assert found is not None
    return str(found["metadata"]["name"])


PROGRAM = """
import asyncio, os, pathlib, sys
from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.clock import SystemClock

async def main():
    cluster = await KubernetesCluster.connect("c", pathlib.Path(sys.argv[1]), None, SystemClock())
    found = await cluster.get("Namespace", "", "whoever", live=True)
    print(found["metadata"]["name"], flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["inline", "plugin"])
async def test_a_process_that_is_killed_leaves_no_key(server, authority, tmp_path, kind):
    user = inline(authority, "me") if kind == "inline" else plugin(tmp_path, authority, "me")
    path = authority.kubeconfig(tmp_path / "config", server.url, user)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(path), env={**os.environ, "TMPDIR": str(temporary)},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"me\n"
        assert list(temporary.iterdir()) == []
    finally:
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    assert list(temporary.iterdir()) == []


async def test_a_file_that_was_written_anew_is_read_when_the_old_certificate_is_refused(
    server, authority, tmp_path, clock
):
    files = {"client-certificate": tmp_path / "me.crt", "client-key": tmp_path / "me.key"}

    def write(name: str) -> None:
        for file, content in zip(files.values(), authority.issue(name), strict=True):
            file.write_bytes(content)

    write("old")
    user = {key: file.name for key, file in files.items()}  # relative to the kubeconfig, as kubectl takes them
    path = authority.kubeconfig(tmp_path / "config", server.url, user)
    cluster = await KubernetesCluster.connect("c", path, None, clock)
    try:
        assert await asked_name(cluster) == "old"
        write("new")
        assert await asked_name(cluster) == "old"
        server.unwelcome = "old"
        assert await asked_name(cluster) == "new"
    finally:
        await cluster.close()


async def test_a_plugin_is_asked_again_when_its_certificate_is_refused(server, authority, tmp_path, clock):
    path = authority.kubeconfig(tmp_path / "config", server.url, plugin(tmp_path, authority, "old"))
    cluster = await KubernetesCluster.connect("c", path, None, clock)
    try:
        assert await asked_name(cluster) == "old"
        plugin(tmp_path, authority, "new")
        server.unwelcome = "old"
        assert await asked_name(cluster) == "new"
    finally:
        await cluster.close()


async def test_a_key_that_is_none_is_told_without_its_content(server, authority, tmp_path, clock):
    user = inline(authority, "me") | {"client-key-data": b64encode(b"BEGIN hunter2").decode()}
    cluster = await KubernetesCluster.connect(
        "c", authority.kubeconfig(tmp_path / "config", server.url, user), None, clock
    )
    try:
        with pytest.raises(Temporary, match="can't load the credentials") as told:
            await asked_name(cluster)
        assert "hunter2" not in str(told.value)
    finally:
        await cluster.close()
