"""Dumps come empty, cut, in another encoding, in YAML, of other namespaces: each is read or refused with what to do."""

import json
import os
from pathlib import Path

import pytest

from kubernaut.adapters.dump import read_dump
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import BadInput
from kubernaut.domain.resources import ResourceRef

from .cluster import NOW
from .incidents_memory import lowered
from .world import World

CHECKOUT = ResourceRef("dump", "Deployment", "checkout", "shop")


def written(directory: Path) -> Path:
    """A dump of an incident."""
    world = World()
    lowered(world)
    return world.write(directory)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_that_another_shell_wrote_are_read(encoding: str, tmp_path: Path) -> None:
    for path in written(tmp_path).rglob("*.json"):
        path.write_text(path.read_text(), encoding=encoding)
    dump = read_dump(tmp_path)
    assert dump.problems == ()
    assert RulesAnalyst().judge(dump.snapshot(CHECKOUT))[0][0].failure_class == "OOMKilled"


@pytest.mark.parametrize("items", [None, []])
def test_an_empty_list_is_knowledge_and_no_problem(items: object, tmp_path: Path) -> None:
    written(tmp_path)
    for kind in ("Event", "ConfigMap"):
        empty = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": items}
        (tmp_path / "shop" / f"{kind.lower()}s.json").write_text(json.dumps(empty))
    snapshot = read_dump(tmp_path).snapshot(CHECKOUT)
    assert snapshot.missing == ()
    assert RulesAnalyst().judge(snapshot)[0][0].confidence > 0.9


def test_a_dump_of_empty_lists_says_that_it_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "pods.json").write_text('{"kind": "PodList", "items": null}')
    with pytest.raises(BadInput, match="holds no Kubernetes objects"):
        read_dump(tmp_path)


def test_a_cut_and_a_malformed_file_are_told_with_the_place(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "cut.json").write_text('{"kind": "List",\n "items": [\n  {"kind": "Pod"')
    (tmp_path / "bad.json").write_text('{"kind": "List",\n "items": [\n  {"kind": Pod}]}')
    problems = "\n".join(read_dump(tmp_path).problems)
    assert "cut.json: not readable as JSON (it ends in the middle, at byte 45 of line 3)" in problems
    assert "bad.json: not readable as JSON (JSON is malformed: invalid character (byte 40), line 3)" in problems


def test_yaml_is_refused_with_the_command_that_makes_it_again(tmp_path: Path) -> None:
    (tmp_path / "nodes.yaml").write_text("kind: NodeList\nitems: []\n")
    with pytest.raises(BadInput, match="-o json --output-directory"):
        read_dump(tmp_path)


def test_files_that_were_copied_later_do_not_make_an_incident_old(tmp_path: Path) -> None:
    for path in written(tmp_path).rglob("*"):
        later = NOW.timestamp() + 50 * 60
        os.utime(path, (later, later))
    dump = read_dump(tmp_path)
    assert abs((dump.taken_at - NOW).total_seconds()) < 60
    assert RulesAnalyst().judge(dump.snapshot(CHECKOUT))[0][0].confidence > 0.9


def test_a_dump_below_another_folder_and_of_some_namespaces_is_read(tmp_path: Path) -> None:
    written(tmp_path / "incident-42" / "dump")
    found = RulesAnalyst().judge(read_dump(tmp_path).snapshot(CHECKOUT))[0]
    assert found[0].failure_class == "OOMKilled"
