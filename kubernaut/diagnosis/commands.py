"""A container whose program can't be started: it is not in the image, may not run, or is built for another machine."""

import re

from kubernaut.domain.analysis import ActionProposal, Evidence, Finding

from .case import Case
from .changes import Difference, changed, last_change
from .confidence import Rests, confidence
from .images import last_good_image
from .objects import NOT_STARTED, Container, killed_at_start
from .symptoms import last_lines
from .units import moment
from .words import fact, many, plain, quoted

_MOUNT = re.compile(r"\bmount", re.I)
"""What can't be mounted is no fault of the image."""
_CODES = {126: "can't be executed", 127: "is not there"}
_WORDS = re.compile(
    r"executable file not found|no such file or directory|permission denied|exec format error|not found in \$?PATH"
    r"|is a directory|command not found|: not found$",
    re.I | re.M,
)
_PROGRAM = re.compile(r"\bexec\b|executable file|entrypoint", re.I)
"""A runtime also fails to start for devices, cgroups and hooks of its own: only these words are about the program."""
_FOREIGN = re.compile(r"exec.{0,200}: exec format error$|exec format error$", re.I)
"""The loader's words about a program that is built for another processor."""


def bad_command(case: Case) -> list[Finding]:
    """Containers that the runtime can't start, or whose shell does not find the program."""
    failing: dict[str, list[Container]] = {}
    for container in case.containers:
        if case.current(container.pod) and not container.running and why_not_started(case, container):
            failing.setdefault(container.name, []).append(container)
    return [_finding(case, containers) for containers in failing.values()]


def why_not_started(case: Case, container: Container) -> str:
    """The runtime's or the shell's words when the program itself is at fault; empty when it is not."""
    _, end = container.last_end
    if killed_at_start(container):
        return ""
    if container.waiting in NOT_STARTED and _WORDS.search(container.waiting_message):
        return container.waiting_message
    if not end or not case.present(container):
        return ""
    message = str(end.get("message", ""))
    if end.get("reason") in NOT_STARTED and (_WORDS.search(message) or end.get("exitCode") in (126, 127, 128)):
        return message or str(end["reason"])
    if not case.crashing(container):
        return ""
    if end.get("exitCode") in (1, 255) and (line := next(filter(_FOREIGN.search, last_lines(case, container, 3)), "")):
        return line
    if end.get("exitCode") in _CODES:
        return _last_line(case, container) or f"exit code {end['exitCode']}: the program {_CODES[end['exitCode']]}"
    return ""


def _finding(case: Case, containers: list[Container]) -> Finding:
    first = containers[0]
    field, end = first.last_end
    why = why_not_started(case, first)
    told = end.get("reason") in NOT_STARTED or first.waiting in NOT_STARTED
    differences = _differences(case, first)
    image = next((d for d in differences if d.field == "image"), None)
    command = next((d for d in differences if d.field in ("command", "args")), None)
    program = bool(_WORDS.search(why)) and (not told or bool(_PROGRAM.search(why)))
    ours = program or end.get("exitCode") in _CODES
    revert = image is not None and command is None and ours and not _MOUNT.search(why)
    good, proven = last_good_image(case, first.name, str(first.spec.get("image", ""))) if revert else ("", False)
    return Finding(
        target=case.owner,
        failure_class="CrashLoopBackOff",
        cause=_cause(first, len(containers), why, image if revert else None, command),
        confidence=confidence(
            Rests.DIRECT if program else Rests.INDIRECT,
            supports=sum((bool(differences), len(containers) > 1, proven)),
            missing=(case.owner.kind == "Deployment" and case.lacks("replicaset"))
            + (0 if told else case.lacks("log of")),
        ),
        evidence=(*_ends(containers, field), *_command(first), *changed(case, first.name, "image" if revert else "")),
        permanent=_go_back(case, first, good) if good else None,
        urgent=bool(good),
        alternatives=(
            *_alternatives(command, bool(good)),
            *(
                ()
                if ours
                else ("the runtime or the node, not the program: look whether other pods start on that node",)
            ),
        ),
    )


def _cause(first: Container, pods: int, why: str, image: Difference | None, command: Difference | None) -> str:
    program = " ".join(map(str, first.spec.get("command") or ())) or "the image's entry point"
    changed_by = (
        f" since its {command.field} changed"
        if command
        else f" since its image became {plain(image.after, 80)}"
        if image
        else ""
    )
    foreign = " (it is built for another processor, or lacks its #! line)" if _FOREIGN.search(why) else ""
    said = quoted(why, 160).rstrip(".") + foreign
    return f"Container {first.name} of {many(pods, 'pod')} can't start {plain(program, 80)}{changed_by}: {said}."


def _ends(containers: list[Container], field: str) -> list[Evidence]:
    found = []
    for container in containers[:3]:
        where, end = container.last_end
        if end:
            said = f"{end.get('reason', '')}, exit code {end.get('exitCode', '?')}: {end.get('message', '')}".rstrip(
                ": "
            )
            found.append(fact(container.pod, where, said, moment(end.get("finishedAt"))))
        else:
            said = f"{container.waiting}: {container.waiting_message}"
            found.append(fact(container.pod, f"{container.path}.state.waiting", said))
    return found


def _command(container: Container) -> list[Evidence]:
    words = [*map(str, container.spec.get("command") or ()), *map(str, container.spec.get("args") or ())]
    where = f"spec.{'initContainers' if container.init else 'containers'}[{container.name}]"
    if words:
        return [fact(container.pod, f"{where}.command", " ".join(words))]
    return [fact(container.pod, f"{where}.image", container.spec.get("image", ""))]


def _differences(case: Case, container: Container) -> list[Difference]:
    change = last_change(case)
    if change is None:
        return []
    return [d for d in change[1] if d.container == container.name and d.field in ("image", "command", "args")]


def _go_back(case: Case, container: Container, good: str) -> ActionProposal:
    return ActionProposal(
        "update-image",
        case.owner,
        {"container": container.name, "from": str(container.spec.get("image", "")), "to": good},
        f"Go back to {plain(good, 120)}: the command did not change, the image did.",
    )


def _alternatives(command: Difference | None, reverts: bool) -> tuple[str, ...]:
    found = ["a restart: every start fails alike, so it would not help"]
    if command is not None:
        found.append(f"take back the change of {command.field} in the revision before: {plain(command, 120)}")
    elif not reverts:
        found.append("no revision changed image or command, so what it was before is not known")
    return tuple(found)


def _last_line(case: Case, container: Container) -> str:
    meta = container.pod["metadata"]
    for previous in (True, False):
        text = case.snapshot.log(meta.get("namespace", ""), meta["name"], container.name, previous=previous)
        for line in reversed(text.splitlines()[-5:]):
            if _WORDS.search(line):
                return line
    return ""
