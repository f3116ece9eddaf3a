"""Policies written by a test: a good set with one file changed."""

import shutil
from pathlib import Path

from kubernaut.adapters.rego.shipped import shipped_policies

DECISION = {
    "approval_type": "rego-auto-approved",
    "auto_approve": True,
    "require_approval": False,
    "deny": False,
    "reason": "It runs alone.",
    "rule": "low_risk",
    "min_approvers": 0,
    "approver_groups": [],
    "violations": [],
    "four_eyes": False,
}


def copy_of_shipped(folder: Path) -> Path:
    """The shipped policies in a folder of the test's own."""
    shutil.copytree(shipped_policies(), folder / "policies")
    return folder / "policies"


def approval_of_its_own(folder: Path, text: str) -> Path:
    """The shipped policies with another approval.rego, below its package line."""
    directory = copy_of_shipped(folder)
    (directory / "approval_test.rego").unlink()
    (directory / "approval.rego").write_text(f"package kubernaut.approval\n\n{text}\n")
    return directory
