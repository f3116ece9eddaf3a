"""`kubernaut policy check|test|eval`: what they print, and the status they end with."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from policies_on_disk import DECISION, approval_of_its_own, copy_of_shipped

from kubernaut.adapters.rego.samples import sample
from kubernaut.cli.main import main


@dataclass(frozen=True)
class Said:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def run(*arguments: str | Path, stdin: str = "") -> Said:
    with CliRunner().isolation(input=stdin) as (out, err, _):
        with pytest.raises(SystemExit) as ended:
            main(["policy", *(str(argument) for argument in arguments)])
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out.getvalue().decode(), err.getvalue().decode())


def test_the_shipped_policies_are_fit_and_pass_their_tests() -> None:
    checked, tested = run("check"), run("test")
    assert (checked.exit_code, tested.exit_code) == (0, 0)
    assert "samples decided" in checked.stdout
    assert ", 0 failed" not in checked.stdout
    assert tested.stdout.endswith(" passed, 0 failed\n")
    assert "pass  kubernaut.approval_test.test_low_risk_runs_alone_in_production" in tested.stdout


def test_check_names_file_and_line(tmp_path: Path) -> None:
    directory = approval_of_its_own(tmp_path, "decision := {")
    result = run("check", directory)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{directory}/approval.rego:4: ")


def test_check_finds_decisions_that_break_the_contract(tmp_path: Path) -> None:
    incomplete = {key: value for key, value in DECISION.items() if key != "min_approvers"}
    result = run("check", approval_of_its_own(tmp_path, f"decision := {json.dumps(incomplete)}"))
    assert result.exit_code == 2
    assert "missing: min_approvers" in result.stderr
    assert "Traceback" not in result.output


def test_check_finds_syntax_errors_in_tests(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    (directory / "safety_test.rego").write_text("package x\n\ntest_a if {\n")
    result = run("check", directory)
    assert result.exit_code == 2
    assert "safety_test.rego:" in result.stderr


def test_check_says_what_is_missing(tmp_path: Path) -> None:
    result = run("check", tmp_path / "nowhere")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "no such directory" in result.stderr


@pytest.mark.parametrize(
    ("body", "because"),
    [
        ("1 == 2", "undefined"),
        ('x := sprintf("%d", [2.5])', "own_test.rego:3"),
    ],
)
def test_a_failing_test_is_reported_with_its_place(tmp_path: Path, body: str, because: str) -> None:
    directory = copy_of_shipped(tmp_path)
    (directory / "own_test.rego").write_text(f"package own_test\n\ntest_wrong if {{ {body} }}\n\ntest_right if true\n")
    result = run("test", directory)
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if "test_wrong" in line]
    assert line.startswith(f"FAIL  own_test.test_wrong  {directory}/own_test.rego:3: ")
    assert because in line
    assert "pass  own_test.test_right" in result.stdout
    assert result.stdout.endswith(", 1 failed\n")


def test_a_directory_without_tests_has_not_passed(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    for path in directory.glob("*_test.rego"):
        path.unlink()
    assert run("test", directory).exit_code == 1


def test_eval_prints_the_decision_as_json(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(json.dumps(sample()))
    result = run("eval", "--input", path, "-o", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == DECISION | {"reason": "Low risk: it runs alone."}


def test_eval_reads_standard_input_and_ends_with_3_when_denied() -> None:
    document = sample()
    document["target"]["namespace"] = "kube-system"
    result = run("eval", stdin=json.dumps(document))
    assert result.exit_code == 3
    assert result.stdout.splitlines()[:2] == ["DECISION   denied", "RULE       protected_namespace"]


def test_eval_of_a_policy_that_fails_prints_a_decision_and_nothing_else(tmp_path: Path) -> None:
    rules = f'''decision := {json.dumps(DECISION)} if input.requester == "kubernaut"

decision := sprintf("%d", [2.5]) if input.requester == "bob"'''
    request = json.dumps(sample(requester="bob"))
    result = run("eval", "--policies", approval_of_its_own(tmp_path, rules), "-o", "json", stdin=request)
    assert json.loads(result.stdout)["rule"] == "fail-closed"


def test_eval_asks_policies_of_ones_own(tmp_path: Path) -> None:
    directory = approval_of_its_own(tmp_path, f"decision := {json.dumps(DECISION | {'rule': 'mine'})}")
    result = run("eval", "--policies", directory, "-o", "json", stdin=json.dumps(sample()))
    assert json.loads(result.stdout)["rule"] == "mine"


@pytest.mark.parametrize(
    ("stdin", "because"),
    [
        ("{\n  nonsense", "standard input:2: not JSON"),
        ("[]", "one JSON object"),
        ("", "standard input:1: not JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_eval_names_what_is_wrong_with_the_request(stdin: str, because: str) -> None:
    result = run("eval", stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    assert because in result.stderr


def test_eval_names_the_file_that_is_missing(tmp_path: Path) -> None:
    result = run("eval", "--input", tmp_path / "nowhere.json")
    assert result.exit_code == 2
    assert f"nowhere.json: can't be read: {os.strerror(2)}" in result.stderr


def test_what_a_policy_writes_can_not_steer_the_terminal(tmp_path: Path) -> None:
    text = json.dumps(DECISION | {"reason": "\u001b[2Jgone\r\nRULE forged"})
    result = run("eval", "--policies", approval_of_its_own(tmp_path, f"decision := {text}"), stdin=json.dumps(sample()))
    assert "\u001b" not in result.stdout
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["DECISION", "RULE", "REASON"]
