"""`kubernaut pr`: the pull requests that carry the permanent fixes. What was shown is what gets merged, or nothing."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.proposals import FileChange
from kubernaut.gitops.text import unified

from .api import ApiClient
from .options import output_option, socket_option
from .tables import emit, plain, table

_NAME = re.compile(r"^(?:(?P<repository>[\w.-]+)[/#])?(?P<number>[1-9]\d{0,8})$")
_REMEDIATION = re.compile(r"^rr-[a-z2-7]{6}$")
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_STATES = {"open": "yellow", "merged": "green", "closed": "red"}

_pull = click.argument("pull", metavar="PULL")
_output = output_option("table", "json")
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
@socket_option
def list_pulls(state: str, output: str, client: ApiClient) -> None:
    """Lists pull requests, newest first."""
    items = [item for item in client.get("/v1/pulls")["items"] if state in ("all", item["state"])]
    if output == "json":
        emit({"items": items}, "json")
        return
    rows = [
        (name_of(i), i["state"], i["remediation_id"] or "-", i.get("required_role") or "-", i["title"]) for i in items
    ]
    click.echo(table(("PULL", "STATE", "REMEDIATION", "NEEDS", "TITLE"), rows))


@pr.command()
@_pull
@_output
@socket_option
def show(pull: str, output: str, client: ApiClient) -> None:
    """Shows one pull request: what it says and what it changes."""
    item = client.get(_path(client, pull))
    if output == "json":
        emit(item, "json")
        return
    for line in (*_head(item), "", *_shown(item["body"]).splitlines(), "", *_diff(item)):
        click.echo(line)


@pr.command()
@_pull
@click.option("--expected-head", metavar="COMMIT", help="Merge only this commit; without it, the one that is shown.")
@_reason
@_yes
@_output
@socket_option
def merge(pull: str, expected_head: str | None, reason: str, yes: bool, output: str, client: ApiClient) -> None:
    """Merges a pull request after showing what it changes."""
    path = _path(client, pull)
    item = client.get(path)
    if not yes:
        reason = _ask(item, f"Merge {name_of(item)} into {plain(item['base'])}?", reason)
    done = client.post(f"{path}/merge", {"expected_head": expected_head or item["head_commit"], "reason": reason})
    _tell(done, output, f"merged {name_of(done)} into {plain(done['base'])} as {done['merge_commit'][:12]}")


@pr.command()
@_pull
@_reason
@_yes
@_output
@socket_option
def close(pull: str, reason: str, yes: bool, output: str, client: ApiClient) -> None:
    """Closes a pull request without merging: the permanent fix is given up."""
    path = _path(client, pull)
    item = client.get(path)
    if not yes:
        reason = _ask(item, f"Close {name_of(item)} without merging?", reason)
    done = client.post(f"{path}/close", {"reason": reason})
    _tell(done, output, f"closed {name_of(done)}")


def name_of(item: Mapping[str, Any]) -> str:
    """`shop/3`: what the other commands take."""
    return f"{plain(item['repository'])}/{item['number']}"


def _shown(text: str) -> str:
    """Text of several lines that steers no terminal: control characters other than tab become visible."""
    return "".join(sign if sign.isprintable() or sign in "\n\t" else f"\\x{ord(sign):02x}" for sign in text)


def _path(client: ApiClient, pull: str) -> str:
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
        return f"/v1/pulls/{named['repository']}/{named['number']}"
    items = client.get("/v1/pulls")["items"]
    fits = [i for i in items if (str(i["number"]) == named["number"] if named else i["remediation_id"] == pull)]
    if len(fits) > 1:
        raise BadInput(f"{pull!r} fits {', '.join(map(name_of, fits))}: name the repository, too", field="PULL")
    if not fits:
        raise NotFound(f"no pull request {pull}: `kubernaut pr list` shows all")
    return f"/v1/pulls/{fits[0]['repository']}/{fits[0]['number']}"


def _ask(item: Mapping[str, Any], question: str, reason: str) -> str:
    """Show what it is about and ask; returns the reason, asked for if none was given."""
    if not sys.stdin.isatty():
        raise BadInput("nobody to ask: standard input is no terminal; say --yes", field="--yes")
    for line in (*_head(item), "", *_diff(item), ""):
        click.echo(line, err=True)
    click.confirm(question, abort=True, err=True)
    return reason or str(click.prompt("Reason, for the journal", default="", show_default=False, err=True))


def _tell(item: Mapping[str, Any], output: str, message: str) -> None:
    if output == "json":
        emit(item, "json")
    else:
        click.echo(message)


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
    for line in _shown(unified(files)).split("\n"):
        bold = line.startswith(("diff ", "--- ", "+++ "))
        yield click.style(line, bold=True) if bold else click.style(line, fg=_COLOURS.get(line[:1]))
