"""Incidents in which an image does not come."""

from typing import Any

from .expectation import CERTAIN, LIKELY, LIKELY_OR_CERTAIN, UNSURE, Incident
from .world import DAY, NODES, World, box, up, waits

CHECKOUT = ("Deployment", "checkout", "shop")
HERE = [("Deployment", "checkout")]
PULL = ["ImagePullBackOff", "ErrImagePull"]
GOOD, BAD = "ghcr.io/acme/app:1.4.0", "ghcr.io/acme/app:1.5.0"
BACK = ("update-image", {"container": "app", "from": BAD, "to": GOOD})

TAGS = {
    "containerd": f'Back-off pulling image "{BAD}": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack '
    f'image "{BAD}": failed to resolve reference "{BAD}": {BAD}: not found',
    "old containerd": f'rpc error: code = NotFound desc = failed to pull and unpack image "{BAD}": failed to resolve reference '
    f'"{BAD}": {BAD}: not found',
    "cri-o": f'Back-off pulling image "{BAD}": ErrImagePull: reading manifest 1.5.0 in ghcr.io/acme/app: manifest unknown',
    "docker": f"Error response from daemon: manifest for {BAD} not found: manifest unknown: manifest unknown",
    "quay": f'ErrImagePull: initializing source docker://{BAD}: reading manifest 1.5.0 in quay.io/acme/app: unknown: Tag 1.5.0 '
    "was deleted or has expired. To pull, revive via time machine",
    "harbor": f'ErrImagePull: failed to pull and unpack image "{BAD}": failed to resolve reference "{BAD}": unexpected status '
    "from HEAD request to https://harbor.acme.io/v2/app/manifests/1.5.0: 404 Not Found",
}  # fmt: skip


def _stuck(
    message: str, *, image: str = BAD, reason: str = "ImagePullBackOff", events: bool = True, **spec: Any
) -> Any:
    """A release that is stuck at its image while the old pods serve."""

    def build(world: World) -> None:
        app = world.workload("checkout", containers=[box(image=GOOD)], **spec)
        for node in NODES:
            app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
        app.rollout([box(image=image)], age_s=700, **spec)
        pod = app.pod(waits(reason, message), age_s=700, unready_s=700, phase="Pending")
        if events and message:
            world.event(pod, "Failed", f'Failed to pull image "{image}": {message}', count=4, at_s=90, over_s=500)

    return build


def _first(
    message: str, *, reason: str = "ImagePullBackOff", secret: str = "", kind: str = "", told: bool = False
) -> Any:
    """An image that never came; there is no earlier revision."""

    def build(world: World) -> None:
        more: dict[str, Any] = {"imagePullSecrets": [{"name": secret}]} if secret else {}
        app = world.workload("checkout", containers=[box(image=BAD)], replicas=1, age_s=900, **more)
        pod = app.pod(waits(reason, message), age_s=900, unready_s=900, phase="Pending")
        world.secret("unrelated")
        if kind:
            world.secret(secret, kind=kind, keys=["token" if kind == "Opaque" else ".dockerconfigjson"])
        if told:
            said = (
                f"Unable to retrieve some image pull secrets ({secret}); attempting to pull the image may not succeed."
            )
            world.event(pod, "FailedToRetrieveImagePullSecret", said, count=9)
        world.event(pod, "Failed", f'Failed to pull image "{BAD}": {message}', count=4, at_s=90, over_s=500)

    return build


def back_off_only(world: World) -> None:
    """The status only says `Back-off pulling image`; the registry's words are in an event."""
    _stuck(f'Back-off pulling image "{BAD}"', events=False)(world)
    pod = next(o for o in world.objects if o["kind"] == "Pod" and o["status"]["phase"] == "Pending")
    world.event(pod, "Failed", f'Failed to pull image "{BAD}": {TAGS["old containerd"]}', count=4, at_s=90, over_s=500)


