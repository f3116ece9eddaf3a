"""`kubernaut config check` reads the files that the configuration names; `show` tells what is in force and no secret."""

import json
from pathlib import Path
from typing import Any

import yaml
from daemon.process import run

GOOD = {
    "apiVersion": "v1", "kind": "Config", "current-context": "prod", "clusters": [], "users": [],
    "contexts": [{"name": "prod", "context": {}}, {"name": "other", "context": {}}],
}  # fmt: skip


def _write(tmp_path: Path, **changes: Any) -> Path:
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(GOOD))
    (tmp_path / "kubeconfig").chmod(0o600)
    (tmp_path / "tokens.txt").write_text("0123456789abcdef  # one\n")
    (tmp_path / "tokens.txt").chmod(0o600)
    document = {
        "gateway": {"tokens_file": "tokens.txt"},
        "clusters": [{"name": "prod-eu", "kubeconfig": "kubeconfig"}],
        "roles": {"approver": {"groups": ["sre"]}},
    } | changes
    path = tmp_path / "kubernaut.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return path


def _check(path: Path) -> tuple[int, str]:
    result = run("config", "check", "--config", str(path))
    assert "Traceback" not in result.stderr
    return result.returncode, result.stdout + result.stderr.replace(str(path), "FILE")


def test_what_is_in_order_is_said_to_be(tmp_path: Path) -> None:
    status, said = _check(_write(tmp_path))
    assert status == 0, said
    assert "in order" in said


def test_tokens_that_everybody_may_read_are_told_and_taken(tmp_path: Path) -> None:
    path = _write(tmp_path)
    assert "tokens_file" not in _check(path)[1]
    (tmp_path / "tokens.txt").chmod(0o644)
    status, said = _check(path)
    assert status == 0, said
    assert "FILE:2: gateway.tokens_file: everybody on this machine may read" in said
    assert f"chmod o= {tmp_path / 'tokens.txt'}" in said


def test_each_thing_that_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        gateway={"tokens_file": "nowhere.txt"},
        clusters=[
            {"name": "a", "kubeconfig": "kubeconfig", "context": "gone"},
            {"name": "b", "kubeconfig": "gone.yaml"},
        ],
        roles={},
        policies={"dir": "gone"},
        forge={"repositories": {"https://git.example/a.git": "a"}},
    )
    status, said = _check(path)
    assert status == 2
    for expected in (
        "FILE:2: gateway.tokens_file:", "FILE:6: clusters[0].context: 'gone' is not in", "(contexts: prod, other)",
        "FILE:8: clusters[1].kubeconfig:", "roles: nobody may approve", "policies.dir:", "forge.repositories.https://git.example/a.git",
    ):  # fmt: skip
        assert expected in said, said


def test_broken_files_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path)
    (tmp_path / "kubeconfig").write_text("{{{")
    (tmp_path / "tokens.txt").write_text("short-secret\n")
    status, said = _check(path)
    assert status == 2
    assert "clusters[0].kubeconfig" in said
    assert "tokens.txt:1" in said
    assert "short-secret" not in said


def test_a_policy_with_a_syntax_error_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "approval.rego").write_text(
        "package kubernaut.approval\n\nimport rego.v1\n\ndecision := {\n"
    )
    status, said = _check(_write(tmp_path, policies={"dir": "policies"}))
    assert status == 2
    assert "policies.dir" in said
    assert "approval.rego:" in said


def test_an_unknown_key_ends_it(tmp_path: Path) -> None:
    status, said = _check(_write(tmp_path, freze=True))
    assert status == 2
    assert "did you mean 'freeze'?" in said


def test_show_tells_defaults_and_overrides_and_hides_secrets(tmp_path: Path) -> None:
    path = _write(tmp_path, forge={"repositories": {"https://bot:hunter2secret@git.example/a.git": "a"}})
    env = {"KUBERNAUT_TIMES__STABILITY_S": "7"}
    result = run("config", "show", "--config", str(path), "-o", "json", env=env)
    assert result.returncode == 0, result.stderr
    shown = json.loads(result.stdout)
    assert shown["times"]["stability_s"] == 7
    assert shown["gateway"]["listen"] == "127.0.0.1:9480"
    assert shown["gateway"]["tokens_file"] == str(tmp_path / "tokens.txt")
    as_yaml = run("config", "show", "--config", str(path), env=env).stdout
    assert yaml.safe_load(as_yaml) == shown
    said = _check(path)[1]
    assert "git.example/a.git: " in said
    assert "hunter2secret" not in result.stdout + as_yaml + said
    assert "0123456789abcdef" not in result.stdout + as_yaml


def test_doors_and_folders_that_can_not_be_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = _write(
        tmp_path,
        state_dir="file/state",
        gateway={"tokens_file": "tokens.txt", "listen": "203.0.113.7:9480"},
        api={"socket": "x" * 200, "group": "no-such-group-anywhere"},
        clusters=[{"name": "a"}],
        forge={"root": "file"},
    )
    status, said = _check(path)
    assert status == 2
    for expected in (
        f"state_dir: {tmp_path / 'file'} is not a folder", f"forge.root: {tmp_path / 'file'} is not a folder",
        "gateway.listen: can't listen on 203.0.113.7: ", "api.socket: ", "longer than the 107 bytes",
        "api.group: there is no group 'no-such-group-anywhere'", "clusters[0].kubeconfig: is missing, and this is no pod",
    ):  # fmt: skip
        assert expected in said, said


def test_what_is_unwise_is_a_caution(tmp_path: Path) -> None:
    path = _write(tmp_path, roles={"approver": {"groups": ["no-such-group"], "users": ["no-such-user"]}})
    (tmp_path / "kubeconfig").chmod(0o644)
    status, said = _check(path)
    assert status == 0
    for expected in (
        "caution: FILE", "clusters[0].kubeconfig: everybody on this machine may read",
        "roles.approver.users: this machine knows no user 'no-such-user'",
        "roles.approver.groups: this machine knows no group 'no-such-group'",
    ):  # fmt: skip
        assert expected in said, said


def test_repositories_are_looked_at_as_the_daemon_does(tmp_path: Path) -> None:
    (tmp_path / "forge" / "a").mkdir(parents=True)
    urls = {"https://git.example/shop.git": "a", "git@git.example:shop": "b"}
    status, said = _check(_write(tmp_path, forge={"root": "forge", "repositories": urls}))
    assert status == 2
    assert (
        "FILE:12: forge.repositories: git.example/shop is there twice, in two spellings, and leads to 'a' and to 'b'"
        in said
    )
    assert f"{tmp_path / 'forge' / 'a'} is no bare repository; `git init --bare` makes one" in said
