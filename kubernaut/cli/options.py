"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from .api import ApiClient, find_socket

F = TypeVar("F", bound=Callable[..., Any])


def socket_option(function: F) -> F:
    """`--socket`, as `client: ApiClient`."""
    return click.option(
        "--socket", "client", type=click.Path(path_type=Path), metavar="PATH",
        callback=lambda _ctx, _param, value: ApiClient(find_socket(value)),
        help="The daemon's Unix socket [default: KUBERNAUT_API__SOCKET, state/kubernaut.sock, /run/kubernaut/kubernaut.sock].",
    )(function)  # fmt: skip


def output_option(*choices: str) -> Callable[[F], F]:
    """`-o`, the first choice is the default."""

    def decorate(function: F) -> F:
        return click.option(
            "-o", "--output", type=click.Choice(choices), default=choices[0], show_default=True, help="How to print."
        )(function)

    return decorate
