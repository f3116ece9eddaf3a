"""2: the database failed over, and every pod holds connections to the old primary. New pods are well."""

from kubernaut.sim.faults import StalePods, Workload
from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View, ready

NAMESPACE, APP = "payments", "ledger-api"
WORKLOAD = Workload(NAMESPACE, APP)

_DEPLOYMENT = """\
# ledger-api books payments; it keeps a pool of connections to PostgreSQL
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ledger-api
  namespace: payments
  labels:
    app.kubernetes.io/name: ledger-api
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: ledger-api
  template:
    metadata:
      labels:
        app.kubernetes.io/name: ledger-api
    spec:
      nodeSelector:
        node.kubernaut.io/pool: general
      containers:
        - name: ledger-api
          image: registry.shop.example/payments/ledger-api:1.18.2
          ports:
            - containerPort: 8080
          env:
            - name: DATABASE_HOST
              value: ledger-primary.databases.svc
            - name: POOL_SIZE
              value: "20"
          readinessProbe:   # asks the database, so a pod without connection takes no traffic
            httpGet:
              path: /healthz/ready
              port: 8080
            periodSeconds: 5
          resources:
            requests:
              cpu: 200m
              memory: 128Mi
            limits:
              memory: 512Mi
"""


def _shows(view: View) -> bool:
    pods = view.pods_of(APP)
    return bool(pods) and not any(ready(pod) for pod in pods)


SCENARIO = Scenario(
    number=2,
    title="Stale pods, Deployment 0/3 ready",
    pattern="A",
    immediate="restart-deployment",
    permanent="",
    namespace=NAMESPACE,
    app=APP,
    path="payments/production",
    history=(
        Commit(
            "Run ledger-api in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "payments"),
                "deployment.yaml": _DEPLOYMENT,
                "service.yaml": manifests.service(APP, NAMESPACE),
            },
            "Ines Roth <ines@shop.example>",
            days_ago=33,
        ),
    ),
    fault=lambda _: StalePods(WORKLOAD),
    shows=_shows,
    healthy=lambda view: view.rolled_out(APP),
    mended=lambda view: view.rolled_out(APP),
    alert=lambda _: Alert(
        "KubeDeploymentReplicasMismatch",
        "warning",
        {"namespace": NAMESPACE, "deployment": APP},
        "Deployment has not matched the expected number of replicas.",
        f"Deployment {NAMESPACE}/{APP} has not matched the expected number of replicas for longer than 15 minutes "
        "on cluster prod-eu.",
    ),
    heals="new pods: they connect to the new primary",
)
