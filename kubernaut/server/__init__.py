"""The daemon's doors: webhooks over TCP for machines, the API over a Unix socket for people."""
