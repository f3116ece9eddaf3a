"""Whatever a page names is there: commands, options, files, links, keys, metrics. Nobody has to find out by trying."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import click
from pydantic import BaseModel

from kubernaut.cli.main import root
from kubernaut.domain.remediation import RemediationPhase
from kubernaut.domain.tracks import GitOpsPhase, ImperativePhase
from kubernaut.lab.bench.__main__ import main as bench
from kubernaut.lab.parts.__main__ import main as parts
from kubernaut.server.metrics import Metrics
from kubernaut.settings import Settings, load
from kubernaut_tui.main import parser

from .pages import ROOT, Piece, anchors, blocks, commands, inline_code, links, pages

_FOLDERS = ("kubernaut/", "kubernaut_tui/", "policies/", "config/", "docs/", "scripts/", "tests/")
_OPTION = re.compile(r"(?<![\w-])(--[a-z][\w-]*|-[a-zA-Z])(?![\w-])")
_RUNBOOK = ROOT / "docs" / "runbook.md"
_OTHER_KEYS = ("api.md", "policy.md")
"""Pages about JSON and Rego documents, whose keys have names like those of the configuration."""


def _options(command: click.Command) -> set[str]:
    named = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    return named | {"--help", "-h"}


def _fault(command: click.Command, words: list[str]) -> str:
    """What of the words the command does not know; empty when it knows all of them."""
    while isinstance(command, click.Group):
        if not words or not re.fullmatch(r"[a-z|-]+", words[0]) or words[0].startswith("-"):
            break
        names, words = words[0].split("|"), words[1:]
        context = click.Context(command)
        if unknown := [name for name in names if command.get_command(context, name) is None]:
            return f"no command {', '.join(unknown)}"
        found = command.get_command(context, names[0])
        assert found is not None
        command = found
    unknown = [option for option in _OPTION.findall(" ".join(words)) if option not in _options(command)]
    return f"no option {', '.join(unknown)}" if unknown else ""


def _argparse_fault(known: argparse.ArgumentParser, words: list[str]) -> str:
    named = {name for action in known._actions for name in action.option_strings}
    unknown = [option for option in _OPTION.findall(" ".join(words)) if option not in named]
    return f"no option {', '.join(unknown)}" if unknown else ""


def _command_fault(text: str) -> str:
    name, *words = text.replace("[", "").replace("]", "").split()
    demo = root.get_command(click.Context(root), "demo")
    assert demo is not None
    scripts: Mapping[str, click.Command] = {"scripts/demo": demo, "scripts/bench": bench, "scripts/genuine": parts}
    if name == "kubernaut":
        return _fault(root, words)
    if name == "kubernaut-tui":
        return _argparse_fault(parser(), words)
    if not all((ROOT / each).is_file() for each in _alternatives(name)):
        return "no such script"
    return _fault(scripts[name], words) if name in scripts else ""


def _alternatives(name: str) -> list[str]:
    """`scripts/{demo,test}` is two names."""
    before, brace, rest = name.partition("{")
    inner, _, after = rest.partition("}")
    return [f"{before}{each}{after}" for each in inner.split(",")] if brace else [name]


def test_every_command_and_option_exists() -> None:
    found = [piece for page in pages() for piece in commands(page)]
    assert len(found) > 50
    assert [f"{p.place}: `{p.text}`: {fault}" for p in found if (fault := _command_fault(p.text))] == []


def test_every_link_leads_somewhere() -> None:
    dead = []
    for page in pages():
        for link in links(page):
            path, _, anchor = link.text.partition("#")
            if "://" in path or path.startswith("mailto:"):
                continue
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                dead.append(f"{link.place}: {link.text}")
    assert dead == []


def _path_fault(piece: Piece) -> bool:
    path = piece.text.split(" ")[0].split(":")[0]
    if not path.startswith(_FOLDERS) or re.search(r"[<>…A-Z*]|NNNN|/rr-|/state", path.replace("README", "")):
        return False
    return not any((ROOT / each).exists() for each in _alternatives(path))


def test_every_file_that_is_named_exists() -> None:
    assert [f"{p.place}: {p.text}" for page in pages() for p in inline_code(page) if _path_fault(p)] == []


def test_the_map_of_the_house_names_modules_that_exist() -> None:
    rooms = r"(?:pipeline|server|adapters|gitops|diagnosis|actions|cli)"
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = set(re.findall(rf"(?<![\w/]){rooms}/[a-z_]+(?:/[a-z_]+)*", text))
    assert len(named) > 10
    missing = [n for n in named if not (ROOT / "kubernaut" / n).is_dir() and not (ROOT / f"kubernaut/{n}.py").is_file()]
    assert missing == []


def test_every_key_of_the_configuration_that_is_named_exists() -> None:
    sections = {n: f.annotation for n, f in Settings.model_fields.items()}
    missing = []
    for page in (page for page in pages() if page.name not in _OTHER_KEYS):
        for piece in inline_code(page):
            match = re.fullmatch(r"([a-z_]+)\.([a-z_]+)(?:: .*)?", piece.text)
            section = sections.get(match[1]) if match else None
            if not match or match[2] in ("py", "md", "json", "db") or not isinstance(section, type):
                continue
            if issubclass(section, BaseModel) and match[2] not in section.model_fields:
                missing.append(f"{piece.place}: {piece.text}")
    assert missing == []


def test_the_configuration_that_readme_shows_is_taken(tmp_path: Path) -> None:
    shown = next(text for text in blocks(ROOT / "README.md", "yaml") if text.startswith("state_dir:"))
    (tmp_path / "kubernaut.yaml").write_text(shown, "utf-8")
    settings = load(tmp_path / "kubernaut.yaml")
    assert [cluster.name for cluster in settings.clusters] == ["prod-eu"]
    assert settings.forge.repositories


def test_the_units_overrides_are_keys() -> None:
    unit = (ROOT / "config" / "systemd" / "kubernaut.service").read_text("utf-8")
    overrides = re.findall(r"^Environment=KUBERNAUT_(\w+)=", unit, re.MULTILINE)
    assert overrides
    for name in overrides:
        model: object = Settings
        for part in name.lower().split("__"):
            assert isinstance(model, type)
            assert issubclass(model, BaseModel)
            model = model.model_fields[part].annotation


async def test_the_runbook_names_every_metric_and_no_other() -> None:
    async def none() -> Mapping[str, int]:
        return {}

    metrics = Metrics(none, dict)
    known = set()
    for family in metrics.registry.collect():
        if family.name.startswith("process_"):
            continue  # every program's own: memory, descriptors, processor time
        known.add(f"{family.name}_total" if family.type == "counter" else family.name)
    named = set(re.findall(r"`(kubernaut_(?!tui)[a-z_]+)", _RUNBOOK.read_text("utf-8")))
    assert named == known


def test_the_runbook_tells_of_every_phase() -> None:
    text = _RUNBOOK.read_text("utf-8")
    phases = {str(phase.value) for phases in (RemediationPhase, ImperativePhase, GitOpsPhase) for phase in phases}
    assert {phase for phase in phases if not re.search(rf"\b{phase}\b", text)} == set()


def test_the_runbooks_log_events_are_logged() -> None:
    section = _RUNBOOK.read_text("utf-8").partition("## Logs")[2].partition("\n## ")[0]
    events = [e.removesuffix(" …") for e in re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)]
    assert len(events) > 4
    sources = "\n".join(p.read_text("utf-8") for p in (ROOT / "kubernaut").rglob("*.py"))
    assert [event for event in events if f'"{event}' not in sources] == []
