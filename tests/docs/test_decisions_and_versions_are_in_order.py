"""Decisions are numbered without gaps and have their form; the changelog and the program agree on the version."""

import re

from kubernaut import __version__

from .pages import ROOT

_HEADINGS = ["Context", "Decision", "Consequences", "What not to do"]
_ADR = ROOT / "docs" / "adr"


def test_decisions_are_numbered_from_one_without_gaps() -> None:
    names = sorted(p.name for p in _ADR.glob("*.md") if p.name != "README.md")
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_every_decision_has_its_form_and_stands_in_the_index() -> None:
    index = (_ADR / "README.md").read_text("utf-8")
    for path in _ADR.glob("0*.md"):
        text = path.read_text("utf-8")
        assert re.match(rf"# {path.name[:4]}\. \S", text), path.name
        assert re.search(r"^(Accepted|Superseded by \[\d{4}\].*), \d{4}-\d\d-\d\d\.$", text, re.MULTILINE), path.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE)[:4] == _HEADINGS, path.name
        assert f"]({path.name})" in index


def test_the_changelogs_newest_version_is_the_programs() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## \[([^\]]+)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert headings[1] == __version__
    assert all(re.search(rf"^\[{re.escape(h)}\]: ", text, re.MULTILINE) for h in headings)
