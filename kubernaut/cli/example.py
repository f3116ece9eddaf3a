"""A configuration file with every key, its default and a sentence, written from the model so that it can't be behind."""

import textwrap
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from kubernaut.settings import Settings

_WIDTH = 100
_HEAD = """\
# The configuration of `kubernaut daemon`, with every key at its default. What is commented out has no default.
# Relative paths are relative to this file. Each key can be overridden by KUBERNAUT_SECTION__KEY in the environment;
# lists and mappings are given there as JSON. `kubernaut config check` tells what is wrong, `kubernaut config show`
# what is in force. docs/configuration.md tells more.
"""
_SAMPLES: dict[str, Any] = {
    "gateway.tokens_file": "tokens.txt",
    "api.socket": "/run/kubernaut/kubernaut.sock",
    "api.group": "sre",
    "policies.dir": "policies",
    "policies.settings": {"confidence": {"alone_above": 0.95}},
    "forge.root": "/var/lib/kubernaut/forge",
    "forge.repositories": {"https://git.example/platform/shop.git": "shop"},
    "roles.viewer.groups": ["dev"],
    "roles.approver.groups": ["sre"],
    "roles.senior.groups": ["sre-lead"],
    "roles.admin.users": ["root"],
}
"""What stands, commented out, where there is no default."""
_CLUSTER = {
    "name": "prod-eu",
    "kubeconfig": "kubeconfig",
    "context": "prod-eu",
    "labels": {"environment": "production"},
}


def example() -> str:
    """The text of config/kubernaut.yaml."""
    lines = [_HEAD.rstrip()]
    for name, field in Settings.model_fields.items():
        lines += ["", *_entry(name, field, "", 0)]
    return "\n".join(lines) + "\n"


def _entry(name: str, field: FieldInfo, above: str, depth: int) -> list[str]:
    path, indent = f"{above}{name}", "  " * depth
    model = _model(field.annotation)
    if path == "clusters":
        return _clusters()
    if model is None:
        return [*_told(field.description or "", indent), *_value(path, name, field, indent)]
    lines = [*_told(field.description or (model.__doc__ or "").strip(), indent), f"{indent}{name}:"]
    for key, inner in model.model_fields.items():
        lines += _entry(key, inner, f"{path}.", depth + 1)
    return lines


def _clusters() -> list[str]:
    cluster = _model(Settings.model_fields["clusters"].annotation)
    assert cluster is not None  # noqa: S101 - the model is written down above
    lines = [*_told("The clusters to look after; without one there is nothing to do.", ""), "clusters: []"]
    for number, (key, field) in enumerate(cluster.model_fields.items()):
        lines += _told(field.description or "", "#   ")
        lines.append(f"# {'- ' if number == 0 else '  '}{key}: {_inline(_CLUSTER[key])}")
    return lines


def _value(path: str, name: str, field: FieldInfo, indent: str) -> list[str]:
    default = field.get_default()
    if path in _SAMPLES:
        return [f"{indent}# {name}: {_inline(_SAMPLES[path])}"]
    return [f"{indent}{name}: {_inline(default)}"]


def _inline(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, str | int | float | bool | list | dict):
        value = str(value)
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _told(text: str, indent: str) -> list[str]:
    prefix = indent if indent.startswith("#") else f"{indent}# "
    return textwrap.wrap(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix)


def _model(annotation: Any) -> type[BaseModel] | None:
    """The model behind an annotation, also inside a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, Literal, dict):
        return None
    return next((found for part in get_args(annotation) if (found := _model(part))), None)
