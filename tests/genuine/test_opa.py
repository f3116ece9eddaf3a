"""Genuine OPA checks, tests and decides."""

from pathlib import Path

import pytest

from kubernaut.domain.errors import Permanent
from kubernaut.lab.parts import Opa

pytestmark = pytest.mark.genuine

_POLICY = """package example

default allow := false

allow if input.risk == "low"
"""
_TEST = """package example_test

import data.example

test_low_is_allowed if example.allow with input as {"risk": "low"}
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    (tmp_path / "example.rego").write_text(_POLICY)
    (tmp_path / "example_test.rego").write_text(_TEST)
    return tmp_path


async def test_checks_and_tests_policies(opa: Opa, policies: Path) -> None:
    await opa.check(policies)
    assert "PASS: 1/1" in await opa.test(policies)


async def test_says_what_is_wrong_with_a_policy(opa: Opa, tmp_path: Path) -> None:
    (tmp_path / "broken.rego").write_text("package example\n\nallow if {\n")
    with pytest.raises(Permanent, match="rego_parse_error"):
        await opa.check(tmp_path)


async def test_command_and_server_decide_alike(opa: Opa, policies: Path) -> None:
    async with Opa(opa.parts, [policies]) as server:
        for risk in ("low", "high"):
            question = {"risk": risk}
            by_command = await opa.eval("data.example.allow", data=[policies], input=question)
            assert by_command == await server.decide("example/allow", question) == (risk == "low")
        assert await server.decide("example/nothing", {}) is None
