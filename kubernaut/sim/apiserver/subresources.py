"""What hangs below an object: scale, eviction, binding, logs."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import web

from kubernaut.sim.apiserver import parameters, patches
from kubernaut.sim.apiserver.api import Api
from kubernaut.sim.apiserver.caller import Caller
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.deletion import DeleteOptions
from kubernaut.sim.apiserver.requests import Target
from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.rest import JSON_PATCH
from kubernaut.sim.apiserver.selectors import selector_of, selects
from kubernaut.sim.apiserver.status import Json, StatusError, bad_request, forbidden, internal, too_many_requests

_LOG_DEADLINE_S = 30.0


def scale_of(obj: Json) -> Json:
    """autoscaling/v1 Scale of a workload."""
    metadata = obj["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    selector = ",".join(
        f"{item.key}={next(iter(item.values))}" if item.operator == "In" and len(item.values) == 1 else item.key
        for item in selector_of(obj).requirements
    )
    status: Json = {"replicas": (obj.get("status") or {}).get("replicas", 0), "selector": selector}
    spec = {"replicas": obj["spec"]["replicas"]} if obj["spec"].get("replicas") else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": spec, "status": status}


class Subresources:
    """Answers requests on subresources other than status."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def scale(
        self, resource: Resource, target: Target, verb: str, body: Any, content_type: str, caller: Caller
    ) -> Json:
        """Read or set the replicas of a workload."""
        held = self._api.entry(resource, target.namespace, target.name)
        if verb == "get":
            return scale_of(held.obj)
        sent = body
        if verb == "patch":
            sent = (
                patches.json_patch(scale_of(held.obj), body)
                if content_type == JSON_PATCH
                else patches.merge(scale_of(held.obj), body)
            )
        if not isinstance(sent, dict):
            raise bad_request("couldn't get version/kind; json parse error: the body must be an object")
        if verb == "update" and (name := (sent.get("metadata") or {}).get("name")) and name != target.name:
            raise parameters.other_name(str(name), target.name)
        replicas = (sent.get("spec") or {}).get("replicas", 0)
        if not isinstance(replicas, int):
            raise bad_request("Scale cannot be handled: spec.replicas must be an integer")
        metadata = sent.get("metadata") or {}

        def change(obj: Json) -> Json:
            changed = obj | {"spec": obj["spec"] | {"replicas": replicas}, "metadata": dict(obj["metadata"])}
            for key in ("resourceVersion", "uid"):
                if metadata.get(key):
                    changed["metadata"][key] = metadata[key]
            return changed

        done = self._api.patch(resource, target.namespace, target.name, change, replace(caller, through="scale"))
        return scale_of(done.obj)

    def evict(self, resource: Resource, target: Target, body: Json, caller: Caller) -> Json:
        """Delete a pod if its disruption budget allows.

        Raises:
            StatusError: 429 with a DisruptionBudget cause, 500 if two budgets select the pod.
        """
        name = (body.get("metadata") or {}).get("name") or target.name
        if name != target.name:
            raise bad_request("name in URL does not match name in Eviction object")
        held = self._api.entry(resource, target.namespace, target.name)
        said = body.get("deleteOptions") or {}
        options = DeleteOptions.read(said, {})
        if options.dry_run:
            caller = replace(caller, dry_run=True)
        if not _ignores_budget(held.obj):
            self._respect_budget(held.obj, caller)
        self._api.delete(resource, target.namespace, target.name, options, caller)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    def _respect_budget(self, pod: Json, caller: Caller) -> None:
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels")
        budgets = [
            budget
            for budget in self._api.store.objects("poddisruptionbudgets.policy", namespace)
            if selects((budget.get("spec") or {}).get("selector"), labels)
        ]
        if not budgets:
            return
        if len(budgets) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise StatusError(500, "", text)
        budget = budgets[0]
        status = budget.get("status") or {}
        if not _is_ready(pod):
            if (budget["spec"].get("unhealthyPodEvictionPolicy")) == "AlwaysAllow":
                return
            if 0 < status.get("desiredHealthy", 0) <= status.get("currentHealthy", 0):
                return
        self._take(budget, status, pod, caller)

    def _take(self, budget: Json, status: Json, pod: Json, caller: Caller) -> None:
        name = budget["metadata"]["name"]
        refusal = "Cannot evict pod as it would violate the pod's disruption budget."
        if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
            text = f"The disruption budget {name} is still being processed by the server."
            error = too_many_requests(refusal, [{"reason": "DisruptionBudget", "message": text}])
            error.details = (error.details or {}) | {"retryAfterSeconds": 10}
            raise error
        allowed = status.get("disruptionsAllowed", 0)
        if allowed < 0:
            raise forbidden("policy", "poddisruptionbudget", name, "pdb disruptions allowed is negative")
        if allowed == 0:
            text = (
                f"The disruption budget {name} needs {status.get('desiredHealthy', 0)} healthy pods "
                f"and has {status.get('currentHealthy', 0)} currently"
            )
            raise too_many_requests(refusal, [{"reason": "DisruptionBudget", "message": text}])
        if caller.dry_run:
            return
        disrupted = (status.get("disruptedPods") or {}) | {pod["metadata"]["name"]: stamp(self._api.now())}
        changed = status | {"disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
        self._api.write_status("poddisruptionbudgets.policy", budget, changed, "kube-apiserver")

    def bind(self, target: Target, body: Json) -> Json:
        node = (body.get("target") or {}).get("name")
        if not node:
            raise bad_request("target.name: Required value")
        pod = self._api.entry(self._api.catalogue.of_bucket("pods"), target.namespace, target.name)
        self._api.bind(pod.obj, node)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}

    async def logs(self, request: web.BaseRequest, target: Target) -> web.StreamResponse:
        """Stream a container's log from the kubelet of the pod's node."""
        parameters.check_log(request.query, target.name)
        pod = self._api.entry(self._api.catalogue.of_bucket("pods"), target.namespace, target.name).obj
        container = _container(pod, request.query.get("container", ""))
        node_name = pod["spec"].get("nodeName")
        if not node_name:
            return web.Response(status=204)
        url = self._kubelet(node_name) + f"/containerLogs/{target.namespace}/{target.name}/{container}"
        query = {key: value for key, value in request.query.items() if key != "container"}
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # kube-apiserver too verifies kubelets only when told to
        limits = aiohttp.ClientTimeout(total=None, connect=_LOG_DEADLINE_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=limits) as session,
                session.get(url, params=query, ssl=context) as found,
            ):
                if not 200 <= found.status <= 206:
                    raise _kubelet_refusal(found.status, await found.text(), target.name)
                answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
                await answer.prepare(request)
                async for chunk in found.content.iter_any():
                    await answer.write(chunk)
                await answer.write_eof()
                return answer
        except aiohttp.ClientError as error:
            text = f'Get "{url}": {error}'
            raise StatusError(500, "InternalError", text, {"causes": [{"message": text}]}) from error

    def _kubelet(self, node_name: str) -> str:
        node = self._api.entry(self._api.catalogue.of_bucket("nodes"), "", node_name).obj
        status = node.get("status") or {}
        addresses = {item["type"]: item["address"] for item in status.get("addresses") or ()}
        host = addresses.get("InternalIP") or addresses.get("Hostname")
        if not host:
            raise internal(f"no preferred addresses found; known addresses: {list(addresses)}")
        port = ((status.get("daemonEndpoints") or {}).get("kubeletEndpoint") or {}).get("Port") or 10250
        return f"https://{host}:{port}"


def _container(pod: Json, wanted: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    known = [one["name"] for part in ("containers", "initContainers") for one in spec.get(part) or ()]
    if wanted:
        if wanted not in known:
            raise bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    if len(spec["containers"]) > 1:
        listed = " ".join(one["name"] for one in spec["containers"])
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{listed}]")
    return str(spec["containers"][0]["name"])


def _kubelet_refusal(code: int, text: str, pod: str) -> StatusError:
    if code == 500:
        return internal(text)
    if code == 400:
        return bad_request(text)
    if code == 404:
        shown = f"the server could not find the requested resource ( pods/log {pod})"
        return StatusError(
            404,
            "NotFound",
            shown,
            {"name": pod, "kind": "pods/log", "causes": [{"reason": "UnexpectedServerResponse", "message": text}]},
        )
    return StatusError(
        code, "", f"the server responded with the status code {code} but did not return more information"
    )


def _is_ready(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _ignores_budget(pod: Json) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))
