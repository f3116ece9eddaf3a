"""The edit takes one value and leaves comments, order, quotes, indentation and line endings alone."""

import pytest
from gitops_world import config, edited, image, memory

from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.gitops.edit import plan_edit

MANIFEST = """\
# The checkout service.
apiVersion: apps/v1
kind: Deployment
metadata:
    name:   checkout   # do not rename
    namespace: shop
spec:
    replicas: 3
    template:
        spec:
            containers:
            -   name: sidecar
                image: "registry:5000/proxy:1.0"
                resources: {limits: {memory: 128Mi}}
            -   name: app
                image: 'registry:5000/checkout:1.4.2'  # released in May
                resources:
                    limits:
                        cpu: "1"
                        memory: 128Mi     # measured
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: checkout-config
data:
  LOG_LEVEL: info
  ENABLED: "on"
  app.properties: |
    # database
    db.url=jdbc:pg://db/shop
    db.pool=10

    retry=3
"""


def test_a_memory_limit() -> None:
    assert edited({"app/all.yaml": MANIFEST}, memory()) == {
        "app/all.yaml": (
            ["                        memory: 128Mi     # measured\n"],
            ["                        memory: 256Mi     # measured\n"],
        )
    }


def test_an_image_keeps_its_quotes() -> None:
    assert edited(
        {"app/all.yaml": MANIFEST}, image("registry:5000/checkout:1.4.2", "registry:5000/checkout:1.4.1")
    ) == {
        "app/all.yaml": (
            ["                image: 'registry:5000/checkout:1.4.2'  # released in May\n"],
            ["                image: 'registry:5000/checkout:1.4.1'  # released in May\n"],
        )
    }


def test_line_endings_and_a_missing_last_line_break_stay() -> None:
    text = MANIFEST.replace("\n", "\r\n").removesuffix("\r\n")
    ((old, new),) = edited({"app/all.yaml": text}, memory()).values()
    assert (old[0][-3:], new[0][-3:]) == ("d\r\n", "d\r\n")


def test_a_block_scalar_shows_only_the_lines_that_differ() -> None:
    old = "# database\ndb.url=jdbc:pg://db/shop\ndb.pool=10\n\nretry=3\n"
    assert edited({"app/all.yaml": MANIFEST}, config("app.properties", old, old.replace("10", "20"))) == {
        "app/all.yaml": (["    db.pool=10\n"], ["    db.pool=20\n"])
    }


@pytest.mark.parametrize(
    ("new", "spelled"),
    [("debug", "debug"), ("on", '"on"'), ("1e3", '"1e3"'), ("0123", '"0123"'), ("", '""'), ("a: b", '"a: b"')],
)
def test_a_configmap_value_stays_a_string(new: str, spelled: str) -> None:
    assert edited({"app/all.yaml": MANIFEST}, config("LOG_LEVEL", "info", new)) == {
        "app/all.yaml": (["  LOG_LEVEL: info\n"], [f"  LOG_LEVEL: {spelled}\n"])
    }


def test_a_missing_limit_is_added_with_the_files_own_indentation() -> None:
    assert edited({"app/all.yaml": MANIFEST}, memory(None, "64Mi", "requests.memory")) == {
        "app/all.yaml": ([], ["                    requests:\n", "                        memory: 64Mi\n"])
    }


def test_a_missing_key_is_added() -> None:
    assert edited({"app/all.yaml": MANIFEST}, config("NEW", None, "yes")) == {"app/all.yaml": ([], ['  NEW: "yes"\n'])}


def test_git_that_differs_from_the_cluster_is_said_not_edited() -> None:
    with pytest.raises(Conflict, match=r"app/all.yaml:20: .*'128Mi' in Git but '96Mi' in the cluster"):
        plan_edit({"app/all.yaml": MANIFEST}, memory("96Mi"), "app")
    with pytest.raises(Conflict, match="in Git already"):
        plan_edit({"app/all.yaml": MANIFEST}, memory("64Mi", "131072Ki"), "app")


def test_an_anchor_that_others_use_is_refused() -> None:
    text = MANIFEST.replace("{limits: {memory: 128Mi}}", "{limits: &small {memory: 128Mi}}").replace(
        'limits:\n                        cpu: "1"\n                        memory: 128Mi     # measured',
        "limits: *small",
    )
    with pytest.raises(BadInput, match="anchor"):
        plan_edit({"app/all.yaml": text}, memory(), "app")


def test_a_helm_chart_is_told_apart() -> None:
    files = {
        "app/Chart.yaml": "name: checkout\n",
        "app/values.yaml": "memory: 128Mi\n",
        "app/templates/d.yaml": "kind: Deployment\nmetadata: {name: checkout}\n{{ .x }}: 1\n",
    }
    with pytest.raises(NotFound, match="Helm chart"):
        plan_edit(files, memory(), "app")


@pytest.mark.parametrize(
    ("secret", "refused"),
    [
        ("kind: Secret\nmetadata: {name: s}\nstringData: {password: x}\n", True),
        ("kind: Secret\nmetadata: {name: s}\ndata: {}\n", False),
        ("kind: SealedSecret\nspec: {encryptedData: {password: x}}\n", False),
    ],
)
def test_a_file_with_values_of_a_secret_is_left_to_people(secret: str, refused: bool) -> None:
    files = {"app/all.yaml": f"{MANIFEST}---\n{secret}"}
    if not refused:
        assert len(plan_edit(files, memory(), "app").files) == 1
        return
    with pytest.raises(BadInput, match="values of a Secret"):
        plan_edit(files, memory(), "app")
