"""Inputs that visit the corners of a policy: every combination that the shipped rules tell apart."""

import itertools
from collections.abc import Iterator
from typing import Any

KINDS = ("imperative", "declarative")
RISKS = ("low", "medium", "high")
ENVIRONMENTS = ("production", "staging", "test", "development", "unknown")
TRACKS = ("imperative", "gitops")
CONFIDENCES = (0.5, 0.7, 0.9, 0.95)

ACTIONS = {
    ("imperative", "low"): "restart-deployment",
    ("imperative", "medium"): "drain-node",
    ("imperative", "high"): "run-script",
    ("declarative", "low"): "update-resources",
    ("declarative", "medium"): "update-image",
    ("declarative", "high"): "update-network-policy",
}


def sample(**changes: Any) -> dict[str, Any]:
    """One complete, ordinary input: restart a Deployment of production for a good reason; keys of it may be replaced."""
    return {
        "action": {"name": "restart-deployment", "risk": "low", "kind": "imperative", "reversible": False},
        "target": {
            "cluster": "prod-eu",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "gitops_managed": False,
            "labels": {},
        },
        "environment": "production",
        "severity": "critical",
        "priority": "P0",
        "analysis": {"failure_class": "OOMKilled", "confidence": 0.95},
        "track": "imperative",
        "blast_radius": {"pods": 3, "percent_of_workload": 34, "nodes": 0, "workloads": 1},
        "requester": "kubernaut",
        "active": {"drains_in_pool": 0, "percent_of_pool_out": 0},
        "history": {"changes_last_hour_for_owner": 0},
        "freeze": False,
        "now": "2026-01-01T12:00:00Z",
    } | changes


def samples() -> Iterator[dict[str, Any]]:
    """All combinations, then each safety limit exceeded, one after the other and all together."""
    for kind, risk, environment, managed, confidence, track in itertools.product(
        KINDS, RISKS, ENVIRONMENTS, (False, True), CONFIDENCES, TRACKS
    ):
        action = {"name": ACTIONS[kind, risk], "risk": risk, "kind": kind, "reversible": kind == "declarative"}
        base = sample(environment=environment, track=track, action=action)
        base["target"]["gitops_managed"] = managed
        base["analysis"]["confidence"] = confidence
        yield base
    excesses = list(EXCESSES)
    for excess in excesses:
        yield sample(**excess)
        yield sample(environment="development", **excess)
    yield sample(**{key: value for excess in excesses for key, value in excess.items()})


EXCESSES: tuple[dict[str, Any], ...] = (
    {"freeze": True},
    {"blast_radius": {"pods": 9000, "percent_of_workload": 100, "nodes": 40, "workloads": 400}},
    {"history": {"changes_last_hour_for_owner": 99}},
    {
        "active": {"drains_in_pool": 2, "percent_of_pool_out": 34},
        "action": {"name": "drain-node", "risk": "medium", "kind": "imperative", "reversible": True},
    },
    {
        "active": {"drains_in_pool": 0, "percent_of_pool_out": 80},
        "action": {"name": "cordon-node", "risk": "low", "kind": "imperative", "reversible": True},
    },
    {
        "target": {
            "cluster": "prod-eu",
            "kind": "Deployment",
            "namespace": "kube-system",
            "name": "coredns",
            "gitops_managed": False,
            "labels": {},
        }
    },
)

NAMESPACES: tuple[dict[str, Any], ...] = (
    {"namespace": "shop", "namespace_labels": {"environment": "production"}, "cluster_labels": {}},
    {"namespace": "shop", "namespace_labels": {"env": "stg"}, "cluster_labels": {"env": "staging"}},
    {"namespace": "shop", "namespace_labels": {"env": "dev"}, "cluster_labels": {"env": "prod"}},
    {"namespace": "shop", "namespace_labels": {}, "cluster_labels": {}},
)
