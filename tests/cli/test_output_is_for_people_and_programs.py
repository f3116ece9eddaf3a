"""Tables for people, JSON and YAML for programs, and nothing that a cluster wrote can steer a terminal."""

import asyncio
import json
from pathlib import Path

import yaml
from api.seeds import note, waiting
from gateway.house import CLUSTER, House, alert, house, payload

from kubernaut.adapters.rego.samples import sample

from .shell import KUBERNAUT, _env, kubernaut

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\r\x08"


def _tame(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


async def test_lists_say_what_is_going_on(home: House) -> None:
    await waiting(home)
    table = (await kubernaut(home, "get", "rr")).out
    head, row = table.splitlines()
    assert head.split() == ["ID", "SEV", "CLUSTER", "TARGET", "PHASE", "K8S", "GIT", "AGE", "STORY"]
    assert row.startswith("!")
    for word in ("rr-aaaaaa", CLUSTER, "shop/checkout", "AwaitingApproval", "ask"):
        assert word in row
    wide = (await kubernaut(home, "get", "rr", "-o", "wide")).out.splitlines()
    assert "KubePodCrashLooping" in wide[1]
    as_json = json.loads((await kubernaut(home, "get", "rr", "-o", "json")).out)
    as_yaml = yaml.safe_load((await kubernaut(home, "get", "rr", "-o", "yaml")).out)
    assert as_json["total"] == as_yaml["total"] == 1
    assert as_json["items"][0]["id"] == as_yaml["items"][0]["id"] == "rr-aaaaaa"
    alone = json.loads((await kubernaut(home, "get", "rr", "rr-aaaaaa", "-o", "json")).out)
    assert as_json["items"] == as_yaml["items"] == [alone]
    assert json.loads((await kubernaut(home, "get", "rr", "rr-aaaaaa", "-o", "json")).out)["timeline"]


async def test_more_than_a_page_is_fetched_for_programs_too(home: House) -> None:
    await home.post(payload(*(alert(n) for n in range(130))))
    found = json.loads((await kubernaut(home, "get", "rr", "--limit", "120", "-o", "json")).out)
    assert (len({item["id"] for item in found["items"]}), found["total"]) == (120, 130)
    assert all(item["timeline"] for item in found["items"])
    found = json.loads((await kubernaut(home, "get", "rr", "--limit", "500", "-o", "json")).out)
    assert len({item["id"] for item in found["items"]}) == 130
    status, answer = await home.ask("GET", "/v1/remediations", whole="true", limit="101")
    assert (status, answer["error"]["field"]) == (400, "limit")


async def test_the_other_lists(home: House) -> None:
    asked = await waiting(home)
    assert asked.id in (await kubernaut(home, "get", "approvals")).out
    assert (
        json.loads((await kubernaut(home, "get", "approvals", "-o", "json")).out)["items"][0]["plan_hash"]
        == asked.plan_hash
    )
    assert CLUSTER in (await kubernaut(home, "get", "clusters")).out
    assert yaml.safe_load((await kubernaut(home, "get", "clusters", "-o", "yaml")).out)["items"][0]["name"] == CLUSTER
    assert "restart-deployment" in (await kubernaut(None, "actions")).out
    names = {a["name"] for a in json.loads((await kubernaut(None, "actions", "-o", "json")).out)["items"]}
    assert {"restart-deployment", "drain-node", "update-image"} <= names


async def test_every_command_prints_in_every_way(home: House) -> None:
    """`wide` is the table where there is nothing more to show, and `text` is another word for it."""
    asked = await waiting(home)
    await home.create("nodes", {"kind": "Node", "metadata": {"name": "n1"}})
    request = Path(str(home.settings.state_dir)) / "request.json"
    request.write_text(json.dumps(sample()))
    lists: tuple[tuple[str, ...], ...] = (
        ("get", "rr"), ("get", "rr", "rr-aaaaaa"), ("get", "approvals"), ("get", "clusters"), ("describe", "rr", "rr-aaaaaa"),
        ("actions",), ("policy", "eval", "--input", str(request)), ("signal", "create", "node/n1"),
        ("reject", asked.id, "--reason", "no"), ("approve", asked.id, "--reason", "x", "--confirm", "y"),
    )  # fmt: skip
    for words in lists:
        for way in ("table", "wide", "text", "json", "yaml"):
            said = await kubernaut(home, *words, "-o", way)
            done = words[0] not in ("approve", "reject") or (words[0], way) == ("reject", "table")
            assert said.status == (0 if done else 1), (words, way, said)
            if done and way == "json":
                assert isinstance(json.loads(said.out), dict), words
            elif done and way == "yaml":
                assert isinstance(yaml.safe_load(said.out), dict), words
            elif done:
                assert said.out, (words, way)
                assert not said.out.startswith(("{", "items:")), (words, way)
        said = await kubernaut(home, *words, "-o", "xml")
        assert (said.status, "table" in said.err) == (2, True), words
    wide = (await kubernaut(home, "get", "approvals", "--all", "-o", "wide")).out
    assert "its pods are stale" in wide
    assert asked.plan_hash[:12] in wide


async def test_nothing_is_said_to_be_there_when_nothing_is(home: House) -> None:
    assert (await kubernaut(home, "get", "rr")).out == "no remediations\n"
    assert (await kubernaut(home, "get", "approvals")).out == "nothing waits for an approval\n"
    assert json.loads((await kubernaut(home, "get", "rr", "-o", "json")).out) == {"items": [], "total": 0}


async def test_describe_fits_eighty_columns(home: House) -> None:
    await waiting(home)
    await note(home, "a long remark " * 20, "rr-aaaaaa")
    said = await kubernaut(home, "describe", "rr", "rr-aaaaaa")
    assert said.status == 0
    assert "restart-deployment shop/checkout" in said.out
    assert "timeline" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 80


async def test_no_command_lets_a_cluster_steer_the_terminal(home: House) -> None:
    await waiting(home, because=EVIL, dry_run=(EVIL,), rollback=EVIL, reason=EVIL, rule=EVIL)
    await note(home, EVIL, "rr-aaaaaa")
    labels = {"alertname": f"Odd{EVIL}", "team": EVIL, "pod": "web-1"}
    await home.post(payload(alert(1, labels=labels, annotations={"summary": EVIL})))
    ids = [item.id for item in await home.all()]
    commands = [
        ("get", "rr"), ("get", "rr", "-o", "wide"), ("get", "rr", "-o", "json"), ("get", "rr", "-o", "yaml"),
        ("get", "approvals"),
        ("get", "approvals", "-o", "json"), ("get", "approvals", "-o", "yaml"),
        ("approve", "rr-aaaaaa", "--confirm", "y"), ("approve", "rr-aaaaaa", "--confirm", EVIL.replace("\x00", "")),
        ("get", "rr", "--phase", EVIL), ("describe", "rr", EVIL),
        *(("describe", "rr", each) for each in ids), *(("describe", "rr", each, "-o", "yaml") for each in ids),
        *(("describe", "rr", each, "-o", "json") for each in ids),
    ]  # fmt: skip
    for command in commands:
        said = await kubernaut(home, *command)
        assert _tame(said.out), command
        assert _tame(said.err), command


async def test_watch_prints_entries_and_survives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    async with house(folder) as home:
        process = await asyncio.create_subprocess_exec(
            *KUBERNAUT, "watch", "--after", "0", "-o", "json", stdout=asyncio.subprocess.PIPE, env=_env(home, None)
        )
        assert process.stdout is not None
        await note(home, f"before {EVIL}")
        async with asyncio.timeout(20):
            first = await process.stdout.readline()
    async with house(folder) as home, asyncio.timeout(30):
        await note(home, "after")
        second = json.loads(await process.stdout.readline())
    process.terminate()
    await process.wait()
    assert _tame(first.decode())
    assert json.loads(first)["message"].startswith("before ")
    assert (json.loads(first)["seq"], second["seq"], second["message"]) == (1, 2, "after")


async def test_a_reader_who_has_seen_enough_is_no_error(home: House) -> None:
    await home.post(payload(*(alert(n) for n in range(400))))
    line = f"{' '.join(KUBERNAUT)} get rr --limit 400 -o json | head -1"
    process = await asyncio.create_subprocess_shell(
        line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_env(home, None)
    )
    out, err = await process.communicate()
    assert out == b"{\n"
    assert err == b""


async def test_completion_knows_the_commands(home: House) -> None:
    env = {"_KUBERNAUT_COMPLETE": "bash_complete", "COMP_WORDS": "kubernaut d", "COMP_CWORD": "1"}
    process = await asyncio.create_subprocess_exec(
        str(Path(KUBERNAUT[0]).with_name("kubernaut")), stdout=asyncio.subprocess.PIPE, env=_env(None, env)
    )
    out, _ = await process.communicate()
    names = {line.partition(",")[2] for line in out.decode().splitlines()}
    assert {"daemon", "describe", "diagnose", "demo"} <= names


async def test_help_imports_nothing_that_it_does_not_use() -> None:
    code = (
        "import sys; sys.argv = ['kubernaut', '--help']\n"
        "from kubernaut.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'aiohttp', 'asyncio', 'kubernetes_asyncio', 'pydantic', 'regorus', 'sqlite3', 'textual', 'yaml'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    process = await asyncio.create_subprocess_exec(
        KUBERNAUT[0], "-c", code, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert err.decode().strip() == "[]"