def one_node(world: World) -> None:
    """The registry can't be reached from one node only."""
    app = world.workload("checkout", containers=[box(image=GOOD)])
    for node in NODES[1:]:
        app.pod(up(2 * DAY), node=node, age_s=2 * DAY)
    said = f'failed to pull and unpack image "{GOOD}": dial tcp 140.82.1.1:443: i/o timeout'
    app.pod(waits("ImagePullBackOff", said), age_s=900, unready_s=900, phase="Pending")


def disk_full(world: World) -> None:
    """The node has no space for the image."""
    said = f'failed to pull and unpack image "{BAD}": failed to extract layer: write /var/x: no space left on device'
    _stuck(said)(world)


def other_repository(world: World) -> None:
    """A misspelled repository that the registry calls denied."""
    typo = "docker.io/acme/chekout:1.5.0"
    said = (f'failed to pull and unpack image "{typo}": failed to resolve reference "{typo}": pull access denied, repository '
            "does not exist or may require authorization: server message: insufficient_scope: authorization failed")  # fmt: skip
    _stuck(said, image=typo)(world)


def stateful(world: World) -> None:
    """A StatefulSet has no ReplicaSets, but its other pod still runs the old image."""
    app = world.workload("warehouse-db", "data", [box(image=GOOD)], kind="StatefulSet", replicas=2)
    app.pod(up(9 * DAY), age_s=9 * DAY)
    app.rollout([box(image=BAD)], age_s=700)
    app.pod(waits("ImagePullBackOff", TAGS["containerd"]), node="worker-b", age_s=700, unready_s=700, phase="Pending")


def init_image(world: World) -> None:
    """The image of an init container."""
    app = world.workload("checkout", initContainers=[box("migrate", "ghcr.io/acme/app:1.4.0")], replicas=1)
    app.pod(up(9 * DAY), init=[up(1)], age_s=9 * DAY)
    app.rollout([box()], age_s=700, initContainers=[box("migrate", BAD)])
    waiting = waits("ImagePullBackOff", TAGS["containerd"])
    app.pod(waits("PodInitializing"), init=[waiting], age_s=700, unready_s=700, phase="Pending")


def mended(world: World) -> None:
    """Someone has rolled back already: the stuck pod is gone, the events are not."""
    app = world.workload("checkout", containers=[box(image=GOOD)])
    for node in NODES:
        app.pod(up(20 * DAY), node=node, age_s=20 * DAY)
    pod = next(o for o in world.objects if o["kind"] == "Pod")
    world.event(pod, "Failed", f'Failed to pull image "{BAD}": {TAGS["containerd"]}', count=4, at_s=400, over_s=500)


UNAUTHORIZED = (
    f'Back-off pulling image "{BAD}": ErrImagePull: failed to pull and unpack image "{BAD}": failed to resolve reference '
    f'"{BAD}": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to '
    "https://ghcr.io/token: 401 Unauthorized"
)
LIMITED = ('Back-off pulling image "nginx:1": ErrImagePull: 429 Too Many Requests - Server message: toomanyrequests: You have '
           "reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit")  # fmt: skip

