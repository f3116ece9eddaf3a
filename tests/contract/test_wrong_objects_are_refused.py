"""Objects with one thing wrong: refused for it, field by field, or taken where the genuine server takes them.

`wrong_objects.json` has an object a line, and what the genuine server said of it.
"""

import json
from pathlib import Path
from typing import Any

from .raw import CONFIG, Cluster, config

_CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("wrong_objects.json").read_text("utf-8"))


async def test_each_is_refused_for_what_is_wrong_with_it(cluster: Cluster) -> None:
    assert len(_CASES) > 100
    different = []
    for case in _CASES:
        answer = await cluster.post(case["path"], case["body"], dryRun="All")
        said = [[cause["field"], cause["reason"]] for cause in answer.causes]
        if (answer.code, said) != (case["code"], case["causes"]):
            different.append((case["name"], answer.code, said, case["code"], case["causes"]))
    assert different == []


async def test_a_map_holds_no_more_than_a_mebibyte(cluster: Cluster) -> None:
    answer = await cluster.post(CONFIG, config("large", a="x" * (1024 * 1024 + 1)))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert answer.causes[0]["reason"] == "FieldValueTooLong"
