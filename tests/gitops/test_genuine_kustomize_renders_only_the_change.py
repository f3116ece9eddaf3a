"""What genuine Kustomize renders before and after an edit differs in the wanted value and in nothing else; where that can't
be had the edit is refused, and the refusal names file and line."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from gitops_world import config, image, memory

from kubernaut.domain.analysis import ActionProposal
from kubernaut.domain.errors import BadInput, Conflict, NotFound
from kubernaut.gitops.carriers import GENERATED
from kubernaut.gitops.edit import plan_edit
from kubernaut.lab.parts import Parts

Files = dict[str, str]
APP = """\
        - name: app
          image: reg/checkout:1.4.2
          resources:
            limits:
              memory: 128Mi
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: checkout}
spec:
  template:
    spec:
      containers:
        - name: app
          resources: {limits: {memory: 200Mi}}
"""
REPLACE = "- op: replace\n  path: /spec/template/spec/containers/0/resources/limits/memory\n  value: 200Mi\n"
FIRST = "spec.template.spec.containers.app.resources.limits.memory"
IMAGE = "spec.template.spec.containers.app.image"


def deployment(containers: str = APP, more: str = "") -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: checkout\n  namespace: shop\nspec:\n"
        "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n      containers:\n"
        f"{containers}{more}"
    )


def overlay(text: str, **more: str) -> Files:
    """An overlay over a base; `p__yaml` is the file `p.yaml` beside it."""
    return {
        "base/d.yaml": deployment().replace("  namespace: shop\n", ""),
        "base/kustomization.yaml": "resources: [d.yaml]\n",
        "app/kustomization.yaml": f"resources: [../base]\nnamespace: shop\n{text}",
        **{f"app/{name.replace('__', '.')}": content for name, content in more.items()},
    }


def plain(text: str) -> Files:
    return {"app/kustomization.yaml": "resources: [x.yaml]\n", "app/x.yaml": text}


def generator(text: str, **more: str) -> Files:
    head = "namespace: shop\nconfigMapGenerator:\n- name: checkout-config\n"
    return {"app/kustomization.yaml": head + text, **{f"app/{n.replace('__', '.')}": t for n, t in more.items()}}


def config_map(text: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: checkout-config\n  namespace: shop\n{text}"


SIDE = "        - name: side\n          image: x\n"
INSERTS_FIRST = (
    "- op: add\n  path: /spec/template/spec/containers/0\n"
    "  value: {name: first, image: x, resources: {limits: {memory: 128Mi}}}\n"
)
INSERTS_LAST = INSERTS_FIRST.replace("containers/0", "containers/-")
SMALL = "          resources:\n            limits: &l {memory: 64Mi}\n"
ON_THE_NEXT_LINE = APP.replace("memory: 128Mi", "memory:\n                128Mi")
IN_BRACES = (
    "        - {name: app, image: x, resources: {limits: {\n            memory: 128Mi, # c\n            cpu: 1}}}\n"
)
ALL_NEW = PATCH.replace("containers:\n", "containers:\n        - $patch: replace\n")
BASE_GENERATOR = "configMapGenerator: [{name: checkout-config, literals: [A=x, B=1]}]\n"
OVER_GENERATOR = "resources: [../base]\nnamespace: shop\nconfigMapGenerator:\n- name: checkout-config\n"
SETS_ALL = "- op: add\n  path: /spec/template/spec/containers/0/resources\n  value: {limits: {memory: 200Mi}}\n"
TO_ALL = "patches: [{path: p.yaml, target: {kind: Deployment}}]\n"
INLINE = "".join(f"      {line}\n" for line in PATCH.splitlines())
MORE = "resources: [c.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - "
MANY_LINES = "data:\n  A: |\n    # c\n    a:\tb\n    \tc=1\n\n  B: z\n"
SAYS_128 = PATCH.replace("200Mi", "128Mi")
COUNTS = REPLACE.replace("200Mi", "128Mi")
BESIDE = SAYS_128.replace("name: app", "name: side\n          image: x")
BOTH = "patches: [{path: p.yaml}, {path: j.yaml, target: {kind: Deployment}}]\n"
JSON_6902 = "patchesJson6902: [{path: j.yaml, target: {version: v1, kind: Deployment, name: checkout}}]\n"
COMPONENT = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
MERGES = "configMapGenerator: [{name: checkout-config, behavior: merge, literals: [A=x]}]\n"
WITH_COMPONENT = (
    "namespace: shop\nconfigMapGenerator: [{name: checkout-config, literals: [A=x]}]\ncomponents: [../comp]\n"
)

EDITS: dict[str, tuple[Files, ActionProposal, str]] = {
    "quoted": (plain(deployment(APP.replace("128Mi", '"128Mi" # c'))), memory(), FIRST),
    "bytes": (plain(deployment(APP.replace("128Mi", "134217728"))), memory("128Mi", "268435456"), FIRST),
    "tagged": (plain(deployment(APP.replace("128Mi", "!!str 128Mi"))), memory(), FIRST),
    "anchor that nobody uses": (plain(deployment(APP.replace("128Mi", "&m 128Mi"))), memory(), FIRST),
    "own key beside a merge key": (
        plain(deployment(SIDE + SMALL + APP.replace("memory: 128Mi", "<<: *l\n              memory: 128Mi"))),
        memory(), FIRST,
    ),
    "byte order mark and crlf": (plain("\ufeff" + deployment().replace("\n", "\r\n")), memory(), FIRST),
    "no final line break": (plain(deployment().rstrip()), memory(), FIRST),
    "flow over several lines": (
        plain(deployment(IN_BRACES)),
        memory(), FIRST,
    ),
    "value on the next line": (plain(deployment(ON_THE_NEXT_LINE)), memory(), FIRST),
    "folded block": (plain(deployment(APP.replace("memory: 128Mi", "memory: >-\n                128Mi"))), memory(), FIRST),
    "init container of the same name": (
        plain(deployment(APP, "      initContainers:\n" + APP.replace("128Mi", "64Mi"))), memory(), FIRST,
    ),
    "null": (plain(deployment(APP.replace("128Mi", "~ # to do"))), memory(None), FIRST),
    "no limits": (plain(deployment(APP.replace("limits:\n              memory: 128Mi", "limits:"))), memory(None), FIRST),
    "no resources, no final line break": (plain(deployment("        - name: app\n          image: x")), memory(None), FIRST),
    "patch file": (overlay("patches: [{path: p.yaml}]\n", p__yaml=PATCH), memory("200Mi"), FIRST),
    "patch in the kustomization": (overlay(f"patches:\n  - patch: |-\n{INLINE}"), memory("200Mi"), FIRST),
    "patch in quotes": (overlay("patches:\n  - patch: \"" + PATCH.replace("\n", "\\n") + '"\n'), memory("200Mi"), FIRST),
    "two patches": (
        overlay("patches: [{path: p.yaml},{path: q.yaml}]\n", p__yaml=PATCH, q__yaml=PATCH.replace("200Mi", "300Mi")),
        memory("300Mi"), FIRST,
    ),
    "patch that replaces the list": (
        overlay("patches: [{path: p.yaml}]\n", p__yaml=ALL_NEW),
        memory("200Mi"), FIRST,
    ),
    "json patch": (overlay(TO_ALL, p__yaml=REPLACE), memory("200Mi"), FIRST),
    "json patch of what holds it": (overlay(TO_ALL, p__yaml=SETS_ALL), memory("200Mi"), FIRST),
    "json patch that adds at the end": (overlay(TO_ALL, p__yaml=INSERTS_LAST), memory(), FIRST),
    "json patch of another group": (
        overlay("patches: [{path: p.yaml, target: {group: batch, kind: Deployment}}]\n", p__yaml=REPLACE), memory(), FIRST,
    ),
    "component": (
        {**overlay("components: [../comp]\n"), "comp/p.yaml": PATCH,
         "comp/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: [{path: p.yaml}]\n"},
        memory("200Mi"), FIRST,
    ),
    "component over a manifest of its own": (
        {"app/d.yaml": deployment().replace("  namespace: shop\n", ""), "comp/p.yaml": SAYS_128,
         "app/kustomization.yaml": "namespace: shop\nresources: [d.yaml]\ncomponents: [../comp]\n",
         "comp/kustomization.yaml": COMPONENT + "patches: [{path: p.yaml}]\n"},
        memory(), FIRST,
    ),
    "component over a generator of its own": (
        {"app/kustomization.yaml": WITH_COMPONENT,
         "comp/kustomization.yaml": COMPONENT + "patches:\n- target: {kind: ConfigMap}\n  patch: |-\n    - op: replace\n"
                                    "      path: /data/A\n      value: x\n"},
        config("A", "x", "y"), "data.A",
    ),
    "component that merges": (
        {"app/kustomization.yaml": WITH_COMPONENT,
         "comp/kustomization.yaml": COMPONENT + MERGES},
        config("A", "x", "y"), "data.A",
    ),
    "json patch of the old key after a patch of the new one": (
        overlay(JSON_6902 + "patches: [{path: p.yaml}]\n", p__yaml=SAYS_128, j__yaml=COUNTS), memory(), FIRST,
    ),
    "json patch beside a patch of the same containers": (overlay(BOTH, p__yaml=SAYS_128, j__yaml=COUNTS), memory(), FIRST),
    "images": (overlay('images: [{name: reg/checkout, newTag: "1.5"}]\n'), image("reg/checkout:1.5", "reg/checkout:1.4"), IMAGE),
    "images over a patch": (
        overlay('images: [{name: reg/checkout, newTag: "3"}]\npatches: [{path: p.yaml}]\n',
                p__yaml=PATCH.replace("resources: {limits: {memory: 200Mi}}", "image: reg/checkout:7")),
        image("reg/checkout:3", "reg/checkout:2"), IMAGE,
    ),
    "images in base and overlay": (
        {**overlay("images:\n- name: reg/checkout\n  newTag: v3\n"),
         "base/kustomization.yaml": "resources: [d.yaml]\nimages: [{name: reg/checkout, newTag: v2}]\n"},
        image("reg/checkout:v3", "reg/checkout:1.0"), IMAGE,
    ),
    "block scalar with tabs": (
        plain(config_map(MANY_LINES)), config("A", "# c\na:\tb\n\tc=1\n", "# c\na:\tb\n\tc=2\n"), "data.A",
    ),
    "block scalar, kept, crlf": (
        plain(config_map("data:\n  A: |+\n    a=1\n\n\n  B: x\n").replace("\n", "\r\n")),
        config("A", "a=1\n\n\n", "a=2\n\n\n"), "data.A",
    ),
    "folded and kept": (
        plain(config_map("data:\n  A: >+\n    a\n\n  B: x\n")), config("A", "a\n\n", "b\n\n"), "data.A",
    ),
    "key after a kept block": (plain(config_map("data:\n  B: |+\n    x\n\n")), config("A", None, "on"), "data.A"),
    "odd signs": (plain(config_map("data: {A: x}\n")), config("A", "x", "y\x07\x1b[2J: #"), "data.A"),
    "literal": (generator("  literals:\n  - A=x\n  - B=z # keep\n"), config("A", "x", "y: z"), "data.A"),
    "literal in quotes": (generator("  literals:\n  - A=x\n"), config("A", "x", "'q'"), "data.A"),
    "new literal in quotes": (generator("  literals: [B=1]\n"), config("A", None, '"q"'), "data.A"),
    "literal of several lines": (generator("  literals: [A=x, B=1]\n"), config("A", "x", "1\n2"), "data.A"),
    "generated from a file": (
        generator("  files: [k.conf=f]\n", f="a=1\r\nb=2"), config("k.conf", "a=1\r\nb=2", "a=1\r\nb=3"), "data.k.conf",
    ),
    "generated from an env file": (
        generator("  envs: [e.env]\n", e__env="\ufeffA=x\r\n# c\r\nB=1\r\n"), config("A", "x", "y"), "data.A",
    ),
    "generator that merges": (
        {"base/kustomization.yaml": BASE_GENERATOR,
         "app/kustomization.yaml": OVER_GENERATOR + "  behavior: merge\n  literals: [A=z]\n"},
        config("A", "z", "y"), "data.A",
    ),
    "json patch of a ConfigMap": (
        {"app/c.yaml": config_map("data: {A: x}\n"),
         "app/kustomization.yaml": MORE + "{op: replace, path: /data, value: {A: w}}\n"},
        config("A", "w", "y"), "data.A",
    ),
}  # fmt: skip

REFUSALS: dict[str, tuple[Files, ActionProposal, str]] = {
    "anchor in use": (
        {"app/x.yaml": deployment(APP.replace("128Mi", "&m 128Mi") + "            requests: {memory: *m}\n")}, memory(),
        r"^app/x\.yaml:16: an anchor or alias ties",
    ),
    "alias": (
        {"app/x.yaml": deployment(SIDE + "          resources: {limits: {memory: &m 128Mi}}\n" + APP.replace("128Mi", "*m"))},
        memory(), r"^app/x\.yaml:14: an anchor or alias ties",
    ),
    "merge key": (
        {"app/x.yaml": "x: &l {memory: 128Mi}\n" + deployment(APP.replace("memory: 128Mi", "<<: *l"))}, memory(),
        r"^app/x\.yaml:17: 'memory' comes through a YAML merge key",
    ),
    "key twice": (
        {"app/x.yaml": deployment(APP + "            limits: {cpu: 1}\n")}, memory(),
        r"^app/x\.yaml:17: the key 'limits' is there twice",
    ),
    "container twice": ({"app/x.yaml": deployment(APP + APP)}, memory(), r"^app/x\.yaml:17: 'app' is there twice"),
    "key twice in a patch in the kustomization": (
        overlay(f"patches:\n  - patch: |-\n{INLINE}                name: app\n"), memory("200Mi"),
        r"^app/kustomization\.yaml:4, line of the patch:\d+: the key 'name' is there twice",
    ),
    "two overlays in one folder": (
        {"app/prod/d.yaml": deployment(), "app/dev/d.yaml": deployment()}, memory(), r"app/dev/d\.yaml:1, app/prod/d\.yaml:1",
    ),
    "template": ({"app/x.yaml": deployment(APP.replace("128Mi", "{{ .Values.memory }}"))}, memory(), r"^app/x\.yaml:16: "),
    "another API's Deployment": ({"app/x.yaml": deployment().replace("apps/v1", "example.com/v1")}, memory(), "cannot locate"),
    "patch that deletes": (
        overlay("patches: [{path: p.yaml}]\n", p__yaml=PATCH.replace("resources: {limits: {memory: 200Mi}}", "$patch: delete")),
        memory(), r"^app/p\.yaml:9: this patch takes",
    ),
    "patch with null": (
        overlay("patches: [{path: p.yaml}]\n", p__yaml=PATCH.replace("{memory: 200Mi}", "null")), memory(None),
        r"^app/p\.yaml:9: this patch takes limits\.memory away",
    ),
    "json patch that shifts": (overlay(TO_ALL, p__yaml=INSERTS_FIRST), memory(), r"^app/p\.yaml:1: .*positions of the list"),
    "json patch that counts what a patch adds": (
        overlay(BOTH, p__yaml=BESIDE, j__yaml=COUNTS), memory(),
        r"^app/j\.yaml:1: this JSON patch counts containers, and app/p\.yaml:8 changes which there are",
    ),
    "json patch that counts what a patch takes away": (
        {**overlay(BOTH, p__yaml=BESIDE.replace("image: x", "$patch: delete"), j__yaml=COUNTS),
         "base/d.yaml": deployment(SIDE + APP).replace("  namespace: shop\n", "")},
        memory(), r"^app/j\.yaml:1: this JSON patch counts containers, and app/p\.yaml:8",
    ),
    "json patch that counts what a base's patch adds": (
        {**overlay("patches: [{path: j.yaml, target: {kind: Deployment}}]\n", j__yaml=COUNTS), "base/b.yaml": BESIDE,
         "base/kustomization.yaml": "resources: [d.yaml]\npatches: [{path: b.yaml}]\n"},
        memory(), r"^app/j\.yaml:1: this JSON patch counts containers, and base/b\.yaml:8",
    ),
    "layers that build on each other crosswise": (
        {f"{name}{n}/kustomization.yaml": f"resources: [../a{n + 1}, ../b{n + 1}]\n" for n in range(18) for name in "ab"}
        | {"app/kustomization.yaml": "resources: [../a0]\n", "a18/x.yaml": deployment(), "b18/x.yaml": deployment()},
        memory(), "^app: builds on more than 500 others",
    ),
    "json patch that tests": (
        overlay(TO_ALL, p__yaml=REPLACE.replace("op: replace", "op: test").replace("200", "128")), memory(),
        r"^app/p\.yaml:1: .*would break the patch",
    ),
    "json patch that removes": (
        overlay(TO_ALL, p__yaml=REPLACE.replace("op: replace", "op: remove").replace("  value: 200Mi\n", "")), memory(None),
        r"^app/p\.yaml:1: .*takes the value away",
    ),
    "json patch that copies": (
        overlay(TO_ALL, p__yaml=REPLACE.replace("op: replace", "op: copy\n  from: /spec/x").replace("  value: 200Mi\n", "")),
        memory(), r"^app/p\.yaml:1: .*from another place",
    ),
    "json patch for some labels": (
        overlay("patches: [{path: p.yaml, target: {labelSelector: a=b}}]\n", p__yaml=REPLACE), memory("200Mi"),
        r"^app/p\.yaml:3: this patch selects by labelSelector",
    ),
    "replacement": (
        {**plain(config_map("data: {A: x}\n")),
         "app/kustomization.yaml": "resources: [x.yaml]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: metadata.name}\n"
                                   "  targets:\n  - select: {kind: ConfigMap}\n    fieldPaths: [data.A]\n"},
        config("A", "x", "y"), r"^app/kustomization\.yaml:6: a replacement may set this field",
    ),
    "replacement in a file": (
        {**plain(config_map("data: {A: x}\n")), "app/kustomization.yaml": "resources: [x.yaml]\nreplacements: [{path: r.yaml}]\n",
         "app/r.yaml": "source: {kind: ConfigMap, fieldPath: metadata.name}\ntargets: [{select: {}, fieldPaths: [data.A]}]\n"},
        config("A", "x", "y"), r"^app/r\.yaml:2: a replacement may set this field",
    ),
    "binary": ({"app/x.yaml": config_map("binaryData:\n  A: eHg=\n")}, config("A", "x", "y"), r"^app/x\.yaml:7: 'A' is binary"),
    "immutable": (
        {"app/x.yaml": config_map("data: {A: x}\nimmutable: true\n")}, config("A", "x", "y"),
        r"^app/x\.yaml:7: the ConfigMap is immutable",
    ),
    "generator that replaces": (
        {"base/kustomization.yaml": BASE_GENERATOR,
         "app/kustomization.yaml": OVER_GENERATOR + "  behavior: replace\n  literals: [C=z]\n"},
        config("A", "x", "y"), "Git has not",
    ),
    "missing patch file": (
        overlay("patches:\n- path: gone.yaml\n"), memory(),
        r"^app/kustomization\.yaml:4: the patch 'gone\.yaml' is not in the repository",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def kubectl() -> Path:
    parts = Parts.find()
    if reason := parts.why_missing(["control-plane"]):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"genuine part missing: {reason}")
    return parts.path("control-plane", "kubectl")


def rendered(kubectl: Path, folder: Path, files: Mapping[str, str]) -> dict[str, Any]:
    """Field → value of everything that Kustomize renders, hashes of generated names left out."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    command = [str(kubectl), "kustomize", "--load-restrictor=LoadRestrictionsNone", str(folder / "app")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder, env={"HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = {}
    for item in yaml.safe_load_all(done.stdout):
        item["metadata"]["name"] = GENERATED.sub("", item["metadata"]["name"])
        found |= {f"{item['kind']}/{item['metadata']['name']} {path}": value for path, value in _fields(item)}
    return found


def _fields(item: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(item, dict):
        return [found for key, value in item.items() for found in _fields(value, f"{path}.{key}".strip("."))]
    if isinstance(item, list):
        named = [(str(v.get("name", n)) if isinstance(v, dict) else str(n), v) for n, v in enumerate(item)]
        return [found for key, value in named for found in _fields(value, f"{path}.{key}")]
    return [(path, item)]


@pytest.mark.genuine
@pytest.mark.parametrize("name", EDITS)
def test_only_the_wanted_value_differs(name: str, kubectl: Path, tmp_path: Path) -> None:
    files, action, field = EDITS[name]
    before = rendered(kubectl, tmp_path / "before", files)
    edit = plan_edit(files, action, "app")
    after = rendered(kubectl, tmp_path / "after", {**files, **{c.path: c.after for c in edit.files}})
    differs = {key: after.get(key) for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    wanted = f"{action.target.kind}/{action.target.name} {field}"
    assert {key: str(value) for key, value in differs.items() if value is not None} == {wanted: action.parameters["to"]}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_can_not_be_edited_safely_is_refused_with_its_place(name: str) -> None:
    files, action, words = REFUSALS[name]
    with pytest.raises((BadInput, Conflict, NotFound), match=words):
        plan_edit(files, action, "app")
