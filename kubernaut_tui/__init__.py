"""The operator console: a terminal view of the daemon's API, nothing more."""
