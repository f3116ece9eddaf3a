"""A configuration that can't be carried out says which key of which line is wrong, and what would be right."""

import os
from pathlib import Path

import pytest

from kubernaut.domain.errors import BadInput
from kubernaut.settings import load


@pytest.fixture(autouse=True)
def _no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KUBERNAUT_"):
            monkeypatch.delenv(name)


def fault(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "kubernaut.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(BadInput) as caught:
        load(path)
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("state_dirr: x\n", ["FILE:1: state_dirr: unknown key, did you mean 'state_dir'?"]),
        ("gateway:\n  lisen: x\n", ["FILE:2: gateway.lisen: unknown key, did you mean 'listen'?"]),
        ("clusters:\n- name: a\n  kubeconf: x\n", ["FILE:3: clusters[0].kubeconf", "did you mean 'kubeconfig'?"]),
        ("roles:\n  approver:\n    gruops: [sre]\n", ["FILE:3: roles.approver.gruops", "did you mean 'groups'?"]),
        ("roles:\n  bosses: {}\n", ["FILE:2: roles.bosses", "known keys here: viewer, approver"]),
        ("zzz: 1\n", ["FILE:1: zzz: unknown key; known keys here: state_dir, gateway"]),
        ("gateway:\n  listen: 9480\n", ["FILE:2: gateway.listen", "must be text"]),
        ("gateway:\n  listen: here\n", ["FILE:2: gateway.listen: 'here' is not HOST:PORT, as 127.0.0.1:9480"]),
        ("gateway:\n  listen: 127.0.0.1:99999\n", ["FILE:2: gateway.listen"]),
        ("gateway:\n  max_body_bytes: 0\n", ["FILE:2: gateway.max_body_bytes", "greater than 0"]),
        ("gateway: [1]\n", ["FILE:1: gateway"]),
        ("times:\n  stability_s: soon\n", ["FILE:2: times.stability_s", "number"]),
        ("times:\n  stability_s: 700\n", ["FILE:1: times", "verify_deadline_s"]),
        ("confidence:\n  never_below: 0.95\n", ["FILE:1: confidence", "never_below must not be above"]),
        ("max_concurrent: -1\n", ["FILE:1: max_concurrent"]),
        ("log: {level: loud}\n", ["FILE:1: log.level", "'debug'"]),
        ("clusters:\n- {name: a}\n- {name: a}\n", ["FILE:1: clusters: two entries are called a"]),
        ("freeze: true\n_env_file: x\n", ["FILE:2: _env_file: unknown key"]),
        (
            "log: {}\nstate_dir: ~nobodyhere/x\n",
            ["FILE:2: state_dir: ~nobodyhere/x: nobody's home is known by that name"],
        ),
        ('forge:\n  root: "a\\0b"\n', ["FILE:2: forge.root: no path can hold a zero byte"]),
        ("clusters:\n- {kubeconfig: x}\n", ["FILE:2: clusters[0].name", "is missing"]),
        ("clusters: {name: a}\n", ["FILE:1: clusters: must be a list"]),
        ("clusters: [prod-eu]\n", ["FILE:1: clusters[0]: must be a mapping of keys"]),
        ("roles:\n  approver:\n    groups: sre\n", ["FILE:3: roles.approver.groups: must be a list, as [one, two]"]),
        ("roles:\n  approver: [sre]\n", ["FILE:2: roles.approver: must be a mapping of keys"]),
        ("roles:\n  admin:\n    users: [0]\n", ["FILE:3: roles.admin.users[0]: must be text"]),
        ("freeze: maybe\n", ["FILE:1: freeze: must be true or false"]),
        ("max_concurrent: 1.5\n", ["FILE:1: max_concurrent: must be a whole number"]),
        ("times: {stability_s: -1}\n", ["FILE:1: times.stability_s: must be greater than or equal to 0"]),
        ("times: {approval_ttl_s: .inf}\n", ["FILE:1: times.approval_ttl_s: must be"]),
        ("times: {approval_ttl_s: .nan}\n", ["FILE:1: times.approval_ttl_s: must be"]),
        ("times: {overdue_s: 1.0e+300}\n", ["FILE:1: times.overdue_s: must be less than or equal to"]),
        ("forge: {repositories: [a]}\n", ["FILE:1: forge.repositories: must be a mapping, as {key: value}"]),
        ("forge: {kind: gitlab}\n", ["FILE:1: forge.kind: must be 'local'"]),
        ("state_dir: 2026-01-01\n", ["FILE:1: state_dir: must be a path"]),
        ("state_dir: ~nobody-of-that-name/x\n", ["~nobody-of-that-name/x", "in full"]),
        ("gateway:\n  listen: a:1\n  listen: b:2\n", ["FILE:3: gateway.listen: stands twice, first in line 2"]),
        ("state_dir: a\nstate_dir: b\n", ["FILE:2: state_dir: stands twice"]),
        ("gateway: {listen: [\n", ["FILE:2: is not YAML"]),
        ("a: b: c\n", ["FILE:1: is not YAML"]),
        ("\tgateway: x\n", ["FILE:1: is not YAML: a tab; YAML is indented by spaces"]),
        ("gateway:\n\tlisten: x\n", ["FILE:2: is not YAML: a tab"]),
        ("freeze: true\n---\nfreeze: false\n", ["FILE:2: is not YAML: a second document begins here"]),
        ("clusters: &a [*a]\n", ["FILE: is nested without end"]),
        ("[]\n", ["FILE: must be a mapping"]),
        ("false\n", ["FILE: must be a mapping"]),
        ("freeze: \x00\n", ["FILE", "is not YAML"]),
        ("- a\n", ["FILE: must be a mapping"]),
        ("just text\n", ["FILE: must be a mapping"]),
        (b"\xff\xfe\x00", ["FILE"]),
        ("!!python/object/apply:os.system ['true']\n", ["FILE:1: is not YAML"]),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str | bytes, says: list[str]) -> None:
    message = fault(tmp_path, text)
    for part in says:
        assert part in message


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = fault(tmp_path, "freze: true\ngateway:\n  listen: x\nmax_concurrent: many\n")
    assert {line.split(": ")[0] for line in message.splitlines()} == {"FILE:1", "FILE:3", "FILE:4"}


