"""Incidents written before anybody looked at what the rules know: what goes wrong with containers."""

# ruff: noqa: E501 - the words of a cluster stay on one line, as it says them

from .foreign import Foreign, Workload, ago, back_off, container, end, limits, run, status, wait
from .unseen import Unseen

SURE = (0.901, 0.99)
ANY = (0.3, 0.99)
ROLL_BACK = ("", "update-image")


def sidecar_out_of_memory(c: Foreign) -> None:
    c.node("ip-10-0-3-17")
    app, side = container("app", "ghcr.io/acme/storefront:7.1.0", **limits("1Gi")), container(
        "fluent-bit", "cr.fluentbit.io/fluent/fluent-bit:3.1.9", **limits("64Mi"))  # fmt: skip
    w = Workload(c, "storefront", "web", [app, side], ready=0)
    w.revision("6f9dcb7d5c", 200000, wanted=3, ready=0)
    for i in range(3):
        killed = end("OOMKilled", 137, 40 + i, 95)
        sides = status(side, back_off("fluent-bit", "storefront-6f9dcb7d5c", "web"), restarts=11, last=killed)
        pod = w.pod(f"a{i}bcd", [status(app, run(199000), ready=True), sides], age_s=200000, since_s=40)
        c.event(pod, "BackOff", "Back-off restarting failed container fluent-bit in pod", 20, first_s=2900, count=44)
        c.log(
            pod,
            "fluent-bit",
            "[2026/03/14 02:39:51] [ info] [input:tail:tail.0] inotify_fs_add(): inode=131 name=/var/log",
        )
    w.settled()


def init_container_out_of_memory(c: Foreign) -> None:
    c.node("ip-10-0-3-17")
    init, app = container("warm-cache", "acme/cache:2", **limits("128Mi")), container("app", "acme/search:5.0")
    w = Workload(c, "search", "web", [app], initContainers=[init], replicas=1)
    w.revision("7d88c7f9b4", 3000, wanted=1, ready=0)
    said = status(
        init, back_off("warm-cache", "search-7d88c7f9b4-zz1", "web"), restarts=6, last=end("OOMKilled", 137, 60, 9)
    )
    w.pod("zz1", [status(app, wait("PodInitializing"))], init=[said], phase="Pending", age_s=3000)
    w.stuck(2400)


def init_container_fails(c: Foreign) -> None:
    c.node("ip-10-0-3-17")
    init, app = (
        container("migrate", "acme/orders:3.9.0", command=["flask", "db", "upgrade"]),
        container("app", "acme/orders:3.9.0"),
    )
    old_init, old = init | {"image": "acme/orders:3.8.2"}, app | {"image": "acme/orders:3.8.2"}
    w = Workload(c, "orders", "shop", [app], initContainers=[init], replicas=2, ready=2)
    before = w.revision("5c6b8d9f77", 400000, wanted=2, ready=2, containers=[old], initContainers=[old_init])
    w.revision("84b7c5d6c9", 1500, wanted=1, ready=0)
    w.well(2, of=before)
    failed = status(init, back_off("migrate", "orders-84b7c5d6c9-q8x", "shop"), restarts=8, last=end("Error", 1, 70, 4))
    pod = w.pod("q8x", [status(app, wait("PodInitializing"))], init=[failed], phase="Pending", age_s=1500)
    c.log(pod, "migrate", 'psycopg2.errors.DuplicateColumn: column "tenant_id" of relation "orders" already exists\n\n'
          "[SQL: ALTER TABLE orders ADD COLUMN tenant_id UUID]")  # fmt: skip
    c.event(
        pod, "BackOff", "Back-off restarting failed container migrate in pod orders-84b7c5d6c9-q8x_shop", 30, count=60
    )
    w.stuck(900)


