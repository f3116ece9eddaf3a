"""Services have Endpoints and one EndpointSlice with the addresses of their pods."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kubernaut.sim.apiserver.caller import controller
from kubernaut.sim.apiserver.clock import stamp
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.store import Change
from kubernaut.sim.controllers.loop import Controller, Key, key_of, reference_to
from kubernaut.sim.controllers.pods import is_ready, phase

_SLICES = "endpointslices.discovery.k8s.io"


class EndpointsController(Controller):
    """Ready pods are addresses, others are not-ready addresses."""

    name = "endpoint-controller"

    def triggers(self) -> dict[str, Callable[[Change], Iterable[Key]]]:
        return {"services": lambda change: [key_of(change.entry.obj)], "pods": self._of_pod}

    def _of_pod(self, change: Change) -> list[Key]:
        pod = change.entry.obj
        namespace, labels = pod["metadata"]["namespace"], pod["metadata"].get("labels") or {}
        before = (change.old.obj["metadata"].get("labels") or {}) if change.old else {}
        return [
            key_of(service)
            for service in self.store.objects("services", namespace)
            if (wanted := (service.get("spec") or {}).get("selector"))
            and (wanted.items() <= labels.items() or wanted.items() <= before.items())
        ]

    def reconcile(self, key: Key) -> float | None:
        service = self.held("services", key)
        if service is None:
            if self.held("endpoints", key) is not None:
                self.api.store.remove("endpoints", key)
            return None
        selector = service["spec"].get("selector")
        if not selector:
            return None
        pods = [
            pod
            for pod in self.store.objects("pods", key[0])
            if selector.items() <= (pod["metadata"].get("labels") or {}).items()
            and pod["spec"].get("nodeName")
            and (pod.get("status") or {}).get("podIP")
            and phase(pod) not in ("Succeeded", "Failed")
        ]
        pods.sort(key=lambda pod: pod["metadata"]["name"])
        self._write("endpoints", service, key[1], self._endpoints(service, pods))
        self._write(_SLICES, service, f"{key[1]}-sim", self._slice(service, pods))
        return None

    def _endpoints(self, service: Json, pods: list[Json]) -> Json:
        alive = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
        ready = [_address(pod) for pod in alive if is_ready(pod)]
        waiting = [_address(pod) for pod in alive if not is_ready(pod)]
        subset: Json = {"ports": [_port(port, pods) for port in service["spec"].get("ports") or ()]}
        if ready:
            subset["addresses"] = ready
        if waiting:
            subset["notReadyAddresses"] = waiting
        labels = dict(service["metadata"].get("labels") or {})
        found: Json = {"metadata": {"labels": labels | {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}}}
        return found | ({"subsets": [subset]} if ready or waiting else {})

    def _slice(self, service: Json, pods: list[Json]) -> Json:
        endpoints = []
        for pod in pods:
            ready, going = is_ready(pod), bool(pod["metadata"].get("deletionTimestamp"))
            state = {"ready": ready and not going, "serving": ready, "terminating": going}
            target = _address(pod)["targetRef"]
            one: Json = {"addresses": [pod["status"]["podIP"]], "conditions": state, "targetRef": target}
            if pod["spec"].get("nodeName"):
                one["nodeName"] = pod["spec"]["nodeName"]
            endpoints.append(one)
        labels = {"kubernetes.io/service-name": service["metadata"]["name"]}
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io"
        ports = [{"name": ""} | _port(port, pods) for port in service["spec"].get("ports") or ()]
        metadata = {"labels": labels, "ownerReferences": [reference_to(service)]}
        return {"metadata": metadata, "addressType": "IPv4", "endpoints": endpoints, "ports": ports}

    def _write(self, bucket: str, service: Json, name: str, wanted: Json) -> None:
        namespace = service["metadata"]["namespace"]
        held = self.held(bucket, (namespace, name))
        wanted["metadata"]["name"] = name
        if held is None:
            self.api.create(self.api.catalogue.of_bucket(bucket), namespace, wanted, controller())
            return
        if all(held.get(key) == wanted.get(key) for key in ("subsets", "endpoints", "ports")):
            return

        def change(obj: Json) -> None:
            notes = obj["metadata"].setdefault("annotations", {})
            notes["endpoints.kubernetes.io/last-change-trigger-time"] = stamp(self.api.now())
            for key in ("subsets", "endpoints", "ports"):
                obj.pop(key, None)
                if key in wanted:
                    obj[key] = wanted[key]

        self.api.edit(bucket, held, change)


def _address(pod: Json) -> Json:
    metadata = pod["metadata"]
    target = {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    found: Json = {"ip": pod["status"]["podIP"], "targetRef": target}
    return found | ({"nodeName": pod["spec"]["nodeName"]} if pod["spec"].get("nodeName") else {})


def _port(port: Json, pods: list[Json]) -> Json:
    number: Any = port.get("targetPort", port["port"])
    if isinstance(number, str):
        named = [
            one["containerPort"]
            for pod in pods
            for container in pod["spec"]["containers"]
            for one in container.get("ports") or ()
            if one.get("name") == number
        ]
        number = named[0] if named else port["port"]
    found: Json = {"port": number, "protocol": port.get("protocol", "TCP")}
    return found | ({"name": port["name"]} if port.get("name") else {})
