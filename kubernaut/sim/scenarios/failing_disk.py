"""11: a node's disk is dying. Only taking its pods elsewhere helps, and a person has to agree."""

from kubernaut.sim.faults import FailingDisk
from kubernaut.sim.kubelet import NodeSpec
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View, cordoned, node_ready

NAMESPACE, APP, NODE = "media", "transcoder", "media-1"

_DEPLOYMENT = """\
# transcoder prepares product videos; it writes a lot
apiVersion: apps/v1
kind: Deployment
metadata:
  name: transcoder
  namespace: media
  labels:
    app.kubernetes.io/name: transcoder
spec:
  replicas: 4
  selector:
    matchLabels:
      app.kubernetes.io/name: transcoder
  template:
    metadata:
      labels:
        app.kubernetes.io/name: transcoder
    spec:
      nodeSelector:
        node.kubernaut.io/pool: media
      containers:
        - name: transcoder
          image: registry.shop.example/media/transcoder:4.2.0
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 10
          resources:
            requests:
              cpu: "1"
              memory: 1Gi
            limits:
              memory: 2Gi
"""

_BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: transcoder
  namespace: media
spec:
  minAvailable: 1   # the queue may grow, but must not stand still
  selector:
    matchLabels:
      app.kubernetes.io/name: transcoder
"""


def _left(view: View) -> list[str]:
    return [p["metadata"]["name"] for p in view.pods_of(APP) if p["spec"].get("nodeName") == NODE]


def _healthy(view: View) -> bool:
    node = view.node(NODE)
    return cordoned(node) and node_ready(node) and not _left(view) and view.rolled_out(APP)


SCENARIO = Scenario(
    number=11,
    title="Node hardware failing",
    pattern="D",
    immediate="drain-node",
    permanent="",
    namespace=NAMESPACE,
    app=APP,
    path="media/production",
    history=(
        Commit(
            "Run transcoder in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "media"),
                "deployment.yaml": _DEPLOYMENT,
                "poddisruptionbudget.yaml": _BUDGET,
            },
            "Sven Okoye <sven@shop.example>",
            days_ago=120,
        ),
    ),
    fault=lambda _: FailingDisk(NODE),
    shows=lambda view: view.node(NODE) is not None and not node_ready(view.node(NODE)),
    healthy=_healthy,
    mended=_healthy,
    alert=lambda _: Alert(
        "KubeNodeNotReady",
        "warning",
        {"node": NODE, "condition": "Ready", "status": "true"},
        "Node is not ready.",
        f"{NODE} has been unready for more than 15 minutes on cluster prod-eu.",
    ),
    heals=f"draining {NODE}: a quiet node harms nobody, though its disk stays broken",
    nodes=tuple(NodeSpec(f"media-{number}", pool="media") for number in (1, 2, 3)),
)
