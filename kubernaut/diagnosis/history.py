"""What a key's value was before it was changed: as the newest commit that touched it tells, or as it was applied.

`kubectl apply` leaves on the object what it wrote. A live value that differs from it was edited later by something else, so
what was applied is what was there before. A generated ConfigMap gets a new name with each content; then the one that the
revision before referred to tells.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from kubernaut.domain.analysis import Evidence
from kubernaut.domain.facts import Object

from .case import Case
from .changes import commit_fact
from .objects import name_of
from .words import fact, plain

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def before(case: Case, key: str, live: str | None, holder: Object | None = None) -> tuple[str, Evidence] | None:
    """The value that a key had before, and what tells it; None where nothing does.

    Args:
        live: the value now; None when the key was removed.
        holder: the ConfigMap as it is now.
    """
    if (known := _committed(case, key, live)) or holder is None:
        return known
    return _applied(holder, key, live) or _renamed(case, holder, key, live)


def _committed(case: Case, key: str, live: str | None) -> tuple[str, Evidence] | None:
    """The value before the newest commit that touched the key, if that commit made it `live`.

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


def _applied(holder: Object, key: str, live: str | None) -> tuple[str, Evidence] | None:
    text = (holder["metadata"].get("annotations") or {}).get(APPLIED)
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    data = document.get("data") if isinstance(document, dict) else None
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(value, str) or value == live:
        return None
    said = f"{key}={plain(value, 80)} was applied; it was edited since"
    return value, fact(holder, f"metadata.annotations[{APPLIED}]", said)


def _renamed(case: Case, holder: Object, key: str, live: str | None) -> tuple[str, Evidence] | None:
    """The key's value in the ConfigMap that the revision before used in this one's place."""
    if len(case.revisions) < 2:
        return None
    now, then = (_config_maps(revision.template) for revision in case.revisions[:2])
    name = holder["metadata"]["name"]
    new, gone = [n for n in now if n not in then], [n for n in then if n not in now]
    stem = name.rpartition("-")[0]
    alike = [n for n in gone if n.rpartition("-")[0] == stem]
    if name not in new or not stem or len(alike) != 1:
        return None
    earlier = case.snapshot.get("ConfigMap", alike[0], holder["metadata"].get("namespace", ""))
    value = ((earlier or {}).get("data") or {}).get(key)
    if earlier is None or not isinstance(value, str) or value == live:
        return None
    said = f"{key}={plain(value, 80)}, and {name_of(holder)} has {key}={plain(live or 'none', 80)}"
    return value, fact(earlier, f"data[{key}]", said)


def _config_maps(template: Mapping[str, Any]) -> list[str]:
    """Names of the ConfigMaps that a pod specification refers to."""
    found = []
    for container in (*(template.get("initContainers") or ()), *(template.get("containers") or ())):
        found += [(s.get("configMapRef") or {}).get("name") for s in container.get("envFrom") or ()]
        found += [
            ((v.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name") for v in container.get("env") or ()
        ]
    found += [(v.get("configMap") or {}).get("name") for v in template.get("volumes") or ()]
    return [str(name) for name in dict.fromkeys(found) if name]


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
