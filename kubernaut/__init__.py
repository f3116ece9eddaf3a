"""Hybrid remediation for Kubernetes: mitigate now, fix for good by pull request."""

__version__ = "0.1.0"
