"""The webhooks: signals come in over TCP with a bearer token; health, readiness and metrics go out."""
