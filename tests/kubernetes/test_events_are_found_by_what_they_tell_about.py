"""Events are found by the name of the object that they tell about, whatever else happened to them and however many there are."""

import msgspec
import pytest

from kubernaut.adapters.kubernetes.cache import KindCache
from kubernaut.adapters.kubernetes.cluster import _selected
from kubernaut.adapters.kubernetes.codec import Entry, entry
from kubernaut.domain.resources import KINDS


def event(name: str, about: str, *, namespace: str = "shop", version: int = 1, involved: object = None) -> Entry:
    meta = {"name": name, "namespace": namespace, "uid": f"u-{namespace}-{name}", "resourceVersion": str(version)}
    told = {"kind": "Pod", "namespace": namespace, "name": about} if involved is None else involved
    return entry(msgspec.json.encode({"metadata": meta, "involvedObject": told, "reason": "BackOff"}))


@pytest.fixture
def cache() -> KindCache:
    made = KindCache(KINDS["Event"])
    for number in range(20):
        made.put(event(f"e{number}", f"web-{number % 4}"))
    made.put(event("other", "web-1", namespace="billing"))
    return made


async def names(cache: KindCache, fields: str, namespace: str = "shop") -> list[str]:
    return sorted(e["metadata"]["name"] for e in await _selected(cache, namespace, "", fields))


@pytest.mark.parametrize(
    "fields", ["involvedObject.name=web-1", "involvedObject.name==web-1", "involvedObject.name= web-1"]
)
async def test_by_name_whatever_the_spelling(cache, fields):
    assert await names(cache, fields) == ["e1", "e13", "e17", "e5", "e9"]
    assert await names(cache, fields, "") == ["e1", "e13", "e17", "e5", "e9", "other"]


async def test_with_other_fields_and_without(cache):
    assert await names(cache, "involvedObject.name=web-1,metadata.name=e5") == ["e5"]
    assert len(await names(cache, "involvedObject.name!=web-1")) == 15
    assert len(await names(cache, "")) == 20
    assert await names(cache, "involvedObject.name=nobody") == []


async def test_what_is_gone_or_tells_about_another_is_not_found(cache):
    cache.drop("shop", "e1")
    cache.put(event("e5", "web-2", version=2))
    cache.put(event("e9", "web-1", version=2))
    assert await names(cache, "involvedObject.name=web-1") == ["e13", "e17", "e9"]
    assert "e5" in await names(cache, "involvedObject.name=web-2")
    cache.retain({("shop", "e13")})
    assert await names(cache, "involvedObject.name=web-1", "") == ["e13"]
    assert len(cache) == 1


@pytest.mark.parametrize("involved", [{}, {"name": 7}, {"name": None}, [], "web-1"])
async def test_an_event_about_nothing_readable_is_kept_all_the_same(cache, involved):
    cache.put(event("odd", "", involved=involved))
    assert "odd" in await names(cache, "")
    assert "odd" not in await names(cache, "involvedObject.name=web-1")
    cache.drop("shop", "odd")
    assert len(cache) == 21
