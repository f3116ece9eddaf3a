"""The catalogue of actions: each module declares a family; `CATALOGUE` finds them by name."""
