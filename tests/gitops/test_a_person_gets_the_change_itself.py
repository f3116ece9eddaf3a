"""Where no pull request can be made the reason comes with the change: one line, and a patch that Kustomize takes."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from gitops_world import CONFIG, config, image, memory

from kubernaut.domain.analysis import ActionProposal
from kubernaut.gitops import byhand
from kubernaut.lab.parts import Parts

BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout, namespace: shop}
spec:
  template:
    spec:
      containers:
        - {name: side, image: "x:1"}
        - {name: app, image: "reg/checkout:1", resources: {limits: {memory: 128Mi, cpu: 1}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: checkout-config, namespace: shop}
data: {A: "x", B: "1"}
"""


def rendered(folder: Path, patch: str) -> dict[str, Any]:
    parts = Parts.find()
    if reason := parts.why_missing(["control-plane"]):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"genuine part missing: {reason}")
    (folder / "kustomization.yaml").write_text("resources: [base.yaml]\npatches: [{path: patch.yaml}]\n")
    (folder / "base.yaml").write_text(BASE)
    (folder / "patch.yaml").write_text(patch)
    command = [str(parts.path("control-plane", "kubectl")), "kustomize", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return {item["kind"]: item for item in yaml.safe_load_all(done.stdout)}


@pytest.mark.genuine
def test_the_patch_makes_the_change_and_no_other(tmp_path: Path) -> None:
    found = rendered(tmp_path, byhand.patch_text(memory()))
    side, app = sorted(
        found["Deployment"]["spec"]["template"]["spec"]["containers"], key=lambda c: c["name"], reverse=True
    )
    assert side == {"name": "side", "image": "x:1"}
    assert app == {"name": "app", "image": "reg/checkout:1", "resources": {"limits": {"memory": "256Mi", "cpu": 1}}}
    found = rendered(tmp_path, byhand.patch_text(image("reg/checkout:1", "reg/checkout:0")))
    assert {c["image"] for c in found["Deployment"]["spec"]["template"]["spec"]["containers"]} == {
        "x:1",
        "reg/checkout:0",
    }
    found = rendered(tmp_path, byhand.patch_text(config("A", "x", "on\n#2: ü")))
    assert found["ConfigMap"]["data"] == {"A": "on\n#2: ü", "B": "1"}


def test_the_line_names_field_object_and_values() -> None:
    assert byhand.told("no forge is configured", memory()) == (
        "no forge is configured; by hand: set limits.memory of container app of Deployment shop/checkout from 128Mi to 256Mi"
    )
    long = byhand.told("why", config("A", "x\ny", "z" * 500))
    assert long.startswith("why; by hand: set A of ConfigMap shop/checkout-config from x y to zzz")
    assert len(long) < 160


def test_what_looks_like_a_credential_is_left_out() -> None:
    action = config("URL", "http://a", "https://user:hunter2@db/shop")
    assert "hunter2" not in byhand.patch_text(action)
    assert "hunter2" not in byhand.told("why", action)


def test_a_change_that_is_not_known_is_not_made_up() -> None:
    other = ActionProposal("scale-up", CONFIG, {"to": "3"})
    assert (byhand.patch_text(other), byhand.told("why", other)) == ("", "why")