def wrong_command_of_one_of_two(c: Foreign) -> None:
    c.node("ip-10-0-3-17")
    c.add("ConfigMap", "common", "shop", data={"LOG_LEVEL": "info", "QUEUE": "jobs"})
    source = {"envFrom": [{"configMapRef": {"name": "common"}}]}
    web = container("web", "acme/mono:12", command=["/app/web"], **source)
    w = Workload(c, "web", "shop", [web], ready=3)
    w.revision("58d6c9f6b5", 90000, wanted=3, ready=3)
    w.well(3)
    w.settled()
    bad = container("worker", "acme/mono:12", command=["/app/wroker", "--queue=jobs"], **source)
    w = Workload(c, "worker", "shop", [bad], replicas=2)
    w.revision("6b54dd8d9", 90000, wanted=0, ready=0, containers=[bad | {"command": ["/app/worker", "--queue=jobs"]}])
    w.revision("7fcd5b8b6f", 1200, wanted=2, ready=0)
    message = ('failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: '
               'unable to start container process: error during container init: exec: "/app/wroker": stat /app/wroker: '
               "no such file or directory: unknown")  # fmt: skip
    for mark in ("4j2lp", "8s6vd"):
        last = end("StartError", 128, 100, 0, message)
        pod = w.pod(
            mark,
            [status(bad, back_off("worker", f"worker-7fcd5b8b6f-{mark}", "shop"), restarts=8, last=last)],
            age_s=1200,
        )
        c.event(pod, "Failed", f"Error: {message}", 100, first_s=1190, count=8)
        c.event(pod, "BackOff", "Back-off restarting failed container worker in pod", 10, first_s=1170, count=70)
    w.stuck(600)


