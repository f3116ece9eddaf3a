"""`kubernaut diagnose`: what is wrong with one object and what would help, read-only, on a live cluster or a dump."""

import asyncio
import os
from pathlib import Path

import click

from kubernaut.adapters.dump import read_dump
from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.domain.errors import BadInput
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.resources import ResourceRef
from kubernaut.pipeline.enrich import enrich
from kubernaut.settings import load

from .diagnosis_text import as_document, as_text
from .options import output_option

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
@click.option(
    "--cluster", default="", metavar="NAME", help="A cluster of the configuration, or its name in the answer."
)
@click.option("--config", "config_path", type=click.Path(path_type=Path), envvar="KUBERNAUT_CONFIG",
              default=Path("config/kubernaut.yaml"), show_default=True, help="Where --cluster is looked up.")  # fmt: skip
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig of a live cluster [default: as kubectl]."
)
@click.option("--context", default="", help="Context of the kubeconfig [default: its current one].")
@click.option("--from-dump", type=click.Path(path_type=Path), metavar="DIR",
              help="Read a `kubectl cluster-info dump --output-directory DIR -o json` instead of a cluster.")  # fmt: skip
@output_option("text", "json")
def diagnose(
    target: tuple[str, ...],
    namespace: str,
    cluster: str,
    config_path: Path,
    kubeconfig: Path | None,
    context: str,
    from_dump: Path | None,
    output: str,
) -> None:
    """Say what is wrong with KIND/NAME and what would help. Changes nothing.

    \b
    Kinds: deployment, statefulset, daemonset, pod, node, and kubectl's short names.
      kubernaut diagnose deployment/checkout -n shop
      kubernaut diagnose node/n5 --context prod-eu -o json
      kubernaut diagnose deploy/checkout -n shop --from-dump ./dump

    Exit status: 0 done, also when nothing is wrong; 2 bad input; 3 not permitted; 4 not found; 1 anything else.
    """
    if from_dump and (kubeconfig or context):
        raise BadInput("a dump needs neither --kubeconfig nor --context: leave them out", field="--from-dump")
    ref = parse_target(target, namespace, cluster or context or ("dump" if from_dump else "cluster"))
    if from_dump:
        snapshot = read_dump(from_dump).snapshot(ref)
    else:
        if cluster and not kubeconfig and not context:
            kubeconfig, context = configured(config_path, cluster)
        snapshot = asyncio.run(read_live(ref, kubeconfig or default_kubeconfig(), context))
    findings, seen = RulesAnalyst().judge(snapshot)
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


def default_kubeconfig() -> Path | None:
    """The kubeconfig that kubectl would use; None inside of a pod, whose service account is used then."""
    named = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = Path.home() / ".kube" / "config"
    if named:
        return Path(named[0])
    return None if not home.exists() and os.environ.get("KUBERNETES_SERVICE_HOST") else home


def configured(config_path: Path, name: str) -> tuple[Path | None, str]:
    """Kubeconfig and context of a cluster of the configuration.

    Raises:
        BadInput: the configuration can't be read, or has no such cluster.
    """
    clusters = load(config_path).clusters
    found = next((cluster for cluster in clusters if cluster.name == name), None)
    if found is None:
        known = ", ".join(cluster.name for cluster in clusters) or "none"
        raise BadInput(f"{config_path} has no cluster {name!r} (it has: {known})", field="--cluster")
    return found.kubeconfig, found.context or ""


async def read_live(ref: ResourceRef, kubeconfig: Path | None, context: str) -> Snapshot:
    """The facts about a live object; nothing is watched and nothing is written.

    Raises:
        BadInput, NotFound, Refused, Temporary, Permanent: the object could not be read.
    """
    clock = SystemClock()
    cluster = await KubernetesCluster.connect(ref.cluster, kubeconfig, context or None, clock)
    try:
        return await enrich(cluster, ref, clock=clock, deadline_s=DEADLINE_S, to_owner=False)
    finally:
        await cluster.close()