def test_a_missing_file_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="config example"):
        load(tmp_path / "nowhere.yaml")


def test_values_are_not_repeated_where_they_may_be_secret(tmp_path: Path) -> None:
    assert "hunter2" not in fault(tmp_path, "policies:\n  settings: hunter2secret\n")


def test_empty_sections_mean_defaults(tmp_path: Path) -> None:
    path = tmp_path / "kubernaut.yaml"
    path.write_text("gateway:\napi:\nroles:\n  viewer:\n    users:\nclusters:\n- name: a\n  labels:\n")
    assert load(path).gateway.listen == "127.0.0.1:9480"
    assert load(path).roles.viewer.users == ()
    assert load(path).clusters[0].labels == {}


def test_what_other_editors_put_before_the_text_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "kubernaut.yaml"
    path.write_bytes(b"\xef\xbb\xbffreeze: true\r\n")
    assert load(path).freeze is True


def test_both_places_of_the_confidence_gate_are_heard(tmp_path: Path) -> None:
    path = tmp_path / "kubernaut.yaml"
    path.write_text("confidence: {never_below: 0.8}\npolicies: {settings: {confidence: {alone_above: 0.95}}}\n")
    assert load(path).policy_overrides() == {"confidence": {"never_below": 0.8, "alone_above": 0.95}}


def test_relative_paths_belong_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "kubernaut.yaml"
    path.parent.mkdir()
    path.write_text("state_dir: ../state\ngateway: {tokens_file: tokens.txt}\nclusters: [{name: a, kubeconfig: ~/k}]\n")
    settings = load(path)
    assert settings.state_dir == tmp_path / "state"
    assert settings.gateway.tokens_file == path.parent / "tokens.txt"
    assert settings.clusters[0].kubeconfig == Path.home() / "k"
    assert settings.socket == tmp_path / "state" / "kubernaut.sock"
