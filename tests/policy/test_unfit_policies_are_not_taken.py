"""A broken edit names file and line, and leaves the last good policies in force."""

import json
import os
import resource
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from policies_on_disk import DECISION, approval_of_its_own, copy_of_shipped

from kubernaut.adapters.rego.engine import RegoPolicyEngine
from kubernaut.adapters.rego.policyset import PolicySet
from kubernaut.adapters.rego.samples import sample
from kubernaut.domain.errors import BadInput, Temporary

GOOD = json.dumps(DECISION)


@pytest.mark.parametrize(
    ("rules", "line", "because"),
    [
        ("decision := {", 4, "expect"),
        ("decision := missing(input)", 3, "could not find function missing"),
        ("decision := {} if {\n\tnowhere.field\n}", 4, "unsafe"),
        ("decision := 1\n\ndecision := 2", 5, "conflict"),
    ],
)
async def test_an_error_names_file_and_line(tmp_path: Path, rules: str, line: int, because: str) -> None:
    directory = approval_of_its_own(tmp_path, rules)
    with pytest.raises(BadInput) as caught:
        await RegoPolicyEngine.load(directory)
    assert caught.value.place == f"{directory}/approval.rego:{line}"
    assert because in caught.value.message


async def test_an_error_in_a_rule_that_no_decision_uses_is_found(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    (directory / "extra.rego").write_text("package extra\n\nunused := missing(1)\n")
    with pytest.raises(BadInput, match=r"extra\.rego:3"):
        await RegoPolicyEngine.load(directory)


async def test_a_set_that_does_not_come_to_an_end_is_killed(tmp_path: Path) -> None:
    endless = " ".join(f"every n{i} in numbers.range(1, 1000) {{" for i in range(5)) + " n0 > 0 " + "}" * 5
    directory = approval_of_its_own(tmp_path, f"decision := {GOOD} if {{ {endless} }}")
    with pytest.raises(BadInput, match="did not end within 2 s"):
        await RegoPolicyEngine.load(directory, probe_limit_s=2)


async def test_a_set_that_eats_the_memory_is_killed(tmp_path: Path) -> None:
    directory = approval_of_its_own(tmp_path, "decision := count(numbers.range(1, 1000000000))")
    with pytest.raises(BadInput):
        await RegoPolicyEngine.load(directory)


@pytest.mark.parametrize(
    ("name", "content", "because"),
    [
        ("approval.rego", b"\xff\xfe", "not UTF-8"),
        ("approval.rego", b"#" * (1024 * 1024 + 1), "larger than"),
        ("data.json", b'{"settings":\n  nonsense}', "data.json:2: not JSON"),
        ("data.json", b"[]", "one JSON object"),
        ("data.json", b"{}", "settings.approvers.person: must"),
    ],
)
async def test_a_file_that_can_not_be_used_is_named(tmp_path: Path, name: str, content: bytes, because: str) -> None:
    directory = copy_of_shipped(tmp_path)
    (directory / name).write_bytes(content)
    with pytest.raises(BadInput, match=because) as caught:
        await RegoPolicyEngine.load(directory)
    assert name in caught.value.place


async def test_a_pipe_is_no_policy(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    os.mkfifo(directory / "pipe.rego")
    with pytest.raises(BadInput, match=r"pipe\.rego: is not a file"):
        await RegoPolicyEngine.load(directory)


async def test_a_directory_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least one"):
        await RegoPolicyEngine.load(tmp_path)
    with pytest.raises(BadInput, match="no such directory"):
        await RegoPolicyEngine.load(tmp_path / "nowhere")


async def test_a_set_without_the_decision_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.rego").write_text("package other\n\nx := 1\n")
    with pytest.raises(BadInput, match=r"no data\.kubernaut\.approval\.decision"):
        await RegoPolicyEngine.load(tmp_path)


async def test_overrides_replace_settings_key_by_key(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    usual = await RegoPolicyEngine.load(directory)
    strict = await RegoPolicyEngine.load(directory, {"confidence": {"alone_above": 0.99}})
    assert (await usual.decide(sample())).rule == "low_risk"
    assert (await strict.decide(sample())).rule == "confidence_needs_person"
    assert usual.revision != strict.revision


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"confidence": {"alone_above": "high"}}, "confidence"),
        ({"confidence": {"never_below": 0.95}}, "confidence"),
        ({"blast_radius": {"default": {"pods": None}}}, "blast_radius.default.pods"),
        ({"blast_radius": {"by_action": {"run-script": {}}}}, "blast_radius.by_action.run-script.nodes"),
        ({"drains_per_pool": "1"}, "drains_per_pool"),
        ({"changes_per_owner_per_hour": []}, "changes_per_owner_per_hour"),
        ({"protected_namespaces": "kube-system"}, "protected_namespaces"),
        ({"approvers": {"senior": {"min_approvers": 0}}}, "approvers.senior"),
        ({"drains_per_pol": 2}, "drains_per_pol"),
        ({"confidence": {"alone_abov": 0.99}}, "confidence.alone_abov"),
        ({"environment": {"aliases": {"PROD": "production"}}}, "environment.aliases"),
    ],
)
async def test_a_wrong_setting_is_named(tmp_path: Path, settings: dict[str, object], name: str) -> None:
    with pytest.raises(BadInput, match=rf"settings\.{name}: (must|is no setting)"):
        await RegoPolicyEngine.load(copy_of_shipped(tmp_path), settings)


