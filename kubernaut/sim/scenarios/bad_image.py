"""5: a release whose image was never pushed. Nothing to be done in the cluster; the previous tag is in Git's history."""

from kubernaut.sim.scenarios import manifests
from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario, image_of
from kubernaut.sim.scenarios.view import View, waiting_reason

NAMESPACE, APP = "catalog", "catalog"
REPOSITORY = "registry.shop.example/catalog/catalog"
TAGS = ("2.14.3", "2.15.0")

_DEPLOYMENT = """\
# catalog serves the products; released by its team's pipeline
apiVersion: apps/v1
kind: Deployment
metadata:
  name: catalog
  namespace: catalog
  labels:
    app.kubernetes.io/name: catalog
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: catalog
  template:
    metadata:
      labels:
        app.kubernetes.io/name: catalog
    spec:
      nodeSelector:
        node.kubernaut.io/pool: general
      containers:
        - name: catalog
          image: registry.shop.example/catalog/catalog:2.15.0   # set by the release pipeline
          ports:
            - containerPort: 8080
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
            periodSeconds: 5
          resources:
            requests:
              cpu: 200m
              memory: 192Mi
            limits:
              memory: 512Mi
"""


def _stuck(view: View) -> list[str]:
    names = (
        p["metadata"]["name"] for p in view.pods_of(APP) if waiting_reason(p) in ("ImagePullBackOff", "ErrImagePull")
    )
    return list(names)


def _alert(view: View) -> Alert:
    pod = next(iter(_stuck(view)), view.pods_of(APP)[0]["metadata"]["name"])
    return Alert(
        "KubeContainerWaiting",
        "warning",
        {"namespace": NAMESPACE, "pod": pod, "container": APP, "reason": "ImagePullBackOff"},
        "Pod container waiting longer than 1 hour.",
        f"pod/{pod} in namespace {NAMESPACE} on container {APP} has been in waiting state for longer than 1 hour. "
        '(reason: "ImagePullBackOff") on cluster prod-eu.',
    )


def _mended(view: View) -> bool:
    return view.rolled_out(APP) and image_of(view.deployment(APP)).rpartition(":")[2] in TAGS


SCENARIO = Scenario(
    number=5,
    title="Bad image tag, ImagePullBackOff",
    pattern="C",
    immediate="",
    permanent="update-image",
    namespace=NAMESPACE,
    app=APP,
    path="catalog/production",
    history=(
        Commit(
            "Run catalog in production",
            {
                "namespace.yaml": manifests.namespace(NAMESPACE, "catalog"),
                "deployment.yaml": _DEPLOYMENT.replace("2.15.0", "2.14.3"),
                "service.yaml": manifests.service(APP, NAMESPACE),
            },
            "Noor Haddad <noor@shop.example>",
            days_ago=40,
        ),
        Commit(
            "catalog: release 2.15.0", {"deployment.yaml": _DEPLOYMENT}, "Release Bot <bot@shop.example>", days_ago=6
        ),
    ),
    breaking=(
        Commit(
            "catalog: release 2.16.0",
            {"deployment.yaml": _DEPLOYMENT.replace("2.15.0", "2.16.0")},
            "Release Bot <bot@shop.example>",
        ),
    ),
    shows=lambda view: bool(_stuck(view)),
    healthy=_mended,
    mended=_mended,
    alert=_alert,
    heals="an image tag that was pushed",
    images={REPOSITORY: TAGS},
)
