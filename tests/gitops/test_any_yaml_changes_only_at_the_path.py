"""Property: whatever the document looks like, the edit changes the value at the path, its own line, and nothing else."""

import json
import re
from typing import Any

import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.resources import ResourceRef
from kubernaut.gitops import marks, splice
from kubernaut.gitops.edit import plan_edit

_TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\ufeff", exclude_categories=("Cc", "Cs")),
    max_size=12,
)
_LINES = st.lists(_TEXT, min_size=1, max_size=4).map("\n".join)
_WORDS = st.sampled_from(
    ["on", "no", "y", "1e3", "0123", "0o14", "0x1F", "1_000", "12:30", "2024-01-01", "null", "~", "", "true", ".inf", "=", "<<",
     "- a", "a: b", "a #b", "#b", "'x'", '"x"', "[a", "{a", "*a", "&a", "!a", "%a", "@a", "`a", "|", ">", "?", ": ", "a:", "---",
     "..."]
)  # fmt: skip
_VALUES = st.one_of(_WORDS, _TEXT, _LINES, st.builds(lambda a, n: a + "\n" * n, _LINES, st.integers(0, 3)))
_KEYS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,8}", fullmatch=True).filter(
    lambda key: key.lower() not in ("y", "n", "no", "on")
)
_TREE = st.recursive(
    st.one_of(_VALUES, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)
_STYLES = st.sampled_from([None, '"', "'", "|", ">"])
_SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def dumped(data: Any, style: str | None, indent: int, flow: bool | None) -> str:
    """The document as somebody might have written it."""
    return yaml.safe_dump(
        data, default_style=style, indent=indent, default_flow_style=flow, allow_unicode=True, sort_keys=False, width=60
    )


def strings(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of all string values."""
    if isinstance(data, str):
        return [path]
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in pairs for found in strings(value, (*path, key))]


def node_at(text: str, path: tuple[str | int, ...]) -> yaml.Node:
    node = marks.documents(text)[0]
    for part in path:
        node = marks.items(node)[part] if isinstance(part, int) else marks.child(node, part)
    assert node is not None
    return node


def replaced(data: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = replaced(copy[path[0]], path[1:], value)
    return copy


@_SETTINGS
@given(
    st.dictionaries(_KEYS, _TREE, min_size=1, max_size=4),
    _VALUES,
    _STYLES,
    st.sampled_from([2, 4]),
    st.booleans(),
    st.data(),
)
def test_replacing_a_string(
    data: Any, value: str, style: str | None, indent: int, crlf: bool, draw: st.DataObject
) -> None:
    text = dumped(data, style, indent, draw.draw(st.sampled_from([False, True, None])))
    text = "# head\n" + text + "# tail\n---\nother: 1 # doc\n"
    text = text.replace("\n", "\r\n") if crlf else text
    data = next(yaml.safe_load_all(text))
    paths = strings(data)
    if not paths:
        return
    path = draw.draw(st.sampled_from(paths))
    node = node_at(text, path)
    after = splice.replace_value(text, node, value, string=True)

    assert list(yaml.safe_load_all(after)) == [replaced(data, path, value), {"other": 1}]
    start, end = node.start_mark.index, node.end_mark.index
    assert after[:start] == text[:start]
    assert after.endswith(text[end:])
    assert ("\r\n" in after) == crlf
    assert not crlf or not re.search(r"(?<!\r)\n", after)


@_SETTINGS
@given(_VALUES, _STYLES)
def test_every_reader_takes_it_for_the_same_string(value: str, style: str | None) -> None:
    text = dumped({"data": {"key": "old", "next": "x"}}, style, 2, False)
    node = node_at(text, ("data", "key"))
    after = splice.replace_value(text, node, value, string=True)
    for version in ("1.1", "1.2"):
        reader = YAML(typ="safe", pure=True)
        reader.version = version  # type: ignore[assignment]
        assert reader.load(after)["data"] == {"key": value, "next": "x"}


@_SETTINGS
@given(
    st.dictionaries(_KEYS, _TREE, max_size=3),
    _VALUES,
    st.sampled_from([2, 4]),
    st.sampled_from([False, True, None]),
    st.booleans(),
)
@example({"B": "\n\xa0", "A": None}, "on", 2, True, False)  # a space for Python, but not for YAML
def test_inserting_a_value(data: dict[str, Any], value: str, indent: int, flow: bool | None, crlf: bool) -> None:
    value = value.replace("\n", " ")
    whole = {"before": 1, "data": {k: v for k, v in data.items() if k != "new"}, "after": [1]}
    text = dumped(whole, None, indent, flow) + "# tail\n"
    text = text.replace("\n", "\r\n") if crlf else text
    whole = yaml.safe_load(text)
    after = splice.insert_value(text, node_at(text, ("data",)), ["new", "deep"], value, string=True)
    assert yaml.safe_load(after) == {**whole, "data": {**whole["data"], "new": {"deep": value}}}
    kept = iter(after)
    missing = [c for c in text if c not in kept] if whole["data"] else []
    assert missing == []  # the old text is a subsequence of the new one: nothing was rewritten


@_SETTINGS
@given(st.dictionaries(_KEYS, _TREE, min_size=1, max_size=3), _VALUES, st.sampled_from([None, 2]))
def test_json_stays_json(data: dict[str, Any], value: str, indent: int | None) -> None:
    data = {k: v for k, v in data.items() if k != "new"} | {"old": "x"}
    text = json.dumps(data, indent=indent, ensure_ascii=False) + "\n"
    if yaml.safe_load(text) != data:
        return  # JSON that YAML reads differently, as duplicate or exotic keys
    assert json.loads(splice.replace_value(text, node_at(text, ("old",)), value, string=True)) == {**data, "old": value}
    root = marks.documents(text)[0]
    assert root is not None
    assert json.loads(splice.insert_value(text, root, ["new"], value, string=True)) == {**data, "new": value}


_NAMES = st.lists(st.sampled_from(["proxy", "side", "init-db", "metrics", "agent"]), unique=True, max_size=3)


def container(name: str, resources: Any) -> dict[str, Any]:
    return {"name": name, "image": f"registry.example/{name}:1.0", **({"resources": resources} if resources else {})}


@_SETTINGS
@given(
    _NAMES, st.integers(0, 3), st.booleans(),
    st.sampled_from([{}, {"limits": {}}, {"limits": {"cpu": "1"}}, {"limits": {"memory": "128Mi", "cpu": 1}}]),
    _TREE, st.sampled_from([None, '"', "'"]), st.sampled_from([2, 4]), st.sampled_from([False, True, None]), st.booleans(),
)  # fmt: skip
@example(
    [], 0, False, {"limits": {}}, None, '"', 2, True, False
)  # a flow that is broken into lines right before the key
def test_one_container_s_limit_among_everything_else(
    others: list[str], at: int, initial: bool, resources: dict[str, Any], more: Any, style: str | None, indent: int,
    flow: bool | None, crlf: bool,
) -> None:  # fmt: skip
    """A whole manifest with neighbours, through the door that the pipeline uses; both readers see the same change."""
    containers = [container(name, {"limits": {"memory": "128Mi"}}) for name in others]
    containers.insert(min(at, len(others)), container("app", resources))
    group, other = ("initContainers", "containers") if initial else ("containers", "initContainers")
    spec = {"template": {"spec": {group: containers, other: [container("last", {})], "x": more}}}
    wanted = {"kind": "Deployment", "metadata": {"name": "checkout", "namespace": "shop"}, "spec": spec}
    neighbour = {"kind": "Deployment", "metadata": {"name": "other", "namespace": "shop"}, "spec": spec}
    text = "".join(f"# {n}\n---\n{dumped(item, style, indent, flow)}" for n, item in enumerate((neighbour, wanted)))
    text = text.replace("\n", "\r\n") if crlf else text
    before = list(yaml.safe_load_all(text))
    old = (resources.get("limits") or {}).get("memory")
    action = ActionProposal(
        "update-resources", ResourceRef("prod", "Deployment", "checkout", "shop"),
        {"container": "app", "field": "limits.memory", "from": old, "to": "256Mi"},
    )  # fmt: skip
    (change,) = plan_edit({"app/d.yaml": text}, action, "app").files
    place = next(n for n, item in enumerate(containers) if item["name"] == "app")
    path = ("spec", "template", "spec", group, place)
    after = container("app", {**resources, "limits": {**resources.get("limits", {}), "memory": "256Mi"}})
    assert list(yaml.safe_load_all(change.after)) == [before[0], replaced(before[1], path, after)]
    old_lines, new_lines = text.split("\n"), change.after.split("\n")
    assert len(set(old_lines) - set(new_lines)) <= 1
    assert change.line > len(text.split("# 1")[0].split("\n")) - 1
