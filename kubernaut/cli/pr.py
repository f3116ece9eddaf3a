"""`kubernaut pr`: the pull requests that carry the permanent fixes. What was shown gets approved and merged, or nothing."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.domain.proposals import FileChange
from kubernaut.gitops.text import unified

from .api import ApiClient
from .options import composed, output_option, socket_option
from .tables import emitted, plain, table

_NAME = re.compile(r"^(?:(?P<repository>[\w.-]+)[/#])?(?P<number>[1-9]\d{0,8})$")
_REMEDIATION = re.compile(r"^rr-[a-z2-7]{6}$")
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}
_STATES = {"open": "yellow", "merged": "green", "closed": "red"}
_WORDS = {"success": "green", "pending": "yellow", "failure": "red", "approve": "green", "reject": "red"}

_pull = click.argument("pull", metavar="PULL")
_output = output_option()
_reason = click.option("--reason", default="", help="Why; goes into the journal. Production asks for one.")
_expected = click.option(
    "--expected-head", metavar="COMMIT", help="Only this commit; without it, the one that is shown."
)
_yes = click.option("-y", "--yes", is_flag=True, help="Don't ask.")
_closes = composed(_pull, _reason, _yes, _output, socket_option)
_decides = composed(_pull, _expected, _reason, _yes, _output, socket_option)


@click.group()
def pr() -> None:
    """Shows, approves, merges and closes pull requests of the embedded forge.

    PULL is REPOSITORY/NUMBER as the list shows it, the number alone where it is the only one, or a remediation's id.

    \b
    Examples:
      kubernaut pr list --state open
      kubernaut pr show shop/3
      kubernaut pr merge rr-a1b2c3 --reason 'seen with ana'
    """


@pr.command(name="list")
@click.option("--state", type=click.Choice(["open", "merged", "closed", "all"]), default="all", show_default=True)
@_output
@socket_option
def list_pulls(state: str, output: str, client: ApiClient) -> None:
    """Lists pull requests, newest first.

    \b
    Examples:
      kubernaut pr list --state open -o wide
      kubernaut pr list -o json | jq -r '.items[] | select(.may_merge) | .number'
    """
    items = [item for item in client.get("/v1/pulls")["items"] if state in ("all", item["state"])]
    if emitted({"items": items}, output):
        return
    wide = output == "wide"
    headers = ["PULL", "STATE", "REMEDIATION", "NEEDS", "TITLE"] + (["BRANCH", "CHECKS", "APPROVED"] if wide else [])
    click.echo(table(headers, [_row(item, wide=wide) for item in items]))


@pr.command()
@_pull
@_output
@socket_option
def show(pull: str, output: str, client: ApiClient) -> None:
    """Shows one pull request: its checks and reviews, what it says and what it changes.

    \b
    Examples:
      kubernaut pr show shop/3
      kubernaut pr show rr-a1b2c3 -o yaml
    """
    item = client.get(_path(client, pull))
    if emitted(item, output):
        return
    for line in (*_head(item), *_said(item), "", *_shown(item["body"]).splitlines(), "", *_diff(item)):
        click.echo(line)


@pr.command()
@_decides
def approve(**given: Any) -> None:
    """Says yes to a pull request, where policy wants more people than the one who merges.

    \b
    Example:
      kubernaut pr approve shop/3 --reason 'the limit was measured'
    """
    _review("approve", "approved", **given)


@pr.command()
@_decides
def reject(**given: Any) -> None:
    """Says no to a commit: it can't be merged until the same person approves it or the branch gets another one.

    \b
    Example:
      kubernaut pr reject shop/3 --reason 'twice as much as it needs'
    """
    _review("reject", "rejected", **given)


@pr.command()
@_decides
def merge(pull: str, expected_head: str | None, reason: str, yes: bool, output: str, client: ApiClient) -> None:
    """Merges a pull request after showing what it changes; merging is a yes, too.

    \b
    Examples:
      kubernaut pr merge shop/3
      kubernaut pr merge shop/3 --yes --reason 'seen in the diff' --expected-head 1f0c…
    """
    path = _path(client, pull)
    item = client.get(path)
    if not yes:
        reason = _ask(item, f"Merge {name_of(item)} into {plain(item['base'])}?", reason)
    done = client.post(f"{path}/merge", {"expected_head": expected_head or item["head_commit"], "reason": reason})
    _tell(done, output, f"merged {name_of(done)} into {plain(done['base'])} as {done['merge_commit'][:12]}")


@pr.command()
@_closes
def close(pull: str, reason: str, yes: bool, output: str, client: ApiClient) -> None:
    """Closes a pull request without merging: the permanent fix is given up.

    \b
    Example:
      kubernaut pr close shop/3 --reason 'fixed another way'
    """
    path = _path(client, pull)
    item = client.get(path)
    if not yes:
        reason = _ask(item, f"Close {name_of(item)} without merging?", reason)
    done = client.post(f"{path}/close", {"reason": reason})
    _tell(done, output, f"closed {name_of(done)}")


def _review(
    verdict: str,
    said: str,
    pull: str,
    expected_head: str | None,
    reason: str,
    yes: bool,
    output: str,
    client: ApiClient,
) -> None:
    path = _path(client, pull)
    item = client.get(path)
    if not yes:
        reason = _ask(item, f"{verdict.capitalize()} {name_of(item)}, commit {item['head_commit'][:12]}?", reason)
    body = {"verdict": verdict, "expected_head": expected_head or item["head_commit"], "reason": reason}
    done = client.post(f"{path}/review", body)
    _tell(done, output, f"{said} {name_of(done)}: {_needs(done)}")


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
    if not emitted(item, output):
        click.echo(message)


def _row(item: Mapping[str, Any], *, wide: bool) -> list[str]:
    needs = _needs(item) if item["state"] == "open" else "-"
    row = [name_of(item), item["state"], item["remediation_id"] or "-", needs, item["title"]]
    if wide:
        checks = ",".join(f"{name.rpartition('/')[2]}={word}" for name, word in item["checks"].items())
        row += [item["branch"], checks or "-", ",".join(item["approvals"]) or "-"]
    return row


def _head(item: Mapping[str, Any]) -> Iterator[str]:
    yield click.style(f"{name_of(item)}  {plain(item['title'])}", bold=True)
    state = click.style(item["state"], fg=_STATES.get(item["state"]))
    yield f"{state}  {plain(item['branch'])} → {plain(item['base'])}  {item['head_commit'][:12]}"
    if item["state"] == "merged":
        yield f"merged by {plain(item['merged_by']) or 'somebody'} as {item['merge_commit'][:12]}"
    elif item["state"] == "open":
        yield f"needs to be merged: {_needs(item)}"
    if item["labels"]:
        yield f"labels: {plain(', '.join(item['labels']))}"


def _needs(item: Mapping[str, Any]) -> str:
    """`senior`, or `2 of senior, has 1`."""
    quorum = item.get("quorum") or {}
    who = plain(" or ".join(quorum.get("groups") or ()) or item.get("required_role") or "-")
    needed = quorum.get("needed", 1)
    return who if needed == 1 else f"{needed} of {who}, has {len(quorum['approved_by'])}"


def _said(item: Mapping[str, Any]) -> Iterator[str]:
    """Checks, reviews and comments, a line each."""
    for check in item.get("check_runs", ()):
        word = click.style(check["state"], fg=_WORDS.get(check["state"]))
        yield f"check {plain(check['name'])}: {word}, {plain(check['summary'])}"
    for review in item.get("reviews", ()):
        word = click.style(review["verdict"], fg=_WORDS.get(review["verdict"]))
        because = f": {plain(review['reason'])}" if review["reason"] else ""
        about = "" if review["current"] else f" (of {review['commit'][:12]}, not of the present commit)"
        yield f"review by {plain(review['reviewer'])}: {word}{about}{because}"
    for comment in item.get("comments", ()):
        yield plain(comment)


def _diff(item: Mapping[str, Any]) -> Iterator[str]:
    files = (FileChange(f["path"], f["before"], f["after"], f["line"]) for f in item["files"])
    for line in _shown(unified(files)).split("\n"):
        bold = line.startswith(("diff ", "--- ", "+++ "))
        yield click.style(line, bold=True) if bold else click.style(line, fg=_COLOURS.get(line[:1]))
