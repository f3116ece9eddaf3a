"""`kubernaut diagnose`: what is wrong with one object and what would help, read-only, on a live cluster or a dump."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from kubernaut.adapters.dump import read_dump
from kubernaut.adapters.kubernetes import KubernetesCluster
from kubernaut.clock import SystemClock
from kubernaut.diagnosis.analyst import RulesAnalyst
from kubernaut.diagnosis.survey import EVERYTHING, merged, survey, unwell
from kubernaut.domain.analysis import Finding
from kubernaut.domain.errors import BadInput
from kubernaut.domain.facts import Snapshot
from kubernaut.domain.resources import ResourceRef
from kubernaut.pipeline.enrich import enrich
from kubernaut.pipeline.enrich_all import enrich_all, enrich_each
from kubernaut.settings import load

from .diagnosis_text import as_document, as_text
from .options import output_option
from .tables import emit

KINDS = {
    "Deployment": ("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"),
    "StatefulSet": ("statefulset", "statefulsets", "sts", "statefulset.apps", "statefulsets.apps"),
    "DaemonSet": ("daemonset", "daemonsets", "ds", "daemonset.apps", "daemonsets.apps"),
    "ReplicaSet": ("replicaset", "replicasets", "rs", "replicaset.apps", "replicasets.apps"),
    "Job": ("job", "jobs", "job.batch", "jobs.batch"),
    "CronJob": ("cronjob", "cronjobs", "cj", "cronjob.batch", "cronjobs.batch"),
    "Pod": ("pod", "pods", "po"),
    "Node": ("node", "nodes", "no"),
}
"""Kinds that can be diagnosed, with kubectl's names for them."""

SCOPES = (EVERYTHING, "Namespace")
DEADLINE_S = 20.0


@click.command()
@click.argument("target", nargs=-1, metavar="[KIND/NAME]")
@click.option(
    "-n", "--namespace", default=None, help="The object's namespace [default: default]; without KIND/NAME: all of it."
)
@click.option("-A", "--all-namespaces", "everywhere", is_flag=True, help="Everything in the cluster or the dump.")
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
@output_option()
def diagnose(
    target: tuple[str, ...],
    namespace: str | None,
    everywhere: bool,
    cluster: str,
    config_path: Path,
    kubeconfig: Path | None,
    context: str,
    from_dump: Path | None,
    output: str,
) -> None:
    """Say what is wrong with KIND/NAME, or with everything, and what would help. Changes nothing.

    Kinds: deployment, statefulset, daemonset, replicaset, job, cronjob, pod, node, and kubectl's short names.

    \b
    Examples:
      kubernaut diagnose deployment/checkout -n shop
      kubernaut diagnose node/n5 --context prod-eu -o json
      kubernaut diagnose                                        everything, the worst first
      kubernaut diagnose -n shop                                everything in one namespace
      kubernaut diagnose deploy/checkout -n shop --from-dump ./dump

    \b
    A dump is made by
      kubectl cluster-info dump -A -o json --output-directory ./dump
      kubectl get configmaps,statefulsets,jobs,pvc -A -o json > ./dump/more.json

    Exit status: 0 done, also when nothing is wrong; 2 bad input; 3 not permitted; 4 not found; 1 anything else.
    """
    if from_dump and (kubeconfig or context):
        raise BadInput("a dump needs neither --kubeconfig nor --context: leave them out", field="--from-dump")
    if everywhere and (target or namespace):
        raise BadInput("it means everything: leave out KIND/NAME and -n, or leave out -A", field="--all-namespaces")
    named = cluster or context or ("dump" if from_dump else "cluster")
    ref = parse_target(target, namespace or "default", named) if target else scope(namespace, named)
    if from_dump:
        snapshots = read_offline(from_dump, ref)
    else:
        if cluster and not kubeconfig and not context:
            kubeconfig, context = configured(config_path, cluster)
        snapshots = asyncio.run(read_live(ref, kubeconfig or default_kubeconfig(), context))
    findings, seen = answer(snapshots)
    if output in ("table", "wide"):
        click.echo(as_text(snapshots[0], findings, seen))
        return
    document = as_document(snapshots[0], findings, seen)
    if output == "json":
        click.echo(document)
    else:
        emit(json.loads(document), "yaml")


def answer(snapshots: Sequence[Snapshot]) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What the rules find: in one snapshot of one object, in one of everything, or in those of all that look unwell."""
    judge = RulesAnalyst().judge
    first, *others = snapshots
    if first.target.kind not in SCOPES:
        return judge(first)
    found, seen = survey(first, judge)
    closer = [judge(snapshot) for snapshot in others]
    if not others:
        return found, seen
    asked = {snapshot.target for snapshot in others}
    kept = [f for f in found if f.target not in asked]
    findings = merged([*kept, *(f for findings, _ in closer for f in findings)])
    return findings, (seen[0], *(lines[0] for findings, lines in closer if lines and not findings))


def read_offline(directory: Path, ref: ResourceRef) -> list[Snapshot]:
    """The facts of a dump.

    Raises:
        BadInput, NotFound: the dump can't be read, or does not hold the object.
    """
    dump = read_dump(directory)
    return [dump.everything(ref) if ref.kind in SCOPES else dump.snapshot(ref)]


def scope(namespace: str | None, cluster: str) -> ResourceRef:
    """What is meant when no object is named: one namespace, or everything."""
    return ResourceRef(cluster, "Namespace", namespace) if namespace else ResourceRef(cluster, EVERYTHING, cluster)


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


async def read_live(ref: ResourceRef, kubeconfig: Path | None, context: str) -> list[Snapshot]:
    """The facts about a live object, or about everything and then about each object that looks unwell.

    Nothing is watched and nothing is written.

    Raises:
        BadInput, NotFound, Refused, Temporary, Permanent: the object could not be read.
    """
    clock = SystemClock()
    cluster = await KubernetesCluster.connect(ref.cluster, kubeconfig, context or None, clock)
    try:
        if ref.kind not in SCOPES:
            return [await enrich(cluster, ref, clock=clock, deadline_s=DEADLINE_S, to_owner=False)]
        everything = await enrich_all(cluster, ref, clock=clock, deadline_s=DEADLINE_S)
        return [everything, *await enrich_each(cluster, unwell(everything), clock=clock, deadline_s=DEADLINE_S)]
    finally:
        await cluster.close()
