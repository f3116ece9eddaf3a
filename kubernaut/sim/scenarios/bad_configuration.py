"""6: a value that the application can't parse. The rollout is stuck in CrashLoopBackOff until Git has a good value."""

import re

from kubernaut.sim.faults import RejectedValue, Workload
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View, waiting_reason

NAMESPACE, APP = "orders", "orders-worker"
WORKLOAD = Workload(NAMESPACE, APP)
VALID = r"[0-9]+(ms|s|m)"

_CONFIGURATION = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: orders-worker
  namespace: orders
data:
  PAYMENT_TIMEOUT: 30s   # longer than the slowest bank
  QUEUE: orders
  RETRIES: "5"
"""

_DEPLOYMENT = """\
# orders-worker takes orders from the queue and books them
apiVersion: apps/v1
kind: Deployment
metadata:
  name: orders-worker
  namespace: orders
  labels:
    app.kubernetes.io/name: orders-worker
spec:
  replicas: 2
  selector:
    matchLabels:
      app.kubernetes.io/name: orders-worker
  template:
    metadata:
      labels:
        app.kubernetes.io/name: orders-worker
      annotations:
        shop.example/config-revision: "7"   # raise it when the ConfigMap changes, so that pods read it
    spec:
      nodeSelector:
        node.kubernaut.io/pool: general
      containers:
        - name: orders-worker
          image: registry.shop.example/orders/orders-worker:1.7.0
          envFrom:
            - configMapRef:
                name: orders-worker
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
"""


def _crashing(view: View) -> list[str]:
    return [p["metadata"]["name"] for p in view.pods_of(APP) if waiting_reason(p) == "CrashLoopBackOff"]


def _alert(view: View) -> Alert:
    pod = next(iter(_crashing(view)), view.pods_of(APP)[0]["metadata"]["name"])
    return Alert(
        "KubePodCrashLooping",
        "warning",
        {"namespace": NAMESPACE, "pod": pod, "container": APP, "reason": "CrashLoopBackOff"},
        "Pod is crash looping.",
        f'Pod {NAMESPACE}/{pod} ({APP}) is in waiting state (reason: "CrashLoopBackOff") on cluster prod-eu.',
    )


SCENARIO = Scenario(
    number=6,
    title="Bad ConfigMap value, CrashLoopBackOff",
    pattern="C",
    immediate="",
    permanent="update-configmap",
    namespace=NAMESPACE,
    app=APP,
    path="orders/production",
    history=(
        Commit(
            "Run orders-worker in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "orders"),
                "configmap.yaml": _CONFIGURATION,
                "deployment.yaml": _DEPLOYMENT,
            },
            "Ada Voss <ada@shop.example>",
            days_ago=21,
        ),
    ),
    breaking=(
        Commit(
            "Give slow banks more time",
            {
                "configmap.yaml": re.sub("30s ", "2 minutes ", _CONFIGURATION),
                "deployment.yaml": _DEPLOYMENT.replace('config-revision: "7"', 'config-revision: "8"'),
            },
            "Ada Voss <ada@shop.example>",
        ),
    ),
    traits=(RejectedValue(WORKLOAD, "PAYMENT_TIMEOUT", VALID, 'time: unknown unit " minutes" in duration'),),
    shows=lambda view: bool(_crashing(view)),
    healthy=lambda view: view.rolled_out(APP),
    mended=lambda view: view.rolled_out(APP),
    alert=_alert,
    heals="a PAYMENT_TIMEOUT that is a duration, as 30s",
)
