"""API v1 on the Unix socket, as docs/api.md tells."""
