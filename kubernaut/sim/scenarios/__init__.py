"""Incidents from beginning to end: what runs, what breaks it, what the alert says, what heals it."""

from kubernaut.sim.scenarios.scenario import Alert, Commit, Scenario
from kubernaut.sim.scenarios.view import View

__all__ = ["Alert", "Commit", "Scenario", "View", "all_scenarios", "scenario"]


def all_scenarios() -> tuple[Scenario, ...]:
    """Every scenario that exists, by number."""
    from kubernaut.sim.scenarios import (
        bad_configuration,
        bad_image,
        failing_disk,
        flaky_node,
        memory_limit,
        stale_pods,
        wedged_pod,
    )

    modules = (memory_limit, stale_pods, flaky_node, wedged_pod, bad_image, bad_configuration, failing_disk)
    return tuple(sorted((module.SCENARIO for module in modules), key=lambda each: each.number))


def scenario(number: int) -> Scenario:
    """The scenario of that number.

    Raises:
        BadInput: there is none; the message lists those that exist.
    """
    from kubernaut.domain.errors import BadInput

    found = {each.number: each for each in all_scenarios()}
    if number not in found:
        raise BadInput(f"there is no scenario {number}; there are {', '.join(map(str, found))}", field="scenario")
    return found[number]
