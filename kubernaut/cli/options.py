"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .api import ApiClient, find_socket

F = TypeVar("F", bound=Callable[..., Any])


def composed(*parts: Callable[[Any], Any]) -> Callable[[F], F]:
    """Several arguments and options as one, in the order in which `--help` tells them."""

    def decorate(function: F) -> F:
        for part in reversed(parts):
            function = part(function)
        return function

    return decorate


def socket_option(function: F) -> F:
    """`--socket`, as `client: ApiClient`."""
    return click.option(
        "--socket", "client", type=click.Path(path_type=Path), metavar="PATH",
        callback=lambda _ctx, _param, value: ApiClient(find_socket(value)),
        help="The daemon's Unix socket [default: KUBERNAUT_API__SOCKET, that of KUBERNAUT_CONFIG or KUBERNAUT_STATE_DIR, or the "
        "first there is of state/kubernaut.sock, config/state/kubernaut.sock and /run/kubernaut/kubernaut.sock].",
    )(function)  # fmt: skip


class _Output(click.Choice[str]):
    """The ways to print; `text` is what people call a table that is a sentence."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        word = "table" if value == "text" and "text" not in self.choices else value
        return super().convert(word, param, ctx)


def output_option(*choices: str) -> Callable[[F], F]:
    """`-o`, the first choice is the default; table, wide, json and yaml where nothing else is said.

    Where there is nothing more to show, `wide` is the table.
    """
    words = choices or ("table", "wide", "json", "yaml")

    def decorate(function: F) -> F:
        return click.option(
            "-o", "--output", type=_Output(words), default=words[0], show_default=True, help="How to print."
        )(function)

    return decorate
