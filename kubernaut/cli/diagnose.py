"""`kubernaut diagnose`: what is wrong with one object and what would help, read-only, on a live cluster or a dump."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from kubernaut.adapters.dump import read_dump
from kubernaut.cli.diagnosis_text import as_document, as_text
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import BadInput, KubernautError, NotFound
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.resources import ResourceRef

KINDS = {
    "Deployment": ("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"),
    "StatefulSet": ("statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"),
    "DaemonSet": ("daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"),
    "Pod": ("pod", "pods", "po"),
    "Node": ("node", "nodes", "no"),
}
"""Kinds that can be diagnosed, with kubectl's names for them."""

DEADLINE_S = 20.0


@click.command()
@click.argument("target", nargs=-1, required=True, metavar="KIND/NAME")
@click.option("-n", "--namespace", default="default", show_default=True, help="The object's namespace.")
@click.option("--cluster", default="", help="Name of the cluster in the answer; with --config, which cluster to ask.")
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig of the live cluster.")
@click.option("--context", default="", help="Context of the kubeconfig; its current one without this.")
@click.option("--from-dump", type=click.Path(path_type=Path), metavar="DIR",
              help="Read a `kubectl cluster-info dump --output-directory DIR -o json` instead of a cluster.")  # fmt: skip
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
def diagnose(
    target: tuple[str, ...],
    namespace: str,
    cluster: str,
    kubeconfig: Path | None,
    context: str,
    from_dump: Path | None,
    output: str,
) -> None:
    """Say what is wrong with KIND/NAME and what would help. Changes nothing.

    Kinds: deployment, statefulset, daemonset, pod, node (and kubectl's short names). Exit status: 0 done, also when
    nothing is wrong; 2 bad input; 4 not found; 1 anything else.
    """
    try:
        if from_dump and (kubeconfig or context):
            raise BadInput("a dump needs neither --kubeconfig nor --context: leave them out", field="--from-dump")
        ref = parse_target(target, namespace, cluster or context or ("dump" if from_dump else "default"))
        dumped = read_dump(from_dump).snapshot(ref) if from_dump else None
        snapshot = dumped or asyncio.run(read_live(ref, kubeconfig, context))
        findings, seen = RulesAnalyst().judge(snapshot)
    except KubernautError as e:
        click.echo(f"kubernaut diagnose: {e}", err=True)
        sys.exit(2 if isinstance(e, BadInput) else 4 if isinstance(e, NotFound) else 1)
    click.echo(as_document(snapshot, findings, seen) if output == "json" else as_text(snapshot, findings, seen))


def parse_target(words: tuple[str, ...], namespace: str, cluster: str) -> ResourceRef:
    """`deployment/checkout`, `deploy checkout` → the object's name.

    Raises:
        BadInput: it names no kind that can be diagnosed, or no object.
    """
    parts = words[0].split("/") if len(words) == 1 else list(words)
    if len(parts) != 2 or not all(parts) or "/" in parts[1]:
        raise BadInput(f"{' '.join(words)!r} names no object: write KIND/NAME, as deployment/checkout", field="target")
    kind = next((kind for kind, names in KINDS.items() if parts[0].lower() in names), "")
    if not kind:
        known = ", ".join(names[0] for names in KINDS.values())
        raise BadInput(f"{parts[0]!r} can't be diagnosed; kinds are {known}", field="target")
    return ResourceRef(cluster, kind, parts[1], "" if kind == "Node" else namespace)


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


async def read_live(ref: ResourceRef, kubeconfig: Path | None, context: str) -> Snapshot:
    """The facts about a live object."""
    raise BadInput("a live cluster can't be read yet: use --from-dump DIR", field="target")
