"""What workloads and what guards or scales them must be like.

Source: k8s.io/kubernetes/pkg/apis/{apps,batch,autoscaling,policy}/validation
"""

from __future__ import annotations

import re
from typing import Any

from kubernaut.sim.apiserver.naming import label_selector, labels
from kubernaut.sim.apiserver.pod_rules import pod_spec
from kubernaut.sim.apiserver.selectors import selects
from kubernaut.sim.apiserver.status import Cause, Json, forbidden_field, invalid_value, not_supported, required

_NOT_NEGATIVE = "must be greater than or equal to 0"
_PERCENT_TEXT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)
_TEMPLATE = "spec.template.spec"
_ROLLING = "spec.updateStrategy.rollingUpdate"


def workload(obj: Json, kind: str) -> list[Cause]:
    """A ReplicaSet, StatefulSet or DaemonSet, or what a Deployment has of one."""
    spec = obj["spec"]
    template = spec["template"]
    causes = _not_negative(spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    broken = label_selector("spec.selector", spec.get("selector"))
    causes += _selector("spec.selector", spec.get("selector"), template, kind, broken)
    if broken:
        return causes  # the template is only looked at with a selector that can be one
    causes += labels("spec.template.metadata.labels", (template.get("metadata") or {}).get("labels"))
    return causes + pod_spec(template.get("spec") or {}, _TEMPLATE, restart=("Always",), replicated=True)


def _selector(field: str, selector: Json | None, template: Json, kind: str, broken: list[Cause]) -> list[Cause]:
    given = (template.get("metadata") or {}).get("labels")
    mismatch = invalid_value("spec.template.metadata.labels", given, "`selector` does not match template `labels`")
    if selector is None:
        return [required(field), mismatch]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [invalid_value(field, {}, f"empty selector is invalid for {kind}")]
    if broken:
        return [*broken, invalid_value(field, selector, "invalid label selector")]
    return [] if selects(selector, given or {}) else [mismatch]


def _not_negative(spec: Json, *fields: str) -> list[Cause]:
    return [
        invalid_value(f"spec.{name}", spec[name], _NOT_NEGATIVE)
        for name in fields
        if isinstance(spec.get(name), int) and spec[name] < 0
    ]


def share(field: str, value: Any, *, most: bool) -> list[Cause]:
    """A number or a percentage; `most`: of no more than all."""
    if isinstance(value, int):
        return [] if value >= 0 else [invalid_value(field, value, _NOT_NEGATIVE)]
    if not isinstance(value, str) or not re.fullmatch(r"\d+%", value):
        return [invalid_value(field, value, _PERCENT_TEXT)]
    return [invalid_value(field, value, "must not be greater than 100%")] if most and int(value[:-1]) > 100 else []


def deployment(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = workload(obj, "deployment")
    strategy = spec["strategy"]
    if strategy["type"] not in ("Recreate", "RollingUpdate"):
        shown = {"Type": strategy["type"], "RollingUpdate": None}
        causes.append(not_supported("spec.strategy", shown, ["Recreate", "RollingUpdate"]))
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] == "Recreate" and rolling:
        text = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden_field("spec.strategy.rollingUpdate", text))
    elif rolling:
        where = "spec.strategy.rollingUpdate"
        causes += share(f"{where}.maxUnavailable", rolling["maxUnavailable"], most=True)
        causes += share(f"{where}.maxSurge", rolling["maxSurge"], most=False)
        if {str(rolling["maxUnavailable"]), str(rolling["maxSurge"])} <= {"0", "0%"}:
            text = "may not be 0 when `maxSurge` is 0"
            causes.append(invalid_value(f"{where}.maxUnavailable", rolling["maxUnavailable"], text))
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return causes


