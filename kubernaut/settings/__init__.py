"""The configuration: one model, read from a YAML file, each key overridable by `KUBERNAUT_SECTION__KEY`."""

from .file import load, places
from .model import Settings

__all__ = ["Settings", "load", "places"]
