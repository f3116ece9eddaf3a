"""1: a memory limit that was lowered too far. A restart helps for a while, the limit helps for good."""

from kubernaut.sim.faults import MemoryTooSmall, Workload
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario, memory_limit_mib
from kubernaut.sim.scenarios.view import View, last_reason, waiting_reason

NAMESPACE, APP = "shop", "checkout"
NEEDS_MIB = 180
WORKLOAD = Workload(NAMESPACE, APP)

_DEPLOYMENT = """\
# checkout takes the payment; its owner is the shop team (#shop-oncall)
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
  namespace: shop
  labels:
    app.kubernetes.io/name: checkout
    app.kubernetes.io/part-of: shop
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: checkout
  template:
    metadata:
      labels:
        app.kubernetes.io/name: checkout
        app.kubernetes.io/part-of: shop
    spec:
      nodeSelector:
        node.kubernaut.io/pool: general
      containers:
        - name: checkout
          image: registry.shop.example/shop/checkout:3.4.1
          ports:
            - containerPort: 8080
          env:
            - name: PRICE_CACHE
              value: "on"   # keeps the price list of all countries in memory
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 96Mi
            limits:
              memory: 256Mi   # the price cache needs most of it
"""

SMALLER = _DEPLOYMENT.replace(
    "memory: 256Mi   # the price cache needs most of it", "memory: 128Mi   # was 256Mi, see FIN-212"
)


def _shows(view: View) -> bool:
    pods = view.pods_of(APP)
    return any(last_reason(p) == "OOMKilled" and waiting_reason(p) == "CrashLoopBackOff" for p in pods)


def _alert(view: View) -> Alert:
    pods = view.pods_of(APP)
    pod = next((p for p in pods if waiting_reason(p) == "CrashLoopBackOff"), pods[0])
    name = pod["metadata"]["name"]
    return Alert(
        "KubePodCrashLooping",
        "warning",
        {
            "namespace": NAMESPACE,
            "pod": name,
            "container": APP,
            "reason": "CrashLoopBackOff",
            "uid": pod["metadata"]["uid"],
        },
        "Pod is crash looping.",
        f'Pod {NAMESPACE}/{name} ({APP}) is in waiting state (reason: "CrashLoopBackOff") on cluster prod-eu.',
    )


SCENARIO = Scenario(
    number=1,
    title="Memory limit too small, OOMKilled",
    pattern="B",
    immediate="restart-deployment",
    permanent="update-resources",
    namespace=NAMESPACE,
    app=APP,
    path="shop/production",
    history=(
        Commit(
            "Run checkout in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "shop"),
                "deployment.yaml": _DEPLOYMENT.replace("3.4.1", "3.3.0"),
                "service.yaml": manifests.service(APP, NAMESPACE),
            },
            "Mara Lindt <mara@shop.example>",
            days_ago=61,
        ),
        Commit(
            "checkout: release 3.4.1", {"deployment.yaml": _DEPLOYMENT}, "Mara Lindt <mara@shop.example>", days_ago=12
        ),
        Commit(
            "Right-size memory limits",
            {"deployment.yaml": SMALLER},
            "Tom Adler <tom@shop.example>",
            "The dashboards show 95 MiB at night; 128Mi saves money. FIN-212",
            days_ago=2,
        ),
    ),
    fault=lambda _: MemoryTooSmall(WORKLOAD, NEEDS_MIB, relief_s=300.0),
    shows=_shows,
    healthy=lambda view: view.rolled_out(APP),
    mended=lambda view: view.rolled_out(APP) and memory_limit_mib(view.deployment(APP)) >= NEEDS_MIB,
    alert=_alert,
    heals=f"a memory limit of {NEEDS_MIB}Mi or more; a restart helps for a while",
)
