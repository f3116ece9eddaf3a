"""A hundred remediations that begin at one moment ask the API server's authorizer once, and each of them gets the answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web
from kubernetes_server import kubeconfig, serving, status

from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.domain.errors import Temporary


class Authorizer:
    """Answers when the test says so. `allowed`: who may do what, as namespace/name; an empty name means all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.allowed = {"shop/"}
        self.broken = False
        self.open = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        wanted = msgspec.json.decode(await request.read())["spec"]["resourceAttributes"]
        self.asked.append(f"{wanted['namespace']}/{wanted.get('name', '')}")
        await self.open.wait()
        if self.broken:
            return status(503, "ServiceUnavailable", "not now")
        return web.json_response({"status": {"allowed": self.asked[-1] in self.allowed}}, status=201)


@pytest.fixture
async def authorizer() -> AsyncIterator[Authorizer]:
    made = Authorizer()
    async with serving(made.answer) as made.url:
        yield made


@pytest.fixture
async def cluster(authorizer, tmp_path, clock) -> AsyncIterator[KubernetesCluster]:
    made = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", authorizer.url), None, clock)
    yield made
    await made.close()


def ask(cluster: KubernetesCluster, name: str, namespace: str = "shop") -> asyncio.Task[str]:
    return asyncio.ensure_future(cluster.allowed("patch", "Deployment", namespace, name))


async def test_all_who_ask_at_once_share_one_answer(cluster, authorizer, until):
    questions = [ask(cluster, f"web-{n}") for n in range(50)]
    await until(lambda: authorizer.asked)
    authorizer.open.set()
    assert set(await asyncio.gather(*questions)) == {""}
    assert authorizer.asked == ["shop/"]


async def test_a_refusal_for_all_is_asked_about_each(cluster, authorizer):
    authorizer.open.set()
    authorizer.allowed = {"shop/web-1"}
    told = await asyncio.gather(*(ask(cluster, f"web-{n}") for n in range(3)))
    assert [bool(refusal) for refusal in told] == [True, False, True]
    assert sorted(authorizer.asked) == ["shop/", "shop/web-0", "shop/web-1", "shop/web-2"]


async def test_who_leaves_takes_no_answer_from_those_who_wait(cluster, authorizer, until):
    first = ask(cluster, "web-0")
    await until(lambda: authorizer.asked)
    others = [ask(cluster, f"web-{n}") for n in range(1, 5)]
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    authorizer.open.set()
    assert set(await asyncio.gather(*others)) == {""}
    assert authorizer.asked == ["shop/", "shop/"]


async def test_a_failure_is_everybodys_and_not_remembered(cluster, authorizer, until):
    authorizer.broken = True
    questions = [ask(cluster, f"web-{n}") for n in range(5)]
    await until(lambda: authorizer.asked)
    authorizer.open.set()
    told = await asyncio.gather(*questions, return_exceptions=True)
    assert all(isinstance(error, Temporary) for error in told)
    assert authorizer.asked == ["shop/"]
    authorizer.broken = False
    assert await ask(cluster, "web-0") == ""


class PutBack:
    """A clock that a test puts back."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


async def test_an_answer_from_before_the_clock_was_put_back_is_not_kept_until_it_has_caught_up(authorizer, tmp_path):
    authorizer.open.set()
    clock = PutBack()
    cluster = await KubernetesCluster.connect("c", kubeconfig(tmp_path / "config", authorizer.url), None, clock)
    try:
        authorizer.allowed = set()
        assert "RBAC" in await cluster.allowed("patch", "Deployment", "shop")
        clock.at -= timedelta(hours=1)
        authorizer.allowed = {"shop/"}
        assert await cluster.allowed("patch", "Deployment", "shop") == ""
    finally:
        await cluster.close()
