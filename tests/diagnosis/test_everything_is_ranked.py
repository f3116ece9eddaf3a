"""Asked about everything, the rules tell each fault once, the surest first, and nothing about what is well."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kubernaut.adapters.dump import read_dump
from kubernaut.cli.diagnose import diagnose
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.diagnosis.survey import survey
from kubernaut.domain.analysis import Finding
from kubernaut.domain.errors import BadInput, KubernautError, NotFound
from kubernaut.domain.facts import LogKey, Snapshot
from kubernaut.domain.resources import ResourceRef

from .cluster import NOW
from .crowd import add_crowd
from .expectation import Incident, wrong
from .incidents_crashes import dependency_down, no_configmap
from .incidents_images import TAGS, _stuck
from .incidents_memory import stateful
from .incidents_nodes import lost
from .test_incidents_that_others_have import INCIDENTS, asked
from .world import FLAVOURS, World, clean

EVERYTHING = ResourceRef("dump", "Cluster", "dump")


def surveyed(world: World, directory: Path) -> tuple[Finding, ...]:
    """What is found in a dump of the world when nothing is named."""
    dump = read_dump(world.write(directory))
    return survey(dump.everything(EVERYTHING), RulesAnalyst().judge)[0]


def at_once(world: World, leave_out: Any) -> tuple[Finding, ...]:
    """The same without the files."""
    objects = tuple(clean(o) for o in world.objects if o["kind"] not in leave_out)
    texts = world.logs.items()
    logs = {LogKey(*pod, container): text for pod, said in texts for container, text in said.items()}
    missing = tuple(f"{kind}s: none" for kind in leave_out)
    return survey(Snapshot(EVERYTHING, NOW, objects, logs, missing=missing), RulesAnalyst().judge)[0]


def ran(*arguments: str) -> tuple[str, KubernautError | None]:
    """What the command prints, or the error that it ends with."""
    result = CliRunner().invoke(diagnose, arguments)
    if result.exception is not None and not isinstance(result.exception, KubernautError):
        raise result.exception
    return result.output, result.exception


@pytest.mark.parametrize("flavour", FLAVOURS, ids=lambda f: f.name)
def test_nothing_is_found_in_a_cluster_that_is_well(flavour: Any, tmp_path: Path) -> None:
    world = World(flavour)
    add_crowd(world)
    assert surveyed(world, tmp_path) == ()


@pytest.mark.parametrize("it", INCIDENTS, ids=lambda it: it.name)
def test_an_incident_is_found_without_being_named_and_nothing_else(it: Incident) -> None:
    world = World()
    it.build(world)
    mine = {(o["kind"], o["metadata"]["name"]) for o in world.objects} | set(it.at)
    ref = asked(it, world)
    add_crowd(world)
    found = at_once(world, it.leave_out)
    foreign = [f"{f.failure_class} {f.target} {f.cause}" for f in found if (f.target.kind, f.target.name) not in mine]
    assert [f for f in foreign if ref.name not in f and "regcred" not in f] == []
    if it.lenient or (it.empty and ref.kind == "Deployment"):
        return
    ours = [f for f in found if not it.at or {(f.target.kind, f.target.name), (f.target.kind, "*")} & set(it.at)]
    best = [f for f in ours if not it.classes or f.failure_class in it.classes]
    assert wrong(replace(it, says=(), sure=(it.sure[0], 0.99)), best) == []


def test_several_faults_are_told_once_each_and_the_surest_first(tmp_path: Path) -> None:
    world = World()
    add_crowd(world)
    no_configmap(world)
    stateful(world)
    lost(world)
    found = surveyed(world, tmp_path)
    told = [(f.target.kind, f.target.name, f.failure_class) for f in found if f.confidence >= 0.7]
    assert len(told) == len(set(told))
    assert {t[:2] for t in told} == {
        ("ConfigMap", "settings"), ("StatefulSet", "warehouse-db"), ("Node", "worker-a"),
    }  # fmt: skip
    assert [f.confidence for f in found] == sorted((f.confidence for f in found), reverse=True)


def test_the_cause_comes_before_what_suffers_from_it(tmp_path: Path) -> None:
    world = World()
    dependency_down(world)
    found = surveyed(world, tmp_path)
    assert (found[0].target.name, found[0].failure_class) == ("orders-db", "OOMKilled")
    assert "can't reach" not in found[0].cause
    assert all(f.confidence < 0.7 for f in found[1:])


def test_the_command_tells_everything_or_one_namespace(tmp_path: Path) -> None:
    world = World()
    add_crowd(world)
    _stuck(TAGS["containerd"])(world)
    stateful(world)
    folder = str(world.write(tmp_path))
    for arguments, kind, classes in (
        (["--from-dump", folder], "Cluster", ["ImagePullBackOff", "OOMKilled"]),
        (["-A", "--from-dump", folder], "Cluster", ["ImagePullBackOff", "OOMKilled"]),
        (["-n", "shop", "--from-dump", folder], "Namespace", ["ImagePullBackOff"]),
        (["-n", "search", "--from-dump", folder], "Namespace", []),
    ):
        document = json.loads(ran(*arguments, "-o", "json")[0])
        assert document["target"]["kind"] == kind
        assert sorted(f["failure_class"] for f in document["findings"]) == classes
        assert document["seen"]
        assert ran(*arguments)[0]
    assert "Nothing wrong was found" in ran("-n", "search", "--from-dump", folder)[0]


def test_what_can_not_be_meant_says_what_to_write(tmp_path: Path) -> None:
    world = World()
    add_crowd(world)
    folder = str(world.write(tmp_path))
    for arguments, error, said in (
        (["deploy/x", "-A", "--from-dump", folder], BadInput, "leave out -A"),
        (["-n", "nowhere", "--from-dump", folder], NotFound, "it holds billing, data"),
        (["deploy/x", "-n", "nowhere", "--from-dump", folder], NotFound, "nothing of this namespace, but billing"),
        (["rollout/x", "--from-dump", folder], BadInput, "kinds are deployment"),
    ):
        raised = ran(*arguments)[1]
        assert isinstance(raised, error)
        assert said in str(raised)


@pytest.mark.parametrize(
    ("word", "kind"),
    [("deploy", "Deployment"), ("sts", "StatefulSet"), ("ds", "DaemonSet"), ("rs", "ReplicaSet"), ("po", "Pod"),
     ("no", "Node"), ("job", "Job"), ("cj", "CronJob"), ("cronjobs", "CronJob"), ("Jobs", "Job")],
)  # fmt: skip
def test_short_names_mean_what_they_mean_to_kubectl(word: str, kind: str) -> None:
    from kubernaut.cli.diagnose import parse_target

    for words in ((f"{word}/x",), (word, "x")):
        assert parse_target(words, "shop", "c").kind == kind
