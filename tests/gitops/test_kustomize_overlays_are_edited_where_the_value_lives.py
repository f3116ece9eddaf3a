"""A patch wins over the base, an `images` entry over the manifest, a generator's source over nothing."""

from typing import Any

import pytest
import yaml
from gitops_world import config, edited, image, memory

from kubernaut.domain.errors import BadInput, NotFound
from kubernaut.gitops.edit import missing, plan_edit

BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
spec:
  template:
    spec:
      containers:
        - name: proxy
          image: proxy:1
        - name: app
          image: registry.example/checkout:1.4.2
          resources:
            limits:
              memory: 128Mi
"""
BASE_KUSTOMIZATION = "resources:\n  - deployment.yaml\n"


def world(overlay: str, **more: str) -> dict[str, str]:
    return {
        "base/deployment.yaml": BASE,
        "base/kustomization.yaml": BASE_KUSTOMIZATION,
        "overlays/prod/kustomization.yaml": overlay,
        **{f"overlays/prod/{name.replace('__', '.')}": text for name, text in more.items()},
    }


PROD = "overlays/prod"
RESOURCES = "resources:\n  - ../../base\nnamespace: shop\n"


def test_the_base_where_no_overlay_says_anything() -> None:
    files = world(RESOURCES)
    edit = plan_edit(files, memory(), PROD)
    assert [c.path for c in edit.files] == ["base/deployment.yaml"]
    assert edit.notes == (
        "base/deployment.yaml lies outside overlays/prod: every overlay that builds on it changes too.",
    )


def test_a_strategic_patch_in_a_file() -> None:
    patch = BASE.replace("128Mi", "200Mi # prod")
    files = world(RESOURCES + "patches:\n  - path: memory.yaml\n", memory__yaml=patch)
    assert edited(files, memory("200Mi"), PROD) == {
        "overlays/prod/memory.yaml": (
            ["              memory: 200Mi # prod\n"],
            ["              memory: 256Mi # prod\n"],
        )
    }


def test_a_strategic_patch_written_inside_the_kustomization() -> None:
    overlay = RESOURCES + (
        "patches:\n"
        "  - target: {kind: Deployment, name: check.*}\n"
        "    patch: |-\n"
        "      apiVersion: apps/v1\n"
        "      kind: Deployment\n"
        "      metadata: {name: any}\n"
        "      spec:\n"
        "        template:\n"
        "          spec:\n"
        "            containers:\n"
        "              - name: app\n"
        "                resources: {limits: {memory: 200Mi}} # big\n"
        "  - path: other.yaml\n"
    )
    files = world(overlay, other__yaml="kind: Deployment\nmetadata: {name: other}\n")
    assert edited(files, memory("200Mi"), PROD) == {
        "overlays/prod/kustomization.yaml": (
            ["                resources: {limits: {memory: 200Mi}} # big\n"],
            ["                resources: {limits: {memory: 256Mi}} # big\n"],
        )
    }


def test_a_json_patch_counts_containers_as_the_manifest_does() -> None:
    overlay = RESOURCES + (
        "patches:\n"
        "  - target: {kind: Deployment}\n"
        "    patch: |\n"
        "      - op: replace\n"
        "        path: /spec/template/spec/containers/1/resources/limits/memory\n"
        "        value: 200Mi\n"
    )
    assert edited(world(overlay), memory("200Mi"), PROD) == {
        "overlays/prod/kustomization.yaml": (["        value: 200Mi\n"], ["        value: 256Mi\n"])
    }


def test_prefix_suffix_and_namespace() -> None:
    overlay = RESOURCES + "namePrefix: prod-\nnameSuffix: -eu\n"
    wanted = memory()
    wanted.parameters["container"] = "app"
    renamed: Any = type(wanted)(
        wanted.action, type(wanted.target)("prod", "Deployment", "prod-checkout-eu", "shop"), wanted.parameters
    )
    assert [c.path for c in plan_edit(world(overlay), renamed, PROD).files] == ["base/deployment.yaml"]
    with pytest.raises(NotFound, match="no manifest in overlays/prod has this kind and name"):
        plan_edit(world(overlay), memory(), PROD)
    with pytest.raises(NotFound):
        plan_edit(world(overlay.replace("namespace: shop", "namespace: other")), renamed, PROD)


@pytest.mark.parametrize(
    ("entry", "live", "after"),
    [
        ('newTag: "1.5"', "registry.example/checkout:1.5", 'newTag: "1.4"'),
        ("newTag: v1.5", "registry.example/checkout:v1.5", 'newTag: "1.4"'),
        ("newName: mirror/checkout", "mirror/checkout:1.4.2", None),
    ],
)
def test_an_images_entry_wins_over_the_manifest(entry: str, live: str, after: str | None) -> None:
    overlay = RESOURCES + f"images:\n  - name: other\n    newTag: x\n  - name: registry.example/checkout\n    {entry}\n"
    wanted = live.rpartition(":")[0] + ":1.4"
    ((path, (old, new)),) = edited(world(overlay), image(live, wanted), PROD).items()
    assert path == "overlays/prod/kustomization.yaml"
    assert (old, new) == (([f"    {entry}\n"], [f"    {after}\n"]) if after else ([], ['    newTag: "1.4"\n']))


def test_a_reviewer_is_told_that_an_images_entry_is_for_everybody() -> None:
    overlay = RESOURCES + 'images:\n  - name: registry.example/checkout\n    newTag: "1.5"\n'
    edit = plan_edit(world(overlay), image("registry.example/checkout:1.5", "registry.example/checkout:1.4"), PROD)
    assert edit.notes == (
        "overlays/prod/kustomization.yaml:5 sets this image for everything that uses it, not only for container app.",
    )


def test_an_image_pinned_by_digest_is_left_to_people() -> None:
    digest = "sha256:" + "a" * 64
    overlay = RESOURCES + f"images:\n  - name: registry.example/checkout\n    digest: {digest}\n"
    with pytest.raises(BadInput, match="pinned by digest"):
        plan_edit(world(overlay), image(f"registry.example/checkout@{digest}", "registry.example/checkout:1"), PROD)


def test_generated_configmaps_are_edited_at_their_source() -> None:
    overlay = RESOURCES + (
        "configMapGenerator:\n"
        "  - name: checkout-config\n"
        "    literals:\n"
        "      - LOG_LEVEL=info\n"
        '      - "GREETING=hello world" # nice\n'
        "    files:\n"
        "      - app.properties\n"
        "      - other=else.txt\n"
        "    envs: [prod.env]\n"
    )
    files = {
        **world(overlay),
        "overlays/prod/app.properties": "a=1\nb=2\n",
        "overlays/prod/else.txt": "x",
        "overlays/prod/prod.env": "# env\nTIMEOUT=3\n",
    }
    kustomization = "overlays/prod/kustomization.yaml"
    assert edited(files, config("LOG_LEVEL", "info", "debug"), PROD) == {
        kustomization: (["      - LOG_LEVEL=info\n"], ["      - LOG_LEVEL=debug\n"])
    }
    assert edited(files, config("GREETING", "hello world", "hi: you"), PROD) == {
        kustomization: (['      - "GREETING=hello world" # nice\n'], ['      - "GREETING=hi: you" # nice\n'])
    }
    assert edited(files, config("app.properties", "a=1\nb=2\n", "a=1\nb=3\n"), PROD) == {
        "overlays/prod/app.properties": (["b=2\n"], ["b=3\n"])
    }
    assert edited(files, config("TIMEOUT", "3", "30"), PROD) == {
        "overlays/prod/prod.env": (["TIMEOUT=3\n"], ["TIMEOUT=30\n"])
    }
    assert edited(files, config("NEW", None, "on"), PROD) == {kustomization: ([], ["      - NEW=on\n"])}
    hashed = config("LOG_LEVEL", "info", "debug")
    generated = type(hashed.target)("prod", "ConfigMap", "checkout-config-7h2m5t4k9c", "shop")
    again = type(hashed)(hashed.action, generated, hashed.parameters)
    assert [c.path for c in plan_edit(files, again, PROD).files] == [kustomization]


def test_what_lies_outside_is_asked_for_round_by_round() -> None:
    everything = world(RESOURCES)
    files = {path: text for path, text in everything.items() if path.startswith(PROD)}
    assert missing(files, PROD) == ("base",)
    with pytest.raises(NotFound, match="base, which could not be read"):
        plan_edit(files, memory(), PROD)
    files["base/kustomization.yaml"] = BASE_KUSTOMIZATION
    assert missing(files, PROD) == ("base/deployment.yaml",)
    assert missing(everything, PROD) == ()


def test_a_remote_base_is_named() -> None:
    files = {f"{PROD}/kustomization.yaml": "resources:\n  - https://git.example/base?ref=main\n"}
    with pytest.raises(NotFound, match="outside this repository"):
        plan_edit(files, memory(), PROD)


def test_overlays_that_build_on_each_other_end() -> None:
    files = {"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}
    with pytest.raises(NotFound):
        plan_edit(files, memory(), "a")


def test_two_manifests_of_one_name_are_ambiguous() -> None:
    files = {"app/one/d.yaml": BASE, "app/two/d.yaml": BASE}
    with pytest.raises(BadInput, match="2 times"):
        plan_edit(files, memory(), "app")
    assert list(edited({**files, "app/d.yaml": BASE}, memory())) == ["app/d.yaml"]


def test_a_request_may_not_exceed_its_limit() -> None:
    files = {"app/d.yaml": BASE}
    with pytest.raises(BadInput, match="may not exceed"):
        plan_edit(files, memory(None, "1Gi", "requests.memory"), "app")


def test_a_json_manifest_stays_json() -> None:
    text = yaml.safe_load(BASE)
    import json

    files = {"app/d.json": json.dumps(text, indent=2) + "\n"}
    ((old, new),) = edited(files, memory(None, "64Mi", "requests.memory")).values()
    assert json.loads(plan_edit(files, memory(None, "64Mi", "requests.memory"), "app").files[0].after)
    assert len(old) <= 1
    assert any('"requests": {"memory": "64Mi"}' in line for line in new)
