"""3: a node whose container runtime can't keep up flaps between Ready and NotReady. Cordoned, it catches up."""

from kubernaut.sim.faults import OverloadedRuntime
from kubernaut.sim.kubelet import NodeSpec
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View, cordoned, node_ready

NAMESPACE, APP, NODE = "batch", "report-worker", "batch-2"

_DEPLOYMENT = """\
# report-worker renders the nightly reports; many short pods come and go on its nodes
apiVersion: apps/v1
kind: Deployment
metadata:
  name: report-worker
  namespace: batch
  labels:
    app.kubernetes.io/name: report-worker
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: report-worker
  template:
    metadata:
      labels:
        app.kubernetes.io/name: report-worker
    spec:
      nodeSelector:
        node.kubernaut.io/pool: batch
      containers:
        - name: report-worker
          image: registry.shop.example/batch/report-worker:0.9.14
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 10
          resources:
            requests:
              cpu: 500m
              memory: 256Mi
            limits:
              memory: 1Gi
"""


def _shows(view: View) -> bool:
    node = view.node(NODE)
    return node is not None and not node_ready(node) and not cordoned(node)


def _healthy(view: View) -> bool:
    node = view.node(NODE)
    return cordoned(node) and node_ready(node) and view.rolled_out(APP)


SCENARIO = Scenario(
    number=3,
    title="Node flaky",
    pattern="A",
    immediate="cordon-node",
    permanent="",
    namespace=NAMESPACE,
    app=APP,
    path="batch/production",
    history=(
        Commit(
            "Run report-worker in production",
            {"namespace.yaml": manifests.namespace(NAMESPACE, "insights"), "deployment.yaml": _DEPLOYMENT},
            "Jon Beck <jon@shop.example>",
            days_ago=90,
        ),
    ),
    fault=lambda _: OverloadedRuntime(NODE),
    shows=_shows,
    healthy=_healthy,
    mended=_healthy,
    alert=lambda _: Alert(
        "KubeNodeReadinessFlapping",
        "warning",
        {"node": NODE},
        "Node readiness status is flapping.",
        f"The readiness status of node {NODE} has changed 6 times in the last 15 minutes on cluster prod-eu.",
    ),
    heals=f"cordoning {NODE}: its runtime catches up when nothing new comes",
    nodes=tuple(NodeSpec(f"batch-{number}", pool="batch") for number in (1, 2, 3)),
)
