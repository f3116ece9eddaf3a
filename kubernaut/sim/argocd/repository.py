"""Reads manifests out of Git at a revision, without a working tree."""

import asyncio
import contextlib
import io
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from kubernaut.domain.errors import NotFound, Permanent, Temporary
from kubernaut.sim.client import Json

GIT_S = 30.0


class Repositories:
    """Mirrors of the repositories that Applications name.

    Args:
        cache: a folder for the mirrors.
        places: where to fetch from for a repoURL, if not from the URL itself.
    """

    def __init__(self, cache: Path, places: Mapping[str, Path]) -> None:
        self._cache, self._places = cache, places
        self._locks: dict[str, asyncio.Lock] = {}
        self._trees: dict[tuple[str, str], dict[str, str]] = {}

    async def resolve(self, url: str, revision: str) -> str:
        """Fetches, and returns the commit that a branch, tag or commit means now.

        Raises:
            NotFound: there is no such revision.
            Temporary: the repository can't be reached.
        """
        async with self._locks.setdefault(url, asyncio.Lock()):
            mirror = self._mirror(url)
            if not mirror.exists():
                self._cache.mkdir(parents=True, exist_ok=True)
                await _git("clone", "--quiet", "--mirror", self._origin(url), str(mirror))
            else:
                await _git("-C", str(mirror), "fetch", "--quiet", "--prune", "origin")
        try:
            wanted = f"{revision or 'HEAD'}^{{commit}}"
            return (await _git("-C", str(mirror), "rev-parse", "--verify", "--quiet", wanted)).decode().strip()
        except Temporary as e:
            raise NotFound(f"unable to resolve '{revision}' to a commit SHA") from e

    async def manifests(self, url: str, commit: str, path: str) -> tuple[str, list[Json]]:
        """The objects in a folder and the kind of source: `Directory`, or `Kustomize` with a `resources` list.

        Raises:
            NotFound: the folder is not there.
            Permanent: what is there can't be read as manifests.
        """
        key = (url, commit)
        if key not in self._trees:
            packed = await _git("-C", str(self._mirror(url)), "archive", "--format=tar", commit)
            if len(self._trees) > 64:
                self._trees.clear()
            self._trees[key] = dict(_unpack(packed))
        tree, folder = self._trees[key], posixpath.normpath(path)
        if not any(name.startswith(f"{folder}/") or folder == "." for name in tree):
            raise NotFound(f"{path}: app path does not exist")
        kustomized = any(f"{folder}/{name}" in tree for name in _KUSTOMIZATIONS)
        try:
            return "Kustomize" if kustomized else "Directory", list(_objects(tree, folder))
        except (yaml.YAMLError, KeyError, TypeError) as e:
            raise Permanent(f"{path}: failed to unmarshal manifest: {e}") from e

    def _mirror(self, url: str) -> Path:
        return self._cache / (url.replace("/", "_").replace(":", "_") + ".git")

    def _origin(self, url: str) -> str:
        return str(self._places.get(url, url))


_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _objects(tree: Mapping[str, str], folder: str) -> Iterator[Json]:
    listed = next((tree[name] for name in (f"{folder}/{k}" for k in _KUSTOMIZATIONS) if name in tree), None)
    if listed is None:
        for name in sorted(tree):
            if posixpath.dirname(name) == folder and name.endswith((".yaml", ".yml", ".json")):
                yield from _documents(tree[name])
        return
    for resource in yaml.safe_load(listed)["resources"]:
        target = posixpath.normpath(posixpath.join(folder, resource))
        yield from _documents(tree[target]) if target in tree else _objects(tree, target)


def _documents(text: str) -> Iterator[Json]:
    for document in yaml.safe_load_all(text):
        if document is None:
            continue
        if document["kind"].endswith("List") and "items" in document:
            yield from document["items"]
        else:
            yield document


def _unpack(packed: bytes) -> Iterator[tuple[str, str]]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content.read().decode(errors="replace")


async def _git(*arguments: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "git",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(GIT_S):
            out, err = await process.communicate()
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise Temporary(f"git {arguments[0]}: {err.decode(errors='replace').strip()}")
    return out
