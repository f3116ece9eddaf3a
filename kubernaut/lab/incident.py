"""One incident from alert to end in a world, and what is told of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubernaut.domain.errors import Permanent
from kubernaut.sim.scenarios import Scenario

from .engineer import Engineer
from .house import Client, Daemon
from .scene import Tell
from .world import Stage

_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a scenario went.

    Args:
        remediation: the API's JSON of the remediation that acted.
        remediations: how many were opened; more than one means that one failure was taken for two.
        healthy, mended: whether the world says that symptom and cause are gone.
    """

    scenario: Scenario
    remediation: dict[str, Any]
    healthy: bool
    mended: bool
    acts: tuple[str, ...]
    remediations: int = 1

    def document(self) -> dict[str, Any]:
        """The line that `--json` prints."""
        tracks = {track["kind"]: track["phase"] for track in self.remediation["tracks"]}
        return {
            "scenario": self.scenario.number,
            "title": self.scenario.title,
            "pattern": self.remediation["pattern"],
            "expected_pattern": self.scenario.pattern,
            "outcome": self.remediation["phase"],
            "story": self.remediation["story"],
            "tracks": {"imperative": tracks.get("imperative"), "gitops": tracks.get("gitops")},
            "signal_to_mutation_s": signal_to_mutation_s(self.remediation),
            "remediations": self.remediations,
            "healthy": self.healthy,
            "mended": self.mended,
            "engineer": list(self.acts),
        }

    @property
    def as_expected(self) -> bool:
        """Whether it ended well and the way the scenario says."""
        same = self.remediation["pattern"] == self.scenario.pattern
        well = self.remediation["phase"] == "Completed" and self.healthy and self.mended
        return same and well and self.remediations == 1


def unended(scenario: Scenario, reason: str) -> dict[str, Any]:
    """The line that `--json` prints of an incident that did not end."""
    return {
        "scenario": scenario.number,
        "title": scenario.title,
        "pattern": None,
        "expected_pattern": scenario.pattern,
        "outcome": "NotEnded",
        "story": reason,
        "tracks": {"imperative": None, "gitops": None},
        "signal_to_mutation_s": None,
        "remediations": 0,
        "healthy": False,
        "mended": False,
        "engineer": [],
    }


def signal_to_mutation_s(remediation: dict[str, Any]) -> float | None:
    """Seconds from the first signal to the first write to the cluster; None where there is none."""
    moments = [track["mutated"] for track in remediation["tracks"] if track.get("mutated")]
    if not moments:
        return None
    first = datetime.fromisoformat(remediation["signal"]["first_seen"])
    return round((datetime.fromisoformat(min(moments)) - first).total_seconds(), 3)


async def break_and_fire(world: Stage, daemon: Daemon, scenario: Scenario, tell: Tell) -> None:
    """Let the incident begin and the alert fire."""
    tell(f"breaking {scenario.app}: {scenario.title}")
    await world.break_(scenario)
    await world.fire(scenario, daemon.gateway_url, daemon.token)
    tell("the alert is firing")


async def run_headless(world: Stage, daemon: Daemon, scenario: Scenario, tell: Tell, within_s: float = 240.0) -> Ended:
    """Break, fire, play the engineer, and return how it ended.

    Raises:
        Permanent: no remediation of the scenario's target ended in time; the message has what was seen.
    """
    async with daemon.client() as client:
        seen = (await client.get("/v1/status"))["journal_seq"]
        began = {item["id"] for item in (await client.get("/v1/remediations"))["items"]}
        await break_and_fire(world, daemon, scenario, tell)
        engineer = Engineer(client)
        fresh: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(within_s):
                while True:
                    seen = await _tell_news(client, seen, tell)
                    fresh = [i for i in (await client.get("/v1/remediations"))["items"] if i["id"] not in began]
                    if fresh and all(item["ended"] for item in fresh):
                        break
                    await engineer.look()
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError as error:
            stories = "; ".join(f"{i['id']} {i['phase']}: {i['story']}" for i in fresh) or "no remediation was opened"
            raise Permanent(f"scenario {scenario.number} did not end within {within_s:.0f} s: {stories}") from error
        await _tell_news(client, seen, tell)
        acted = [item for item in fresh if item["tracks"]] or fresh
        remediation = await client.get(f"/v1/remediations/{acted[0]['id']}")
        await _settled(world, scenario)
        healthy, mended = await world.healthy(scenario), await world.mended(scenario)
        return Ended(scenario, remediation, healthy, mended, tuple(engineer.acts), len(fresh))


async def _settled(world: Stage, scenario: Scenario) -> None:
    """The world's own view may lag a look behind."""
    for _ in range(20):
        if await world.healthy(scenario):
            return
        await asyncio.sleep(_LOOK_S)


async def _tell_news(client: Client, seen: int, tell: Tell) -> int:
    for entry in await client.journal(seen):
        seen = entry["seq"]
        who = "" if entry["actor"] == "kubernaut" else f"{entry['actor']}: "
        reason = f" ({entry['data']['reason']})" if entry["data"].get("reason") else ""
        tell(f"{entry['time'][11:23]}Z {entry['remediation_id'] or '-':<9} {who}{entry['message']}{reason}")
    return seen
