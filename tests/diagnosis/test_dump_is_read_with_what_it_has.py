"""A dump directory is read whatever is missing, cut or foreign in it, and what could not be used is told by name."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubernaut.adapters.dump import read_dump
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.facts import LogKey
from kubernaut.domain.resources import ResourceRef

from .cluster import Cluster, container, ended, out_of_memory_cluster, running
from .test_each_failure_is_found import refused_value, serving

CHECKOUT = ResourceRef("dump", "Deployment", "checkout", "shop")


def kubernaut(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a person would."""
    command = [sys.executable, "-m", "kubernaut.cli.main", "diagnose", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_dump_gives_the_same_findings_as_the_objects_themselves(tmp_path: Path) -> None:
    for i, make in enumerate((out_of_memory_cluster, refused_value, lambda: serving(3, stale=3))):
        cluster = make()
        read = read_dump(cluster.write(tmp_path / str(i)))
        found = RulesAnalyst().judge(read.snapshot(CHECKOUT))[0]
        assert [(f.failure_class, f.immediate is None, f.permanent is None) for f in found] == [
            (f.failure_class, f.immediate is None, f.permanent is None) for f in cluster.findings()
        ]


def test_cut_and_foreign_files_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    whole = (tmp_path / "shop" / "pods.json").read_bytes()
    (tmp_path / "shop" / "services.json").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "shop" / "daemonsets.json").write_bytes(b"")
    (tmp_path / "binary.json").write_bytes(b"\x00\xff\xfe")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "other.json").write_text(
        '{"items": [1, null, {"kind": "Pod"}, {"metadata": {"name": ""}, "kind": "Pod"}]}'
    )
    dump = read_dump(tmp_path)
    for name in ("shop/services.json", "shop/daemonsets.json", "binary.json", "deep.json"):
        assert any(line.startswith(f"{name}: not readable as JSON") for line in dump.problems), name
    assert "other.json: 4 of 4 entries are no Kubernetes objects and were left out" in dump.problems
    snapshot = dump.snapshot(CHECKOUT)
    assert RulesAnalyst().judge(snapshot)[0][0].failure_class == "OOMKilled"
    assert set(dump.problems) <= set(snapshot.missing)