async def test_a_broken_edit_keeps_the_last_good_policies(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    engine = await RegoPolicyEngine.load(directory)
    revision, good = engine.revision, (directory / "approval.rego").read_text()

    (directory / "approval.rego").write_text("package kubernaut.approval\n\ndecision := {\n")
    reload = await engine.reload()
    assert not reload.changed
    assert [fault.place for fault in reload.faults] == [f"{directory}/approval.rego:4"]
    assert engine.revision == revision
    assert (await engine.decide(sample())).rule == "low_risk"

    (directory / "approval.rego").unlink()
    (directory / "approval_test.rego").unlink()
    assert (await engine.reload()).faults
    assert (await engine.decide(sample())).rule == "low_risk"

    (directory / "approval.rego").write_text(good.replace('"low_risk"', '"small_risk"'))
    reload = await engine.reload()
    assert reload.changed
    assert reload.revision == engine.revision != revision
    assert (await engine.decide(sample())).rule == "small_risk"


async def test_nothing_changes_when_nothing_changed(tmp_path: Path) -> None:
    engine = await RegoPolicyEngine.load(copy_of_shipped(tmp_path))
    assert not (await engine.reload()).changed


async def test_a_mounted_configmap_is_read_once(tmp_path: Path) -> None:
    """Its files are links into `..data`, a link to a folder named by time."""
    real = tmp_path / "mount" / "..2026_01_01"
    real.parent.mkdir()
    copy_of_shipped(tmp_path).rename(real)
    (real.parent / "..data").symlink_to(real.name)
    for path in real.iterdir():
        (real.parent / path.name).symlink_to(Path("..data") / path.name)
    mounted = await RegoPolicyEngine.load(real.parent)
    plain = await RegoPolicyEngine.load(real)
    assert mounted.revision == plain.revision


@contextmanager
def _coming_and_going(folder: Path) -> Iterator[None]:
    """Hidden folders appear and vanish, as the kubelet exchanges those of a ConfigMap."""
    ended = threading.Event()

    def exchange() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            data = folder / f"..{number % 20}"
            data.mkdir()
            (data / "approval.rego").write_text("package x\n")
            shutil.rmtree(data)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_configmap_that_is_exchanged_while_it_is_read_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "approval.rego").write_text("package kubernaut.approval\n")
    with _coming_and_going(folder):
        assert len({PolicySet.read(folder).revision for _ in range(3000)}) == 1


async def test_a_key_that_is_there_twice_is_named(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    text = (directory / "data.json").read_text()
    (directory / "data.json").write_text(
        text.replace('"drains_per_pool": 1', '"drains_per_pool": 1, "drains_per_pool": 50')
    )
    with pytest.raises(BadInput, match=r"data\.json: drains_per_pool: is there twice in one object"):
        await RegoPolicyEngine.load(directory)


async def test_a_machine_without_room_for_a_process_is_no_fault_of_the_policies(tmp_path: Path) -> None:
    directory = copy_of_shipped(tmp_path)
    engine = await RegoPolicyEngine.load(directory)
    before = engine.revision
    (directory / "approval.rego").write_text((directory / "approval.rego").read_text() + "# a remark\n")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(8)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files) + 2, limits[1]))
    try:
        with pytest.raises(Temporary, match="no process can be started"):
            await engine.reload()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for number in files:
            os.close(number)
    assert engine.revision == before
    assert (await engine.reload()).changed
