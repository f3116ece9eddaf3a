"""The engineer of a demo without a person: approves and merges through the same API, and says so in the journal."""

import asyncio
from typing import Any

from kubernaut.domain.errors import Permanent

from .house import Client

SAYS = "headless demo: the demo plays the engineer"
"""The reason given with every vote and merge, so that the timeline shows that no person decided."""


class Engineer:
    """Answers what is asked, the way a person would: looks, then votes or merges."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acts: list[str] = []

    async def look(self) -> None:
        """Answer everything that waits now."""
        for approval in (await self._client.get("/v1/approvals", pending="true"))["items"]:
            await self._approve(approval)
        for pull in (await self._client.get("/v1/pulls"))["items"]:
            if pull["state"] == "open" and pull["remediation_id"]:
                await self._merge(pull)

    async def _approve(self, approval: dict[str, Any]) -> None:
        body = {
            "verdict": "approve", "plan_hash": approval["plan_hash"], "reason": SAYS, "confirm": approval["confirm"],
        }  # fmt: skip
        if await self._try(f"/v1/approvals/{approval['id']}/vote", body):
            self.acts.append(f"approved {approval['action']} of {approval['target']['name']}")

    async def _merge(self, pull: dict[str, Any]) -> None:
        body = {"expected_head": pull["head_commit"], "reason": SAYS}
        if await self._try(f"/v1/pulls/{pull['repository']}/{pull['number']}/merge", body):
            self.acts.append(f"merged #{pull['number']} in {pull['repository']}")

    async def _try(self, path: str, body: dict[str, Any]) -> bool:
        """A refusal (somebody was faster, the plan changed) is looked at again at the next look."""
        try:
            await self._client.post(path, body)
        except Permanent:
            await asyncio.sleep(0.2)
            return False
        return True