def _pull(
    c: Foreign, image: str, before: str, error: str, *, secret: str = "", pulled_by: str = "containerd"
) -> tuple[Workload, list]:
    """A rollout whose new pods do not get their image, and the old ones serve."""
    c.node("ip-10-0-3-17")
    c.node("ip-10-0-3-18")
    new = container("app", image)
    more = {"imagePullSecrets": [{"name": secret}]} if secret else {}
    name = before.split("/")[-1].split(":")[0]
    w = Workload(c, name, "shop", [new], ready=3, **more)
    old = w.revision("55f6d8c4bb", 500000, wanted=3, ready=3, containers=[new | {"image": before}], **more)
    w.revision("6c4b9dcf8d", 1100, wanted=1, ready=0)
    w.well(3, of=old)
    pod = w.pod("t9hjr", [status(new, wait("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}'))],
                age_s=1100, phase="Pending")  # fmt: skip
    c.event(pod, "Pulling", f'Pulling image "{image}"', 200, first_s=1090, count=6, kind="Normal")
    c.event(pod, "Failed", f'Failed to pull image "{image}": {error}', 200, first_s=1090, count=6)
    c.event(pod, "Failed", "Error: ErrImagePull", 200, first_s=1090, count=6)
    c.event(pod, "BackOff", f'Back-off pulling image "{image}"', 20, first_s=1080, count=55)
    c.event(pod, "Failed", "Error: ImagePullBackOff", 20, first_s=1080, count=55)
    w.stuck(500)
    return w, [pod]


def _resolve(image: str, why: str) -> str:
    return f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": {why}'


def tag_typo(c: Foreign) -> None:
    image = "ghcr.io/acme/payments:v1.9.O"
    _pull(
        c,
        image,
        "ghcr.io/acme/payments:v1.8.4",
        f"rpc error: code = NotFound desc = {_resolve(image, image + ': not found')}",
    )


def repository_typo(c: Foreign) -> None:
    image = "docker.io/acme/paymnets:1.9.0"
    why = ("pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: "
           "authorization failed")  # fmt: skip
    _pull(c, image, "docker.io/acme/payments:1.8.4", _resolve(image, why))


def tag_typo_as_cri_o_tells(c: Foreign) -> None:
    why = "reading manifest 2026-03-41 in quay.io/acme/ledger: manifest unknown"
    _pull(c, "quay.io/acme/ledger:2026-03-41", "quay.io/acme/ledger:2026-03-01", why)


def registry_down(c: Foreign) -> None:
    image = "registry.acme.internal/team/cart:88"
    why = 'failed to do request: Head "https://registry.acme.internal/v2/team/cart/manifests/88": dial tcp 10.20.0.9:443: connect: connection refused'
    _pull(c, image, "registry.acme.internal/team/cart:87", _resolve(image, why))


def registry_overloaded(c: Foreign) -> None:
    image = "registry.acme.internal/team/cart:88"
    why = "unexpected status from HEAD request to https://registry.acme.internal/v2/team/cart/manifests/88: 503 Service Unavailable"
    _pull(c, image, "registry.acme.internal/team/cart:87", _resolve(image, why))


def registry_certificate(c: Foreign) -> None:
    image = "registry.acme.internal/team/cart:88"
    why = ('failed to do request: Head "https://registry.acme.internal/v2/team/cart/manifests/88": tls: failed to verify certificate: '
           "x509: certificate has expired or is not yet valid: current time 2026-03-14T02:38:01Z is after 2026-03-13T23:59:59Z")  # fmt: skip
    _pull(c, image, "registry.acme.internal/team/cart:87", _resolve(image, why))


def pull_secret_missing(c: Foreign) -> None:
    image = "ghcr.io/acme/billing:4.2"
    why = ("failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
           "https://ghcr.io/token?scope=repository%3Aacme%2Fbilling%3Apull&service=ghcr.io: 401 Unauthorized")  # fmt: skip
    _, pods = _pull(c, image, "ghcr.io/acme/billing:4.1", _resolve(image, why), secret="regcred")
    c.add("Secret", "db", "shop", type="Opaque", data={"password": "czNjcjN0"})
    c.event(pods[0], "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the "
            "image may not succeed.", 15, first_s=1095, count=70)  # fmt: skip


def credentials_refused(c: Foreign) -> None:
    image = "ghcr.io/acme/billing:4.2"
    why = ("failed to authorize: failed to fetch oauth token: unexpected status from GET request to "
           "https://ghcr.io/token?scope=repository%3Aacme%2Fbilling%3Apull&service=ghcr.io: 403 Forbidden")  # fmt: skip
    _pull(c, image, "ghcr.io/acme/billing:4.1", _resolve(image, why), secret="regcred")
    c.add("Secret", "regcred", "shop", type="kubernetes.io/dockerconfigjson", data={".dockerconfigjson": "e30="})


def no_match_for_platform(c: Foreign) -> None:
    image = "ghcr.io/acme/thumbs:4.0"
    why = f'failed to pull and unpack image "{image}": no match for platform in manifest: not found'
    _pull(c, image, "ghcr.io/acme/thumbs:3.9", f"rpc error: code = NotFound desc = {why}")


def rate_limited(c: Foreign) -> None:
    image = "docker.io/library/redis:7.4.2"
    why = ("unexpected status from HEAD request to https://registry-1.docker.io/v2/library/redis/manifests/7.4.2: 429 Too Many Requests\n"
           "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit")  # fmt: skip
    _pull(c, image, "docker.io/library/redis:7.2.5", _resolve(image, why))


def disk_full_while_pulling(c: Foreign) -> None:
    image = "ghcr.io/acme/models:9"
    why = (f'failed to pull and unpack image "{image}": failed to extract layer sha256:9a1: write '
           "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/91/fs/w.bin: no space left on device")  # fmt: skip
    _pull(c, image, "ghcr.io/acme/models:8", why)


def invalid_image_name(c: Foreign) -> None:
    c.node("ip-10-0-3-17")
    bad = container("app", "Acme/Checkout:2.0")
    w = Workload(c, "checkout", "shop", [bad], ready=3)
    old = w.revision("56c8b5b7d7", 500000, wanted=3, ready=3, containers=[bad | {"image": "acme/checkout:1.9"}])
    w.revision("7bd6f9c6f5", 900, wanted=1, ready=0)
    w.well(3, of=old)
    why = ('Failed to apply default image tag "Acme/Checkout:2.0": couldn\'t parse image name "Acme/Checkout:2.0": invalid reference '
           "format: repository name (Acme/Checkout) must be lowercase")  # fmt: skip
    pod = w.pod("k2m5n", [status(bad, wait("InvalidImageName", why))], age_s=900, phase="Pending")
    c.event(pod, "InspectFailed", why, 20, first_s=890, count=70)
    c.event(pod, "Failed", "Error: InvalidImageName", 20, first_s=890, count=70)
    w.stuck(300)


def _crash(
    c: Foreign, name: str, log: str, code: int = 1, *, reason: str = "Error", ran_s: float = 3, kind: str = "Deployment",
    replicas: int = 2, restarts: int = 9, age_s: float = 2400, events: tuple[tuple[str, str], ...] = (), volumes: list | None = None,
    old: dict | None = None, **of: object,
) -> Workload:  # fmt: skip
    """A workload of which every pod crashes; old: what another, earlier revision had."""
    if not any(o["kind"] == "Node" for o in c.objects):
        c.node("ip-10-0-3-17")
    app = container("app", f"acme/{name}:3.2.1", **of)
    w = Workload(c, name, "shop", [app], kind=kind, replicas=replicas, volumes=volumes)
    if kind == "Deployment":
        if old is not None:
            w.revision("5f7c9dd6b8", 700000, wanted=0, ready=0, containers=[app | old], volumes=volumes)
        w.revision("6d8fcbf5f9", age_s, wanted=replicas, ready=0)
        w.stuck(600)
    for i in range(replicas if kind == "Deployment" else 1):
        suffix = f"p{i}w4z" if kind == "Deployment" else str(i)
        last = end(reason, code, 90 + i, ran_s)
        pod = w.pod(suffix, [status(app, back_off("app", name, "shop"), restarts=restarts, last=last)], age_s=age_s)
        c.event(pod, "BackOff", f"Back-off restarting failed container app in pod {pod['metadata']['name']}_shop", 15,
                first_s=age_s - 60, count=90)  # fmt: skip
        for told, message in events:
            c.event(pod, told, message, 95, first_s=age_s - 60, count=27)
        c.log(pod, "app", log)
    return w


def exec_format(c: Foreign) -> None:
    _crash(c, "edge", "exec /usr/local/bin/edge: exec format error", 255, old={"image": "acme/edge:3.2.0"})


def liveness_too_eager(c: Foreign) -> None:
    probe = {"httpGet": {"path": "/actuator/health", "port": 8080, "scheme": "HTTP"}, "initialDelaySeconds": 5, "periodSeconds": 5,
             "failureThreshold": 3, "timeoutSeconds": 1, "successThreshold": 1}  # fmt: skip
    log = ("  .   ____          _\n :: Spring Boot ::  (v3.3.4)\n2026-03-14T02:39:12.101Z  INFO 1 --- [main] c.a.Pricing : Starting Pricing "
           "using Java 21\n2026-03-14T02:39:24.800Z  INFO 1 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer : Tomcat initialized with "
           "port 8080 (http)\n2026-03-14T02:39:29.011Z  INFO 1 --- [ionShutdownHook] j.LocalContainerEntityManagerFactoryBean : Closing "
           "JPA EntityManagerFactory")  # fmt: skip
    told = (("Unhealthy", 'Liveness probe failed: Get "http://10.244.1.9:8080/actuator/health": dial tcp 10.244.1.9:8080: connect: '
             "connection refused"), ("Killing", "Container app failed liveness probe, will be restarted"))  # fmt: skip
    _crash(c, "pricing", log, 143, ran_s=21, events=told, livenessProbe=probe, ports=[{"containerPort": 8080}])


def killed_by_liveness_with_137(c: Foreign) -> None:
    probe = {"exec": {"command": ["/bin/health"]}, "periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}
    told = (("Unhealthy", 'Liveness probe failed: command timed out: "/bin/health" timed out after 1s'),
            ("Killing", "Container app failed liveness probe, will be restarted"))  # fmt: skip
    _crash(c, "quotes", "consumer: rebalancing", 137, ran_s=62, events=told, livenessProbe=probe, **limits("512Mi"))


def name_not_resolved(c: Foreign) -> None:
    log = ("node:internal/process/promises:394\n      triggerUncaughtException(err, true);\nError: getaddrinfo ENOTFOUND "
           "redis-master.cache.svc.cluster.local\n    at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:120:26) {\n  errno: -3008,\n"
           "  code: 'ENOTFOUND',\n  syscall: 'getaddrinfo',\n  hostname: 'redis-master.cache.svc.cluster.local'\n}")  # fmt: skip
    _crash(c, "sessions", log, env=[{"name": "REDIS", "value": "redis-master.cache.svc.cluster.local"}])


def cluster_dns_down(c: Foreign) -> None:
    log = "2026/03/14 02:39:40 FATAL dial tcp: lookup payments.shop.svc.cluster.local on 10.96.0.10:53: read udp 10.244.1.7:48211->10.96.0.10:53: i/o timeout"
    _crash(c, "frontdoor", log)
    dns = container(
        "coredns",
        "registry.k8s.io/coredns/coredns:v1.11.3",
        args=["-conf", "/etc/coredns/Corefile"],
        volumeMounts=[{"name": "config-volume", "mountPath": "/etc/coredns"}],
    )
    volumes = [{"name": "config-volume", "configMap": {"name": "coredns"}}]
    w = Workload(c, "coredns", "kube-system", [dns], replicas=2, volumes=volumes)
    w.labels["k8s-app"] = "kube-dns"
    w.revision("7c65d6cfc9", 900000, wanted=2, ready=0)
    for mark in ("2x8lk", "xjq5d"):
        pod = w.pod(
            mark,
            [status(dns, back_off("coredns", "coredns", "kube-system"), restarts=14, last=end("Error", 1, 45, 1))],
            age_s=5000,
        )
        c.log(pod, "coredns", "/etc/coredns/Corefile:8 - Error during parsing: Unknown directive 'forwardd'")
        c.event(pod, "BackOff", "Back-off restarting failed container coredns in pod", 10, first_s=2900, count=200)
    c.add("Service", "kube-dns", "kube-system", spec={"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"},
          "ports": [{"port": 53, "protocol": "UDP", "targetPort": 53}]})  # fmt: skip
    c.add(
        "ConfigMap",
        "coredns",
        "kube-system",
        data={"Corefile": ".:53 {\n    errors\n    forwardd . /etc/resolv.conf\n}\n"},
    )


def certificate_expired(c: Foreign) -> None:
    log = ("time=2026-03-14T02:39:30Z level=error msg=\"cannot fetch JWKS\" err=\"Get \\\"https://login.acme.example/keys\\\": tls: failed to "
           "verify certificate: x509: certificate has expired or is not yet valid: current time 2026-03-14T02:39:30Z is after "
           "2026-03-13T23:59:59Z\"\ntime=2026-03-14T02:39:30Z level=fatal msg=\"giving up\"")  # fmt: skip
    _crash(c, "gatekeeper", log, age_s=300000, restarts=41)


def permission_denied_on_volume(c: Foreign) -> None:
    log = "postgresql 02:39:12.64 INFO  ==> Initializing PostgreSQL database...\nmkdir: cannot create directory '/bitnami/postgresql/data': Permission denied"
    _crash(c, "ledger-db", log, kind="StatefulSet", replicas=1, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data-ledger-db-0"}}],
           volumeMounts=[{"name": "data", "mountPath": "/bitnami/postgresql"}])  # fmt: skip
    c.add(
        "PersistentVolumeClaim", "data-ledger-db-0", "shop", spec={"storageClassName": "gp3"}, status={"phase": "Bound"}
    )


def read_only_filesystem(c: Foreign) -> None:
    log = "  File \"/usr/lib/python3.12/tempfile.py\", line 257, in _mkstemp_inner\nOSError: [Errno 30] Read-only file system: '/app/.cache/gunicorn'"
    _crash(c, "reports", log, securityContext={"readOnlyRootFilesystem": True}, old={"securityContext": {}})


def address_in_use(c: Foreign) -> None:
    _crash(
        c,
        "proxy",
        "2026/03/14 02:39:00 [emerg] 1#1: bind() to 0.0.0.0:80 failed (13: Permission denied)",
        ports=[{"containerPort": 80}],
    )


def ends_by_itself(c: Foreign) -> None:
    _crash(c, "toolbox", "", 0, reason="Completed", ran_s=1, command=["/bin/sh", "-c", "echo ready"])


def panics_for_nil(c: Foreign) -> None:
    log = ("panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 "
           "pc=0x6f2a4e]\n\ngoroutine 1 [running]:\nmain.(*Server).routes(0x0)\n\t/src/server.go:41 +0x2e\nmain.main()\n\t/src/main.go:19 +0x5a")  # fmt: skip
    _crash(c, "router", log, 2, old={"image": "acme/router:3.2.0"})


def wrong_value(c: Foreign) -> None:
    c.add("ConfigMap", "tickets-env", "shop", data={"MAX_CONNECTIONS": "fifty", "REGION": "eu-central-1"})
    log = ("panic: config: parse environment: env var MAX_CONNECTIONS: strconv.ParseInt: parsing \"fifty\": invalid syntax\n\ngoroutine 1 "
           "[running]:\nmain.main()\n\t/src/main.go:22 +0x1d5")  # fmt: skip
    _crash(c, "tickets", log, 2, envFrom=[{"configMapRef": {"name": "tickets-env"}}])


def cluster_id_differs(c: Foreign) -> None:
    log = ("[2026-03-14 02:39:02,519] ERROR Fatal error during KafkaServer startup. Prepare to shutdown (kafka.server.KafkaServer)\n"
           "kafka.common.InconsistentClusterIdException: The Cluster ID uQ8aV doesn't match stored clusterId Some(3kZp0) in meta.properties. "
           "The broker is trying to join the wrong cluster.")  # fmt: skip
    _crash(c, "kafka", log, kind="StatefulSet", replicas=3, ran_s=8)


def missing_key_of_configmap(c: Foreign) -> None:
    c.add("ConfigMap", "app-config", "shop", data={"LOGLEVEL": "info", "MODE": "live"})
    _no_config(
        c, "couldn't find key LOG_LEVEL in ConfigMap shop/app-config", "configMapKeyRef", "app-config", "LOG_LEVEL"
    )


def missing_key_of_secret(c: Foreign) -> None:
    c.add("Secret", "db-creds", "shop", type="Opaque", data={"username": "YXBw", "PASSWORD": "aHVudGVyMg=="})
    _no_config(c, "couldn't find key password in Secret shop/db-creds", "secretKeyRef", "db-creds", "password")


def missing_secret(c: Foreign) -> None:
    c.add("Secret", "tls", "shop", type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""})
    _no_config(c, 'secret "db-creds" not found', "secretKeyRef", "db-creds", "password")


def runs_as_root(c: Foreign) -> None:
    c.add("ConfigMap", "app-config", "shop", data={"MODE": "live"})
    why = 'container has runAsNonRoot and image will run as root (pod: "mailer-6d9fbc7c4-hd2tz_shop(7c1e)", container: app)'
    _no_config(c, why, "configMapKeyRef", "app-config", "MODE")


def _no_config(c: Foreign, why: str, ref: str, name: str, key: str) -> None:
    c.node("ip-10-0-3-17")
    app = container("app", "acme/mailer:8", env=[{"name": "X", "valueFrom": {ref: {"name": name, "key": key}}}])
    w = Workload(c, "mailer", "shop", [app], ready=2, replicas=2)
    old = w.revision("5b6fd4f4c8", 300000, wanted=2, ready=2, containers=[container("app", "acme/mailer:8")])
    w.revision("6d9fbc7c4", 800, wanted=1, ready=0)
    w.well(2, of=old)
    pod = w.pod("hd2tz", [status(app, wait("CreateContainerConfigError", why))], age_s=800, phase="Pending")
    c.event(pod, "Failed", f"Error: {why}", 8, first_s=790, count=63)
    c.event(
        pod,
        "Pulled",
        'Container image "acme/mailer:8" already present on machine',
        8,
        first_s=790,
        count=63,
        kind="Normal",
    )
    w.stuck(200)


def job_fails(
    c: Foreign,
    reason: str = "Error",
    code: int = 1,
    log: str = "pg_dump: error: server version: 17.2; pg_dump version: 15.6",
) -> None:
    c.node("ip-10-0-3-17")
    app = container("dump", "acme/pgdump:15", **limits("256Mi"))
    cron = c.add("CronJob", "nightly-dump", "data", spec={"schedule": "0 2 * * *", "suspend": False})
    w = Workload(c, "nightly-dump-29557560", "data", [app], kind="Job", replicas=1, age_s=2400, restartPolicy="Never")
    w.object["spec"] |= {"backoffLimit": 2, "completions": 1, "parallelism": 1}
    w.object["status"] = {"failed": 3, "startTime": ago(2400), "ready": 0}
    w.object["metadata"]["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-dump",
        "uid": cron["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}]  # fmt: skip
    w.condition("Failed", "True", "BackoffLimitExceeded", "Job has reached the specified backoff limit", 1500)
    for i, mark in enumerate(("5xk2m", "g7r9t", "zz8pq")):
        pod = w.pod(mark, [status(app, end(reason, code, 2200 - 300 * i, 20))], age_s=2400 - 300 * i, phase="Failed")
        c.log(pod, "dump", log)
    c.event(
        w.object,
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
        1500,
        component="job-controller",
    )


def job_out_of_memory(c: Foreign) -> None:
    job_fails(c, "OOMKilled", 137, "pg_dump: last built-in OID is 16383")


D = "Deployment"
UNSEEN_CONTAINERS = (
    Unseen("out of memory: the sidecar only", sidecar_out_of_memory, (D, "storefront", "web"), [(D, "storefront")], ["fluent-bit"],
           ("", "restart-deployment"), ("update-resources:128Mi",), SURE),
    Unseen("out of memory: an init container", init_container_out_of_memory, (D, "search", "web"), [(D, "search")], ["warm-cache"],
           ("", "restart-deployment"), ("update-resources:256Mi",), SURE),
    Unseen("an init container fails", init_container_fails, (D, "orders", "shop"), [(D, "orders")], ["migrate"], fix=ROLL_BACK),
    Unseen("wrong command in one of two that share a ConfigMap", wrong_command_of_one_of_two, (D, "worker", "shop"), [(D, "worker")],
           ["wroker"], sure=ANY),
    Unseen("its sibling serves", wrong_command_of_one_of_two, (D, "web", "shop")),
    Unseen("typo in a tag", tag_typo, (D, "payments", "shop"), [(D, "payments")], ["v1.9.O"],
           fix=("update-image:ghcr.io/acme/payments:v1.8.4",), sure=SURE),
    Unseen("typo in a repository", repository_typo, (D, "payments", "shop"), [(D, "payments")], ["paymnets"], fix=ROLL_BACK),
    Unseen("typo in a tag, CRI-O's words", tag_typo_as_cri_o_tells, (D, "ledger", "shop"), [(D, "ledger")], ["2026-03-41"],
           fix=("update-image:quay.io/acme/ledger:2026-03-01",), sure=SURE),
    Unseen("registry down", registry_down, (D, "cart", "shop"), [(D, "cart")], ["registry.acme.internal"], sure=ANY),
    Unseen("registry answers 503", registry_overloaded, (D, "cart", "shop"), [(D, "cart")], ["registry.acme.internal"], sure=ANY),
    Unseen("registry's certificate expired", registry_certificate, (D, "cart", "shop"), [(D, "cart")], ["certificate"], sure=ANY),
    Unseen("pull secret missing", pull_secret_missing, (D, "billing", "shop"), [("Secret", "regcred")], ["regcred"], sure=ANY),
    Unseen("pull secret refused", credentials_refused, (D, "billing", "shop"), [(D, "billing"), ("Secret", "regcred")], ["regcred"], sure=ANY),
    Unseen("no image for this processor", no_match_for_platform, (D, "thumbs", "shop"), [(D, "thumbs")], ["processor"], fix=ROLL_BACK, sure=ANY),
    Unseen("rate limit of the registry", rate_limited, (D, "redis", "shop"), [(D, "redis")], ["limit"], sure=ANY),
    Unseen("no room on the disk for the image", disk_full_while_pulling, (D, "models", "shop"), [("Node", "ip-10-0-3-17")], ["space"], sure=ANY),
    Unseen("no valid name of an image", invalid_image_name, (D, "checkout", "shop"), [(D, "checkout")], ["Acme/Checkout"],
           fix=("", "update-image:acme/checkout:1.9"), sure=ANY),
    Unseen("binary of another processor", exec_format, (D, "edge", "shop"), [(D, "edge")], ["processor"], fix=ROLL_BACK, sure=ANY),
    Unseen("liveness probe too eager", liveness_too_eager, (D, "pricing", "shop"), [(D, "pricing")], ["liveness"]),
    Unseen("exit code 137 by a liveness probe", killed_by_liveness_with_137, (D, "quotes", "shop"), [(D, "quotes")], ["liveness"]),
    Unseen("a name is not resolved", name_not_resolved, (D, "sessions", "shop"), [(D, "sessions")], ["redis-master"]),
    Unseen("the cluster's DNS is down", cluster_dns_down, (D, "frontdoor", "shop"), [(D, "coredns"), ("ConfigMap", "coredns")], ["forwardd"]),
    Unseen("a certificate expired", certificate_expired, (D, "gatekeeper", "shop"), [(D, "gatekeeper")], ["certificate"]),
    Unseen("no permission on a volume", permission_denied_on_volume, ("StatefulSet", "ledger-db", "shop"),
           [("StatefulSet", "ledger-db"), ("PersistentVolumeClaim", "data-ledger-db-0")], ["denied"]),
    Unseen("a read-only file system", read_only_filesystem, (D, "reports", "shop"), [(D, "reports")], ["read-only"]),
    Unseen("a port below 1024 without the right", address_in_use, (D, "proxy", "shop"), [(D, "proxy")], ["bind"]),
    Unseen("a main process that ends by itself", ends_by_itself, (D, "toolbox", "shop"), [(D, "toolbox")], ["exit"], sure=ANY),
    Unseen("a release that panics", panics_for_nil, (D, "router", "shop"), [(D, "router")], ["nil pointer"], fix=ROLL_BACK),
    Unseen("a value that does not parse", wrong_value, (D, "tickets", "shop"), [("ConfigMap", "tickets-env")], ["MAX_CONNECTIONS"], sure=ANY),
    Unseen("a StatefulSet stuck at ordinal 0", cluster_id_differs, ("StatefulSet", "kafka", "shop"), [("StatefulSet", "kafka")], ["cluster"]),
    Unseen("wrong key of a ConfigMap", missing_key_of_configmap, (D, "mailer", "shop"), [("ConfigMap", "app-config")], ["LOG_LEVEL"], sure=SURE),
    Unseen("a Secret lacks a key", missing_key_of_secret, (D, "mailer", "shop"), [("Secret", "db-creds")], ["password"], sure=SURE),
    Unseen("a Secret is missing", missing_secret, (D, "mailer", "shop"), [("Secret", "db-creds")], ["db-creds"], sure=SURE),
    Unseen("must not run as root", runs_as_root, (D, "mailer", "shop"), [(D, "mailer")], ["root"], sure=ANY),
    Unseen("a Job at its backoff limit", job_fails, ("Job", "nightly-dump-29557560", "data"), [("Job", "nightly-dump-29557560"),
           ("CronJob", "nightly-dump")], ["version"], sure=ANY),
    Unseen("a Job out of memory", job_out_of_memory, ("Job", "nightly-dump-29557560", "data"), [("Job", "nightly-dump-29557560"),
           ("CronJob", "nightly-dump")], ["memory"], fix=("", "update-resources"), sure=ANY),
)  # fmt: skip
