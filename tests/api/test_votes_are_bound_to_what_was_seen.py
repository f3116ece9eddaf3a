"""A vote counts for one plan, by one person who may, with the word that was asked for."""

import asyncio
from datetime import timedelta

from gateway.house import House, me, now

from kubernaut.domain.approvals import Role

from .seeds import waiting


def vote(asked: object, verdict: str = "approve", **changes: object) -> dict[str, object]:
    return {"verdict": verdict, "plan_hash": asked.plan_hash, "reason": "seen", "confirm": "y"} | changes  # type: ignore[attr-defined]


async def test_an_approval_is_taken_and_journaled(home: House) -> None:
    asked = await waiting(home)
    status, after = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked))
    assert status == 200
    assert after["phase"] == "Approved"
    assert [(v["principal"], v["verdict"], v["reason"]) for v in after["votes"]] == [(me(), "approve", "seen")]
    entries = await home.running.store.journal(0, 100, asked.remediation_id)
    assert [e.actor for e in entries if e.kind == "vote"] == [me()]


async def test_a_vote_on_another_plan_is_a_conflict(home: House) -> None:
    asked = await waiting(home)
    status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, plan_hash="0" * 64))
    assert (status, answer["error"]["code"]) == (409, "conflict")
    mistyped = vote(asked, plan_hash="0" * 64, confirm="")
    assert (await home.ask("POST", f"/v1/approvals/{asked.id}/vote", mistyped))[0] == 409
    assert (await home.ask("GET", f"/v1/approvals/{asked.id}"))[1]["phase"] == "Pending"


async def test_a_vote_without_the_plan_is_no_vote(home: House) -> None:
    asked = await waiting(home)
    body = vote(asked)
    del body["plan_hash"]
    status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", body)
    assert (status, answer["error"]["field"]) == (400, "plan_hash")


async def test_the_word_must_be_typed(home: House) -> None:
    asked = await waiting(home, confirm="checkout")
    for wrong in ("", "y", "CHECKOUT", "checkou"):
        status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, confirm=wrong))
        assert (status, answer["error"]["field"]) == (400, "confirm")
    status, _ = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, confirm="checkout"))
    assert status == 200


async def test_a_rejection_needs_no_word(home: House) -> None:
    asked = await waiting(home, confirm="checkout")
    status, after = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, "reject", confirm=""))
    assert (status, after["phase"]) == (200, "Rejected")


async def test_only_two_verdicts_exist(home: House) -> None:
    asked = await waiting(home)
    for wrong in ("", "maybe", "APPROVE", 1, None, ["approve"]):
        status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, verdict=wrong))
        assert (status, answer["error"]["field"]) == (400, "verdict")


async def test_what_is_over_stays_over(home: House) -> None:
    asked = await waiting(home)
    await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked, "reject"))
    status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked))
    assert (status, answer["error"]["code"]) == (409, "conflict")


async def test_an_expired_question_takes_no_vote(home: House) -> None:
    asked = await waiting(home, expires_at=now() - timedelta(seconds=1))
    status, answer = await home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked))
    assert status == 409
    assert "expired" in answer["error"]["message"]


async def test_one_person_counts_once_however_fast(home: House) -> None:
    asked = await waiting(home, min_approvers=2)
    answers = await asyncio.gather(
        *(home.ask("POST", f"/v1/approvals/{asked.id}/vote", vote(asked)) for _ in range(10))
    )
    assert sorted(status for status, _ in answers) == [200, *[403] * 9]
    _, after = await home.ask("GET", f"/v1/approvals/{asked.id}")
    assert (after["phase"], len(after["votes"])) == ("Pending", 1)


async def test_who_may_not_vote_is_told_why(home: House) -> None:
    by_group = await waiting(home, "rr-aaaaab", "b", four_eyes=True, requester=me())
    _, shown = await home.ask("GET", f"/v1/approvals/{by_group.id}")
    assert (shown["may_vote"], "another pair of eyes" in shown["why_not"]) == (False, True)
    status, answer = await home.ask("POST", f"/v1/approvals/{by_group.id}/vote", vote(by_group))
    assert (status, answer["error"]["code"]) == (403, "refused")


async def test_a_question_for_a_role_shows_it(home: House) -> None:
    asked = await waiting(home, role=Role.ADMIN, confirm="checkout")
    _, shown = await home.ask("GET", f"/v1/approvals/{asked.id}")
    assert (shown["role"], shown["may_vote"], shown["confirm"]) == ("admin", True, "checkout")


async def test_an_unknown_approval_is_not_found(home: House) -> None:
    status, answer = await home.ask("POST", "/v1/approvals/ap-none/vote", {"verdict": "approve"})
    assert (status, answer["error"]["code"]) == (404, "not_found")
