"""Which images can be pulled."""

from collections.abc import Iterable, Mapping


class Registry:
    """Knows the tags of some repositories; of every other repository each tag exists.

    Args:
        tags: repository, as `registry.example/shop/checkout`, to its tags.
    """

    def __init__(self, tags: Mapping[str, Iterable[str]] | None = None) -> None:
        self._tags: dict[str, set[str]] = {repository: set(known) for repository, known in (tags or {}).items()}

    def publish(self, image: str) -> None:
        """Adds a tag, and from then on only tags that were added exist in its repository."""
        repository, tag = split(image)
        self._tags.setdefault(repository, set()).add(tag)

    def has(self, image: str) -> bool:
        """Whether the image can be pulled."""
        repository, tag = split(image)
        return repository not in self._tags or tag in self._tags[repository]


def split(image: str) -> tuple[str, str]:
    """(repository, tag); the tag is `latest` when none is given, and a digest counts as tag."""
    if "@" in image:
        repository, _, digest = image.partition("@")
        return repository, digest
    folder, slash, name = image.rpartition("/")
    base, _, tag = name.partition(":")
    return f"{folder}{slash}{base}", tag or "latest"
