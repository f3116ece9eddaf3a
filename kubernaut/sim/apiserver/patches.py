"""JSON patch, merge patch and strategic merge patch as pure functions from an object and a patch to a new object."""

from __future__ import annotations

from typing import Any

from kubernaut.sim.apiserver.schema import ANY, LIST_KEYS, PATCH_ONLY_KEYS, SET, Type, clone, members
from kubernaut.sim.apiserver.status import Json, StatusError, bad_request


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return clone(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


class PatchFailedError(ValueError):
    """A JSON patch operation can't be applied; the server answers 422."""


def json_patch(target: Json, operations: Any) -> Json:
    """RFC 6902.

    Raises:
        StatusError: 400 for a malformed patch, 422 when an operation can't be applied.
    """
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    document: Any = clone(target)
    for operation in operations:
        try:
            document = _operate(document, operation)
        except (PatchFailedError, KeyError, IndexError) as error:
            text = "the server rejected our request due to an error in our request"
            raise StatusError(422, "Invalid", text, {}) from error
    if not isinstance(document, dict):
        raise bad_request("the patch leaves no object")
    return document


def _pointer(path: str) -> list[str]:
    if path == "":
        return []
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _locate(document: Any, parts: list[str]) -> Any:
    for part in parts:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _operate(document: Any, operation: Json) -> Any:
    action, path = operation.get("op"), _pointer(operation.get("path", ""))
    if action == "test":
        held = _locate(document, path)
        if held != operation.get("value"):
            raise PatchFailedError(f"testing value {operation.get('path')} failed")
        return document
    if action in ("move", "copy"):
        source = _pointer(operation.get("from", ""))
        value = clone(_locate(document, source))
        if action == "move":
            _remove(document, source)
        return _add(document, path, value)
    if action == "remove":
        _remove(document, path)
        return document
    if action == "replace":
        _locate(document, path)
        if path and isinstance(_locate(document, path[:-1]), list):
            _locate(document, path[:-1])[int(path[-1])] = clone(operation.get("value"))
            return document
        return _add(document, path, clone(operation.get("value")))
    if action == "add":
        return _add(document, path, clone(operation.get("value")))
    raise PatchFailedError(f"Unexpected kind: {action}")


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _locate(document, path[:-1])
    if isinstance(parent, list):
        if path[-1] == "-":
            parent.append(value)
        else:
            index = int(path[-1])
            if index > len(parent):
                raise PatchFailedError(f"Unable to access invalid index: {index}")
            parent.insert(index, value)
    elif isinstance(parent, dict):
        parent[path[-1]] = value
    else:
        raise PatchFailedError("add operation does not apply: doc is missing path")
    return document


def _remove(document: Any, path: list[str]) -> None:
    parent = _locate(document, path[:-1])
    if isinstance(parent, list):
        del parent[int(path[-1])]
    elif path[-1] in parent:
        del parent[path[-1]]
    else:
        raise PatchFailedError(f"remove operation does not apply: doc is missing key: /{'/'.join(path)}: missing value")


def strategic(target: Any, patch: Json, kind: Type) -> Any:
    """Strategic merge: lists with a merge key merge item by item, directives delete, replace and order.

    Source: k8s.io/apimachinery/pkg/util/strategicpatch
    """
    directive = patch.get("$patch")
    if directive == "replace":
        return {key: clone(value) for key, value in patch.items() if key != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result: Json = dict(target) if isinstance(target, dict) else {}
    kept = patch.get("$retainKeys")
    if isinstance(kept, list):
        result = {key: value for key, value in result.items() if key in kept}
    fields = members(kind.model) if kind.name == "model" else {}
    for key, value in patch.items():
        if key in ("$patch", "$retainKeys") or key.startswith("$setElementOrder/"):
            continue
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.split("/", 1)[1]
            result[name] = [item for item in result.get(name) or [] if item not in value]
            continue
        member = fields.get(key) or (kind.item if kind.name == "map" and kind.item else ANY)
        _strategic_member(result, key, value, kind, member)
    for key, order in patch.items():
        if key.startswith("$setElementOrder/"):
            _reorder(result, key.split("/", 1)[1], order, kind)
    return result


def _strategic_member(result: Json, key: str, value: Any, parent: Type, member: Type) -> None:
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        merged = strategic(result.get(key), value, member)
        if value.get("$patch") == "delete":
            result.pop(key, None)
        else:
            result[key] = merged
    elif isinstance(value, list):
        result[key] = _strategic_list(result.get(key) or [], value, parent, key, member)
    else:
        result[key] = value


def merge_key(parent: Type, key: str) -> str:
    """The merge key of a list for patches; SET for lists of scalars that merge, empty for those replaced."""
    keys = LIST_KEYS.get((parent.model, key))
    return keys[0] if keys else PATCH_ONLY_KEYS.get((parent.model, key), "")


def _strategic_list(held: list[Any], patch: list[Any], parent: Type, key: str, member: Type) -> list[Any]:
    name = merge_key(parent, key)
    if not name:
        return [clone(item) for item in patch if not (isinstance(item, dict) and "$patch" in item)]
    if name == SET:
        return held + [item for item in patch if item not in held]
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [clone(item) for item in patch if item.get("$patch") != "replace"]
    item_type = member.item or ANY
    result = list(held)
    for item in patch:
        if not isinstance(item, dict):
            raise bad_request(f"map: {item} does not contain declared merge key: {name}")
        if name not in item:
            raise bad_request(f"map: {item} does not contain declared merge key: {name}")
        index = next((at for at, one in enumerate(result) if one.get(name) == item[name]), None)
        if item.get("$patch") == "delete":
            if index is not None:
                del result[index]
        elif index is None:
            result.append(strategic({}, item, item_type))
        else:
            result[index] = strategic(result[index], item, item_type)
    return result


def _reorder(result: Json, key: str, order: list[Any], parent: Type) -> None:
    """Put listed items in the given order; unlisted ones follow where they were."""
    items = result.get(key)
    name = merge_key(parent, key)
    if not isinstance(items, list) or not name:
        return

    def identity(item: Any) -> Any:
        return item.get(name) if isinstance(item, dict) else item

    ranks = {identity(item): rank for rank, item in enumerate(order)}
    listed = sorted((item for item in items if identity(item) in ranks), key=lambda item: ranks[identity(item)])
    result[key] = listed + [item for item in items if identity(item) not in ranks]
