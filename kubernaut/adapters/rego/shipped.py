"""The policies that come with the program: from the wheel when installed, from the repository in a work tree."""

from importlib import resources
from pathlib import Path

from kubernaut.domain.errors import NotFound


def shipped_policies() -> Path:
    """The directory of the shipped policies.

    Raises:
        NotFound: the installation lacks them.
    """
    package = Path(str(resources.files("kubernaut")))
    for candidate in (package / "_policies", package.parent / "policies"):
        if (candidate / "approval.rego").is_file():
            return candidate
    raise NotFound(f"the shipped policies are missing beside {package}: install again, or name a directory of your own")
