"""`kubernaut diagnose --from-dump` reads a dump directory and says what is wrong."""

import json
from pathlib import Path

import yaml
from click.testing import CliRunner

from kubernaut.cli.diagnose import diagnose

from .cluster import out_of_memory_cluster


def test_an_out_of_memory_kill_is_found_with_evidence_and_both_remedies(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    result = CliRunner().invoke(diagnose, ["deploy/checkout", "-n", "shop", "--from-dump", str(tmp_path), "-o", "json"])
    assert result.exit_code == 0, result.output
    finding = json.loads(result.stdout)["findings"][0]
    assert finding["target"] == {"kind": "Deployment", "namespace": "shop", "name": "checkout"}
    assert finding["failure_class"] == "OOMKilled"
    assert finding["confidence"] > 0.9
    assert finding["evidence"][0]["field"] == "status.containerStatuses[app].lastState.terminated.reason"
    assert finding["immediate"]["action"] == "restart-deployment"
    assert finding["permanent"]["action"] == "update-resources"
    assert finding["permanent"]["parameters"] == {
        "container": "app",
        "field": "limits.memory",
        "from": "128Mi",
        "to": "256Mi",
    }


def test_it_prints_in_every_way(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    asked = ["deploy/checkout", "-n", "shop", "--from-dump", str(tmp_path), "-o"]
    said = {
        way: CliRunner().invoke(diagnose, [*asked, way]).stdout for way in ("table", "wide", "text", "json", "yaml")
    }
    assert said["table"] == said["wide"] == said["text"]
    assert [f["failure_class"] for f in yaml.safe_load(said["yaml"])["findings"]] == ["OOMKilled"]
    assert yaml.safe_load(said["yaml"])["findings"] == json.loads(said["json"])["findings"]


def test_the_text_fits_eighty_columns_and_names_cause_and_remedies(tmp_path: Path) -> None:
    out_of_memory_cluster().write(tmp_path)
    result = CliRunner().invoke(diagnose, ["deployment", "checkout", "-n", "shop", "--from-dump", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    for word in ("128Mi", "256Mi", "restart-deployment", "update-resources", "OOMKilled", "confidence .9"):
        assert word in result.stdout