IMAGES = (
    *(Incident(f"no such tag, {who}", _stuck(said), CHECKOUT, HERE, PULL, CERTAIN, [BAD], "", BACK)
      for who, said in TAGS.items()),
    Incident("only an event tells", back_off_only, CHECKOUT, HERE, PULL, CERTAIN, [BAD], "", BACK),
    Incident("no such tag, no events", _stuck(TAGS["containerd"]), CHECKOUT, HERE, PULL, CERTAIN, [BAD], "", BACK,
             leave_out=("Event",)),
    Incident("no such tag, no nodes", _stuck(TAGS["containerd"]), CHECKOUT, HERE, PULL, CERTAIN, [BAD], "", BACK,
             leave_out=("Node",)),
    Incident("no such tag, nothing before", _first(TAGS["containerd"]), CHECKOUT, HERE, PULL, CERTAIN, [BAD], "", None),
    Incident("misspelled repository", other_repository, CHECKOUT, HERE, PULL, LIKELY_OR_CERTAIN, ["chekout"], "",
             ("update-image", {"to": GOOD})),
    Incident("refused without a pull secret", _first(UNAUTHORIZED), CHECKOUT, HERE, PULL, LIKELY, ["refuses"], "", None),
    Incident("pull secret missing", _first(UNAUTHORIZED, secret="regcred", told=True), CHECKOUT, [("Secret", "regcred")],
             PULL, CERTAIN, ["regcred"], "", None),
    Incident("pull secret missing, no secrets in the dump", _first(UNAUTHORIZED, secret="regcred", told=True), CHECKOUT,
             [("Secret", "regcred")], PULL, LIKELY_OR_CERTAIN, ["regcred"], "", None, leave_out=("Secret",)),
    Incident("pull secret of another type", _first(UNAUTHORIZED, secret="regcred", kind="Opaque"), CHECKOUT,
             [("Secret", "regcred")], PULL, LIKELY_OR_CERTAIN, ["regcred", "opaque"], "", None),
    Incident("pull secret that is refused",
             _first(UNAUTHORIZED, secret="regcred", kind="kubernetes.io/dockerconfigjson"), CHECKOUT,
             [("Secret", "regcred"), *HERE], PULL, LIKELY, ["refuses"], "", None),
    Incident("registry unreachable", _stuck(f'failed to pull image "{BAD}": dial tcp: lookup ghcr.io on 10.96.0.10:53: no '
             "such host"), CHECKOUT, HERE, PULL, UNSURE, ["registry"], "", None),
    Incident("registry's certificate", _stuck("tls: failed to verify certificate: x509: certificate signed by unknown "
             "authority"), CHECKOUT, HERE, PULL, UNSURE, ["registry"], "", None),
    Incident("registry's limit", _stuck(LIMITED, image="nginx:1"), CHECKOUT, HERE, PULL, LIKELY, ["limit"], "", None),
    Incident("token server unreachable", _stuck("failed to authorize: failed to fetch anonymous token: Get "
             '"https://auth.docker.io/token": dial tcp 1.2.3.4:443: i/o timeout'), CHECKOUT, HERE, PULL, UNSURE,
             ["registry"], "", None),
    Incident("no route from one node", one_node, CHECKOUT, [("Node", "worker-a"), *HERE], [], UNSURE, ["worker-a"], "",
             None),
    Incident("no space for the image", disk_full, CHECKOUT, [("Node", "worker-a")], [], LIKELY_OR_CERTAIN, ["space"], "",
             None),
    Incident("no variant for the processor",
             _stuck(f'failed to pull and unpack image "{BAD}": no match for platform in manifest: not found'), CHECKOUT,
             HERE, PULL, LIKELY_OR_CERTAIN, ["amd64"], "", BACK),
    Incident("invalid name", _stuck('Failed to apply default image tag "ghcr.io/acme/app:1..5:": couldn\'t parse image name: '
             "invalid reference format", image="ghcr.io/acme/app:1..5:", reason="InvalidImageName"), CHECKOUT, HERE,
             [*PULL, "InvalidImageName"], CERTAIN, ["no valid image name"], "", ("update-image", {"to": GOOD})),
    Incident("never pulled", _stuck(f'Container image "{BAD}" is not present with pull policy of Never',
             reason="ErrImageNeverPull"), CHECKOUT, HERE, [*PULL, "ErrImageNeverPull"], LIKELY_OR_CERTAIN, ["never"], "",
             None),
    Incident("words that nobody knows", _stuck("kaboom: the hamster is asleep"), CHECKOUT, HERE, PULL, (0.05, 0.6999), [],
             "", None),
    Incident("statefulset's image", stateful, ("StatefulSet", "warehouse-db", "data"), [("StatefulSet", "warehouse-db")],
             PULL, CERTAIN, [BAD], "", BACK),
    Incident("init container's image", init_image, CHECKOUT, HERE, PULL, CERTAIN, [BAD], "",
             ("update-image", {"container": "migrate", "to": GOOD})),
    Incident("rolled back already", mended, CHECKOUT, empty=True),
)  # fmt: skip
