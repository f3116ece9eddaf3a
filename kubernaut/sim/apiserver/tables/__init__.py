"""Tables are what `kubectl get` prints: the server chooses columns and cells, the client only aligns them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kubernaut.sim.apiserver.resources import Resource
from kubernaut.sim.apiserver.status import Json
from kubernaut.sim.apiserver.tables.cells import AGE, NAME, Column, at
from kubernaut.sim.apiserver.tables.cluster import CLUSTER
from kubernaut.sim.apiserver.tables.custom import custom_columns
from kubernaut.sim.apiserver.tables.workloads import WORKLOADS

_PLAIN = (NAME, AGE)
SCALE = (
    NAME,
    Column("Desired", at("spec.replicas", 0), type="integer"),
    Column("Available", at("status.replicas", 0), type="integer"),
    AGE,
)
_BY_BUCKET = WORKLOADS | CLUSTER


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """The columns of a kind, those for -o wide included."""
    if resource.custom is not None:
        return custom_columns(resource)
    return _BY_BUCKET.get(resource.bucket, _PLAIN)


def definitions(columns: tuple[Column, ...]) -> list[Json]:
    return [column.definition() for column in columns]


def row(columns: tuple[Column, ...], obj: Json, now: datetime, include: str) -> Json:
    """One object's cells, with as much of the object as the client asked for."""
    cells: list[Any] = [column.cell(obj, now) for column in columns]
    found: Json = {"cells": cells}
    if include == "None":
        found["object"] = None
    elif include == "Object":
        found["object"] = obj
    else:
        found["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": obj["metadata"],
        }
    return found


def table(
    columns: tuple[Column, ...],
    objects: list[Json],
    now: datetime,
    include: str,
    metadata: Json,
    *,
    header: bool = True,
) -> Json:
    """A Table of objects; watches send the column definitions with their first event only."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions(columns) if header else None,
        "rows": [row(columns, obj, now, include) for obj in objects],
    }