def replication_controller(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes = _not_negative(spec, "replicas", "minReadySeconds")
    if not spec.get("selector"):
        causes.append(required("spec.selector"))
    given = (spec["template"].get("metadata") or {}).get("labels") or {}
    if not (spec.get("selector") or {}).items() <= given.items():
        text = "`selector` does not match template `labels`"
        causes.append(invalid_value("spec.template.metadata.labels", given, text))
    return causes + pod_spec(spec["template"].get("spec") or {}, _TEMPLATE, restart=("Always",), replicated=True)


def stateful_set(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    way, update = spec.get("podManagementPolicy"), spec.get("updateStrategy") or {}
    causes: list[Cause] = []
    if way not in ("OrderedReady", "Parallel"):
        causes.append(invalid_value("spec.podManagementPolicy", way, "must be 'OrderedReady' or 'Parallel'"))
    if update.get("type") not in ("RollingUpdate", "OnDelete"):
        causes.append(invalid_value("spec.updateStrategy", update, "must be 'RollingUpdate' or 'OnDelete'"))
    rolling = update.get("rollingUpdate") or {}
    if (rolling.get("partition") or 0) < 0:
        causes.append(invalid_value(f"{_ROLLING}.partition", rolling["partition"], _NOT_NEGATIVE))
    return causes + workload(obj, "statefulset")


def daemon_set(obj: Json) -> list[Cause]:
    way = (obj["spec"].get("updateStrategy") or {}).get("type")
    shown = {"Type": way, "RollingUpdate": None}
    known = way in ("RollingUpdate", "OnDelete")
    causes = [] if known else [not_supported("spec.updateStrategy", shown, ["RollingUpdate", "OnDelete"])]
    rolling = obj["spec"].get("updateStrategy", {}).get("rollingUpdate") or {}
    if way == "RollingUpdate" and rolling:
        unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
        causes += share(f"{_ROLLING}.maxUnavailable", unavailable, most=True) + share(
            f"{_ROLLING}.maxSurge", surge, most=True
        )
        if not _some(unavailable) and not _some(surge):
            causes.append(required(f"{_ROLLING}.maxUnavailable", "cannot be 0 when maxSurge is 0"))
    return workload(obj, "daemonset") + causes


def _some(value: Any) -> bool:
    """Whether a share is more than nothing; what can't be read as one is nothing."""
    text = str(value).removesuffix("%")
    return text.lstrip("-").isdecimal() and int(text) != 0


def job(obj: Json) -> list[Cause]:
    return _job_spec(obj["spec"], "spec")


def _job_spec(spec: Json, field: str) -> list[Cause]:
    causes = [
        invalid_value(f"{field}.{name}", spec[name], _NOT_NEGATIVE)
        for name in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
        if isinstance(spec.get(name), int) and spec[name] < 0
    ]
    way = spec.get("completionMode")
    if way is not None and way not in ("NonIndexed", "Indexed"):
        causes.append(not_supported(f"{field}.completionMode", way, ["NonIndexed", "Indexed"]))
    pod = (spec.get("template") or {}).get("spec") or {}
    where = f"{field}.template.spec"
    if pod.get("restartPolicy") == "Always":
        return [*causes, required(f"{where}.restartPolicy", 'valid values: "OnFailure", "Never"')]
    return causes + pod_spec(pod, where, restart=("OnFailure", "Never"))


def cron_job(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    causes: list[Cause] = []
    schedule, way = spec.get("schedule") or "", spec.get("concurrencyPolicy")
    parts = schedule.split()
    if not schedule:
        causes.append(required("spec.schedule"))
    elif not schedule.startswith("@") and len(parts) != 5:
        text = f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
        causes.append(invalid_value("spec.schedule", schedule, text))
    if way not in ("Allow", "Forbid", "Replace"):
        causes.append(not_supported("spec.concurrencyPolicy", way, ["Allow", "Forbid", "Replace"]))
    causes += _not_negative(spec, "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    return causes + _job_spec((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def autoscaler(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    maximum, minimum = spec.get("maxReplicas") or 0, spec.get("minReplicas", 1)
    causes: list[Cause] = []
    if minimum < 1:
        causes.append(invalid_value("spec.minReplicas", minimum, "must be greater than or equal to 1"))
    if maximum < 1:
        causes.append(required("spec.maxReplicas", "must be set and greater than 0"))
    if maximum < minimum:
        causes.append(invalid_value("spec.maxReplicas", maximum, "must be greater than or equal to `minReplicas`"))
    reference = spec.get("scaleTargetRef") or {}
    causes += [required(f"spec.scaleTargetRef.{name}") for name in ("kind", "name") if not reference.get(name)]
    if "/" not in (reference.get("apiVersion") or "") and reference.get("kind") != "ReplicationController":
        shown = reference.get("apiVersion") or ""
        causes.append(invalid_value("spec.scaleTargetRef.apiVersion", shown, "apiVersion must specify API group"))
    return causes


def budget(obj: Json) -> list[Cause]:
    spec = obj["spec"]
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        return [invalid_value("spec", spec, "minAvailable and maxUnavailable cannot be both set")]
    causes: list[Cause] = []
    for name in ("minAvailable", "maxUnavailable"):
        if spec.get(name) is not None:
            causes += share(f"spec.{name}", spec[name], most=True)
    way = spec.get("unhealthyPodEvictionPolicy")
    if way is not None and way not in ("AlwaysAllow", "IfHealthyBudget"):
        causes.append(not_supported("spec.unhealthyPodEvictionPolicy", way, ["AlwaysAllow", "IfHealthyBudget"]))
    return causes + label_selector("spec.selector", spec.get("selector"))
