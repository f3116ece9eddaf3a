"""What a key's value was before the newest commit that changed it, read from the commit's diff."""

import re

import yaml

from kubernaut.domain.analysis import Evidence

from .case import Case
from .changes import commit_fact


def before(case: Case, key: str, live: str | None) -> tuple[str, Evidence] | None:
    """The value that a key had before the newest commit that touched it, if that commit made it `live` (None: removed it).

    Where the newest commit made it something else, Git is ahead of the cluster or the value comes from another place:
    then history does not tell what to go back to.
    """
    for commit in case.snapshot.commits:
        old, new = _changed_lines(commit.diff, key, "-"), _changed_lines(commit.diff, key, "+")
        if not old and not new:
            continue
        made_live = new == [live] if live is not None else not new
        known = len(set(old)) == 1 and old[0] is not None and old[0] != live
        return (str(old[0]), commit_fact(commit)) if made_live and known else None
    return None


def _changed_lines(diff: str, key: str, sign: str) -> list[str | None]:
    """The values that a diff removes (`-`) or adds (`+`) for a key, None for one that is no plain scalar.

    Keys are written as YAML (`KEY: value`), as a literal of a Kustomize generator (`- KEY=value`) or in an env file.
    """
    sign, key = re.escape(sign), re.escape(key)
    as_yaml = re.compile(rf"^{sign}\s+[\"']?{key}[\"']?:(\s.*)$")
    as_literal = re.compile(rf"^{sign}\s*(?:-\s+)?[\"']?{key}=(.*?)[\"']?\s*$")
    found: list[str | None] = []
    for line in diff.splitlines():
        if match := as_yaml.match(line):
            found.append(_scalar(match[1]))
        elif match := as_literal.match(line):
            found.append(match[1])
    return found


def _scalar(text: str) -> str | None:
    """A YAML scalar's text; None for anything that goes on in the next lines."""
    try:
        node = yaml.compose(text.strip(), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
        return None
    return str(node.value)
