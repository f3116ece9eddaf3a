"""Parameters, names and methods that make no sense are refused, with the same words and before anything is done."""

from typing import Any

import pytest

from .raw import CONFIG, DEPLOYMENTS, MERGE_PATCH, PODS, Cluster, config

POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "c", "image": "r:1"}], "nodeSelector": {"no": "where"}},
}
SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 1}}


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ({"tailLines": "-1"}, 422, "tailLines"),
        ({"sinceSeconds": "0"}, 422, "sinceSeconds"),
        ({"limitBytes": "0"}, 422, "limitBytes"),
        ({"tailLines": "x"}, 400, ""),
    ],
)
async def test_a_log_is_asked_for_by_numbers_that_make_sense(
    cluster: Cluster, query: dict[str, str], code: int, field: str
) -> None:
    await cluster.made(PODS, POD)
    answer = await cluster.get(f"{PODS}/p/log", **query)
    assert (answer.code, [cause["field"] for cause in answer.causes]) == (code, [field] if field else [])


@pytest.mark.parametrize(
    ("query", "code", "reasons"),
    [
        ({"resourceVersionMatch": "Exact"}, 422, ["FieldValueForbidden"]),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422, ["FieldValueForbidden"]),
        ({"resourceVersionMatch": "Odd", "resourceVersion": "1"}, 422, ["FieldValueNotSupported"]),
        ({"sendInitialEvents": "true"}, 422, ["FieldValueForbidden"]),
        ({"timeoutSeconds": "x"}, 400, []),
        ({"watch": "1", "sendInitialEvents": "true"}, 422, ["FieldValueForbidden"]),
        (
            {"watch": "1", "resourceVersionMatch": "Exact", "resourceVersion": "0"},
            422,
            ["FieldValueForbidden", "FieldValueNotSupported"],
        ),
        ({"resourceVersionMatch": "NotOlderThan", "resourceVersion": "0"}, 200, []),
    ],
)
async def test_a_list_or_watch_says_clearly_from_when(
    cluster: Cluster, query: dict[str, str], code: int, reasons: list[str]
) -> None:
    answer = await cluster.get(CONFIG, **query)
    assert (answer.code, [cause["reason"] for cause in answer.causes]) == (code, reasons)


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        ("PUT", f"{CONFIG}/a", {"metadata": {}}, 400, "name must be provided"),
        (
            "PUT",
            f"{DEPLOYMENTS}/w/scale",
            {**SCALE, "metadata": {"name": "v"}},
            400,
            "does not match the name on the URL",
        ),
        ("PUT", CONFIG, config("a"), 405, "does not allow this method"),
        ("PATCH", CONFIG, {}, 405, "does not allow this method"),
        ("POST", f"{DEPLOYMENTS}/w/status", {"metadata": {"name": "w"}}, 405, "does not allow this method"),
        ("DELETE", f"{DEPLOYMENTS}/w/status", {}, 405, "does not allow this method"),
    ],
)
async def test_what_is_written_is_named_once_and_where_it_can_be(
    cluster: Cluster, method: str, path: str, body: dict[str, Any], code: int, words: str
) -> None:
    labels = {"matchLabels": {"a": "b"}}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": POD["spec"]}
    await cluster.made(CONFIG, config("a"))
    await cluster.made(
        DEPLOYMENTS, {"metadata": {"name": "w"}, "spec": {"replicas": 0, "selector": labels, "template": template}}
    )
    kind = MERGE_PATCH if method == "PATCH" else "application/json"
    answer = await cluster.call(method, path, body, kind=kind)
    assert answer.code == code
    assert words in str(answer.body.get("message"))


async def test_a_manager_has_a_short_name(cluster: Cluster) -> None:
    answer = await cluster.post(CONFIG, config("a"), fieldManager="x" * 129)
    assert (answer.code, [cause["reason"] for cause in answer.causes]) == (422, ["FieldValueTooLong"])
