"""`kubernaut pr`: the pull requests that carry the permanent fixes. What was shown is what gets merged, or nothing."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import click

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.proposals import FileChange
from kubernaut.gitops.text import unified

Document = dict[str, Any]
_NAME = re.compile(r"^(?:(?P<repository>[\w.-]+)[/#])?(?P<number>[1-9]\d{0,8})$")
_REMEDIATION = re.compile(r"^rr-[a-z2-7]{6}$")
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_STATES = {"open": "yellow", "merged": "green", "closed": "red"}


class Api(Protocol):
    """The daemon's API as the command line sees it; errors are those of `domain.errors`."""

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Document:
        """The answer to a GET."""
        ...

    def post(self, path: str, body: Mapping[str, Any]) -> Document:
        """The answer to a POST."""
        ...


_pull = click.argument("pull", metavar="PULL")
_output = click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
_reason = click.option("--reason", default="", help="Why; goes into the journal. Production asks for one.")
_yes = click.option("-y", "--yes", is_flag=True, help="Don't ask.")


@click.group()
def pr() -> None:
    """Shows, merges and closes pull requests of the embedded forge.

    PULL is REPOSITORY/NUMBER as the list shows it, the number alone where it is the only one, or a remediation's id.
    """


@pr.command(name="list")
@click.option("--state", type=click.Choice(["open", "merged", "closed", "all"]), default="all", show_default=True)
@_output
@click.pass_obj
def list_pulls(api: Api, state: str, output: str) -> None:
    """Lists pull requests, newest first."""
    items = [item for item in api.get("/v1/pulls")["items"] if state in ("all", item["state"])]
    if output == "json":
        click.echo(json.dumps({"items": items}, indent=2, ensure_ascii=False))
        return
    rows = [
        (name_of(i), i["state"], i["remediation_id"] or "-", i.get("required_role") or "-", i["title"]) for i in items
    ]
    for line in _table([("PULL", "STATE", "REMEDIATION", "MERGED BY ROLE", "TITLE"), *rows]):
        click.echo(line)


@pr.command()
@_pull
@_output
@click.pass_obj
def show(api: Api, pull: str, output: str) -> None:
    """Shows one pull request: what it says and what it changes."""
    item = api.get(_path(api, pull))
    if output == "json":
        click.echo(json.dumps(item, indent=2, ensure_ascii=False))
        return
    for line in (*_head(item), "", *plain(item["body"]).splitlines(), "", *_diff(item)):
        click.echo(line)


@pr.command()
@_pull
@click.option("--expected-head", metavar="COMMIT", help="Merge only this commit; without it, the one that is shown.")
@_reason
@_yes
@_output
@click.pass_obj
def merge(api: Api, pull: str, expected_head: str | None, reason: str, yes: bool, output: str) -> None:
    """Merges a pull request after showing what it changes."""
    path = _path(api, pull)
    item = api.get(path)
    if not yes:
        _ask(item, f"Merge {name_of(item)} into {plain(item['base'])}?")
    done = api.post(f"{path}/merge", {"expected_head": expected_head or item["head_commit"], "reason": reason})
    _tell(done, output, f"merged {name_of(done)} into {plain(done['base'])} as {done['merge_commit'][:12]}")


@pr.command()
@_pull
@_reason
@_yes
@_output
@click.pass_obj
def close(api: Api, pull: str, reason: str, yes: bool, output: str) -> None:
    """Closes a pull request without merging: the permanent fix is given up."""
    path = _path(api, pull)
    item = api.get(path)
    if not yes:
        _ask(item, f"Close {name_of(item)} without merging?")
    done = api.post(f"{path}/close", {"reason": reason})
    _tell(done, output, f"closed {name_of(done)}")


def name_of(item: Mapping[str, Any]) -> str:
    """`shop/3`: what the other commands take."""
    return f"{plain(item['repository'])}/{item['number']}"


def plain(text: str) -> str:
    """Text that steers no terminal: control characters other than tab and line break become visible."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\x{ord(sign):02x}" for sign in text)


def _path(api: Api, pull: str) -> str:
    """The API's path of the pull request that a person named.

    Raises:
        BadInput: it is no name, or fits several.
        NotFound: it fits none.
    """
    named = _NAME.match(pull)
    if named is None and not _REMEDIATION.match(pull):
        raise BadInput(
            f"{pull!r} names no pull request: write REPOSITORY/NUMBER, as shop/3, or rr-xxxxxx", field="PULL"
        )
    if named and named["repository"]:
        return f"/v1/pulls/{quote(named['repository'], safe='')}/{named['number']}"
    items = api.get("/v1/pulls")["items"]
    fits = [i for i in items if (str(i["number"]) == named["number"] if named else i["remediation_id"] == pull)]
    if len(fits) > 1:
        raise BadInput(f"{pull!r} fits {', '.join(map(name_of, fits))}: name the repository, too", field="PULL")
    if not fits:
        raise NotFound(f"no pull request {pull}: `kubernaut pr list` shows all")
    return f"/v1/pulls/{quote(fits[0]['repository'], safe='')}/{fits[0]['number']}"


def _ask(item: Mapping[str, Any], question: str) -> None:
    if not sys.stdin.isatty():
        raise BadInput("nobody to ask: standard input is no terminal; say --yes", field="--yes")
    for line in (*_head(item), "", *_diff(item), ""):
        click.echo(line, err=True)
    click.confirm(question, abort=True, err=True)


def _tell(item: Mapping[str, Any], output: str, message: str) -> None:
    click.echo(json.dumps(item, indent=2, ensure_ascii=False) if output == "json" else message)


def _head(item: Mapping[str, Any]) -> Iterator[str]:
    yield click.style(f"{name_of(item)}  {plain(item['title'])}", bold=True)
    state = click.style(item["state"], fg=_STATES.get(item["state"]))
    yield f"{state}  {plain(item['branch'])} → {plain(item['base'])}  {item['head_commit'][:12]}"
    if item["state"] == "merged":
        yield f"merged by {plain(item['merged_by']) or 'somebody'} as {item['merge_commit'][:12]}"
    elif item.get("required_role"):
        yield f"needs the role {item['required_role']} to merge"
    if item["labels"]:
        yield f"labels: {plain(', '.join(item['labels']))}"


def _diff(item: Mapping[str, Any]) -> Iterator[str]:
    files = (FileChange(f["path"], f["before"], f["after"], f["line"]) for f in item["files"])
    for line in plain(unified(files)).split("\n"):
        bold = line.startswith(("diff ", "--- ", "+++ "))
        yield click.style(line, bold=True) if bold else click.style(line, fg=_COLOURS.get(line[:1]))


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Columns as wide as their widest cell; the last one runs free."""
    clean = [tuple(plain(cell).replace("\n", " ") for cell in row) for row in rows]
    widths = [max(len(row[at]) for row in clean) for at in range(len(clean[0]) - 1)]
    for row in clean:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
