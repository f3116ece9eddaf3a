"""4: one of three pods is stuck; its siblings are well. Its replacement is well, too."""

from kubernaut.sim.faults import Fault, WedgedPod
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View, ready

NAMESPACE, APP = "search", "search-api"

_DEPLOYMENT = """\
# search-api answers the shop's search box
apiVersion: apps/v1
kind: Deployment
metadata:
  name: search-api
  namespace: search
  labels:
    app.kubernetes.io/name: search-api
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: search-api
  template:
    metadata:
      labels:
        app.kubernetes.io/name: search-api
    spec:
      nodeSelector:
        node.kubernaut.io/pool: general
      containers:
        - name: search-api
          image: registry.shop.example/search/search-api:5.0.3
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
            timeoutSeconds: 2
          resources:
            requests:
              cpu: 250m
              memory: 256Mi
            limits:
              memory: 768Mi
"""


def _fault(view: View) -> Fault:
    return WedgedPod(NAMESPACE, view.pods_of(APP)[0]["metadata"]["name"])


def _unready(view: View) -> list[str]:
    return [pod["metadata"]["name"] for pod in view.pods_of(APP) if not ready(pod)]


def _alert(view: View) -> Alert:
    pod = next(iter(_unready(view)), view.pods_of(APP)[0]["metadata"]["name"])
    return Alert(
        "KubePodNotReady",
        "warning",
        {"namespace": NAMESPACE, "pod": pod},
        "Pod has been in a non-ready state for more than 15 minutes.",
        f"Pod {NAMESPACE}/{pod} has been in a non-ready state for longer than 15 minutes on cluster prod-eu.",
    )


SCENARIO = Scenario(
    number=4,
    title="One wedged pod",
    pattern="A",
    immediate="delete-pod",
    permanent="",
    namespace=NAMESPACE,
    app=APP,
    path="search/production",
    history=(
        Commit(
            "Run search-api in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "search"),
                "deployment.yaml": _DEPLOYMENT,
                "service.yaml": manifests.service(APP, NAMESPACE),
            },
            "Lea Brandt <lea@shop.example>",
            days_ago=18,
        ),
    ),
    fault=_fault,
    shows=lambda view: len(_unready(view)) == 1,
    healthy=lambda view: view.rolled_out(APP),
    mended=lambda view: view.rolled_out(APP),
    alert=_alert,
    heals="another pod in the place of the wedged one",
)