def test_a_cut_file_that_matters_means_no_finding_and_no_guess(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    path = tmp_path / "shop" / "pods.json"
    path.write_bytes(path.read_bytes()[:-100])
    snapshot = read_dump(tmp_path).snapshot(CHECKOUT)
    assert RulesAnalyst().judge(snapshot)[0] == ()
    assert any("shop/pods.json" in line for line in snapshot.missing)
    assert "pods: the dump holds none" in snapshot.missing


def test_logs_of_several_containers_are_told_apart(tmp_path: Path) -> None:
    cluster = Cluster(replicas=1)
    cluster.revision(1, [container(), container("proxy")], created_s=3600)
    cluster.pod("checkout-1-0", running(60), running(60))
    cluster.write(tmp_path)
    file = tmp_path / "shop" / "checkout-1-0" / "logs.txt"
    file.parent.mkdir()
    file.write_text(
        "==== START logs for container app of pod shop/checkout-1-0 ====\n"
        "hello\n"
        "==== START logs for container app of pod kube-system/other ====\n"
        "==== END logs for container app of pod shop/checkout-1-0 ====\n"
        "==== START logs for container proxy of pod shop/checkout-1-0 ====\n"
        "Request log error: the server rejected our request\n"
        "token=abcdef listening\n"
        "==== END logs for container proxy of pod shop/checkout-1-0 ====\n"
    )
    logs = read_dump(tmp_path).snapshot(CHECKOUT).logs
    assert logs[LogKey("shop", "checkout-1-0", "app")].splitlines()[0] == "hello"
    assert logs[LogKey("shop", "checkout-1-0", "proxy")] == "token=[redacted] listening"


def test_lists_beside_the_dump_are_read_and_secrets_lose_their_values(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    secret = {
        "kind": "Secret",
        "metadata": {"name": "db", "namespace": "shop", "annotations": {"last-applied": "aHVudGVyMg=="}},
        "data": {"password": "aHVudGVyMg=="},
        "stringData": {"user": "hunter2"},
    }
    config = {"kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "shop"}, "data": {"A": "1"}}
    (tmp_path / "extra.json").write_text(json.dumps({"kind": "List", "items": [secret, config]}))
    (tmp_path / "one.json").write_text(json.dumps({"kind": "Namespace", "metadata": {"name": "shop"}}))
    snapshot = read_dump(tmp_path).snapshot(CHECKOUT)
    assert snapshot.get("ConfigMap", "settings", "shop") is not None
    assert snapshot.get("Namespace", "shop") is not None
    held = snapshot.get("Secret", "db", "shop")
    assert held is not None
    assert held["data"] == {"password": "", "user": ""}
    assert "hunter2" not in repr(snapshot)
    assert "aHVudGVyMg" not in repr(snapshot)
    assert not any("configmaps" in line for line in snapshot.missing)


def test_an_old_dump_is_as_of_then_and_not_as_of_now(tmp_path: Path) -> None:
    dump = read_dump(out_of_memory_cluster().write(tmp_path))
    assert dump.taken_at == datetime(2026, 3, 14, 3, 12, 15, tzinfo=UTC)


def test_other_namespaces_do_not_leak_in(tmp_path: Path) -> None:
    cluster = out_of_memory_cluster()
    cluster.objects.append({"kind": "ConfigMap", "metadata": {"name": "x", "namespace": "other"}})
    snapshot = read_dump(cluster.write(tmp_path)).snapshot(CHECKOUT)
    assert snapshot.get("ConfigMap", "x", "other") is None


def test_bad_directories_and_unknown_targets_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is no directory; make one with `kubectl cluster-info dump"):
        read_dump(tmp_path / "gone")
    with pytest.raises(BadInput, match="holds no Kubernetes objects"):
        read_dump(tmp_path)
    dump = read_dump(out_of_memory_cluster().write(tmp_path))
    with pytest.raises(NotFound, match="the dump holds checkout"):
        dump.snapshot(ResourceRef("dump", "Deployment", "chekout", "shop"))
    with pytest.raises(NotFound, match="it is in namespace shop: use -n"):
        dump.snapshot(ResourceRef("dump", "Deployment", "checkout", "default"))
    with pytest.raises(NotFound, match="the dump holds no StatefulSet in namespace shop"):
        dump.snapshot(ResourceRef("dump", "StatefulSet", "checkout", "shop"))


def test_the_command_ends_with_the_promised_status(tmp_path: Path) -> None:
    folder = str(out_of_memory_cluster().write(tmp_path / "dump"))
    serving().write(tmp_path / "well")
    well = kubernaut("deploy/checkout", "-n", "shop", "--from-dump", str(tmp_path / "well"))
    assert (well.returncode, well.stderr) == (0, "")
    assert "Nothing wrong was found" in well.stdout
    cases = (
        (("deploy/checkout", "-n", "shop", "--from-dump", folder), 0, ""),
        (("service/checkout", "--from-dump", folder), 2, "kinds are deployment, statefulset, daemonset"),
        (("checkout", "--from-dump", folder), 2, "write KIND/NAME, as deployment/checkout"),
        (("deploy/a", "--from-dump", folder, "--context", "x"), 2, "leave them out"),
        (("deploy/nobody", "-n", "shop", "--from-dump", folder), 4, "the dump holds checkout"),
        (("deploy/a", "--from-dump", str(tmp_path / "gone")), 2, "is no directory"),
        (("deploy/a", "--kubeconfig", str(tmp_path / "gone")), 2, "can't read the kubeconfig"),
        (("deploy/a", "--cluster", "x", "--config", str(tmp_path / "gone")), 2, "can't read the configuration"),
    )
    for arguments, status, said in cases:
        ran = kubernaut(*arguments)
        assert ran.returncode == status, (arguments, ran.stderr)
        assert said in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("alias", ["deployment", "deployments", "deploy", "Deployment", "deployments.apps"])
def test_kubectls_names_for_kinds_are_understood(tmp_path: Path, alias: str) -> None:
    from kubernaut.cli.diagnose import parse_target

    assert parse_target((f"{alias}/checkout",), "shop", "dump") == CHECKOUT
    assert parse_target(("no/n1",), "shop", "dump") == ResourceRef("dump", "Node", "n1", "")


def test_the_document_has_exactly_the_promised_shape(tmp_path: Path) -> None:
    folder = str(out_of_memory_cluster().write(tmp_path))
    document = json.loads(kubernaut("deploy/checkout", "-n", "shop", "--from-dump", folder, "-o", "json").stdout)
    finding = document["findings"][0]
    promised = {"target", "failure_class", "cause", "confidence", "evidence", "immediate", "permanent", "alternatives"}
    assert promised <= set(finding)
    assert set(finding["target"]) == {"kind", "namespace", "name"}
    assert all(set(evidence) == {"object", "field", "value", "time"} for evidence in finding["evidence"])
    times = [evidence["time"] for evidence in finding["evidence"] if evidence["time"]]
    assert times
    assert all(datetime.fromisoformat(at).utcoffset() is not None for at in times)


def test_a_daemonset_beside_the_dump_is_diagnosed(tmp_path: Path) -> None:
    cluster = Cluster(kind="DaemonSet", name="agent")
    cluster.node()
    last = ended("OOMKilled", 137)
    cluster.pod("agent-x", running(20, restarts=3, last=last))
    snapshot = read_dump(cluster.write(tmp_path)).snapshot(ResourceRef("dump", "DaemonSet", "agent", "shop"))
    best = RulesAnalyst().judge(snapshot)[0][0]
    assert best.immediate is not None
    assert best.immediate.action == "restart-daemonset"
