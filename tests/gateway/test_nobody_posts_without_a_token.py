"""Without a token of the file nothing is taken, and the file may change while the daemon runs."""

import os
from pathlib import Path

import pytest

from kubernaut.domain.errors import BadInput
from kubernaut.server.gateway.tokens import Tokens

from .house import TOKEN, House, alert, house, payload


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer wrong-wrong-wrong-wrong", TOKEN,
                                    f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \u00e9\u00e9"])  # fmt: skip
async def test_a_post_without_a_right_token_is_refused(home: House, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with home.web.post(f"{home.url}/v1/alertmanager", json=payload(alert(1)), headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert TOKEN not in await response.text()
    assert await home.all() == []


async def test_the_scheme_is_spelt_in_any_case(home: House) -> None:
    headers = {"Authorization": f"bearer {TOKEN}"}
    async with home.web.post(f"{home.url}/v1/alertmanager", json=payload(alert(1)), headers=headers) as response:
        assert response.status == 200


async def test_without_a_tokens_file_nothing_is_taken(tmp_path: Path) -> None:
    async with house(tmp_path, gateway={"tokens_file": None}) as home:
        status, answer = await home.post(payload(alert(1)))
        assert status == 401
        assert "gateway.tokens_file" in answer["error"]["message"]
        assert await home.all() == []


def test_a_changed_file_takes_effect_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}  # first\n\n# none here\n")
    tokens = Tokens(path)
    assert tokens.accepts(f"Bearer {TOKEN}")
    path.write_text("second-token-second-token\n")
    os.utime(path, ns=(1, 1))
    tokens.refresh()
    assert tokens.accepts("Bearer second-token-second-token")
    assert not tokens.accepts(f"Bearer {TOKEN}")
    path.write_text("short\n")
    with pytest.raises(BadInput, match=r"tokens:1.*at least 16"):
        tokens.refresh()
    assert tokens.accepts("Bearer second-token-second-token")
    path.unlink()
    with pytest.raises(BadInput, match="can't read the tokens"):
        tokens.refresh()
    assert tokens.accepts("Bearer second-token-second-token")


def test_a_pipe_is_no_tokens_file(tmp_path: Path) -> None:
    """It would be read once, and hold up the daemon at the second look."""
    path = tmp_path / "tokens"
    os.mkfifo(path)
    with pytest.raises(BadInput, match="is not a file"):
        Tokens(path)
    with pytest.raises(BadInput, match="is not a file"):
        Tokens(tmp_path)


def test_comments_and_blank_lines_are_no_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# a comment that is long enough\n\n")
    tokens = Tokens(path)
    for header in ("Bearer # a comment that is long enough", "Bearer ", "Bearer a comment that is long enough"):
        assert not tokens.accepts(header)


def test_a_token_may_hold_a_number_sign_and_an_editor_may_mark_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tokens.txt"
    path.write_text("\ufeff0123456789abcdef#ghi\t# whose it is\n", "utf-8")
    tokens = Tokens(path)
    assert tokens.accepts("Bearer 0123456789abcdef#ghi")
    assert not tokens.accepts("Bearer 0123456789abcdef"), "that is a part of it"
