"""Freshness, frozen order, lost replies: the screen never claims more than is known."""

from dataclasses import replace

import pytest

from kubernaut_tui.clipboard import offer
from kubernaut_tui.effects import Copy, Load, Send
from kubernaut_tui.events import Connected, Done, Loaded, LoadFailed, Lost, NotDone, Painted, Pulse, Resized
from kubernaut_tui.keys import KEYS
from kubernaut_tui.lines import fit
from kubernaut_tui.screens.remediations import shorten
from kubernaut_tui.state import Rows, Word
from kubernaut_tui.views import Screen

from .documents import Driver, page, reply, status


def test_silence_is_told_in_words() -> None:
    driver = Driver()
    assert "LIVE" in driver.lines[0]
    driver.wait(12.0, heard=False)
    assert "STALE 12s" in driver.lines[0]
    driver.wait(1.0)
    assert driver.state.word is Word.LIVE
    driver.feed(Lost("the daemon closed its journal"))
    assert "DOWN" in driver.lines[0]
    driver.feed(Connected(status(), driver.at))
    assert "LIVE" in driver.lines[0]


def test_a_cluster_that_is_not_live_is_named() -> None:
    driver = Driver()
    gone = status(clusters=("prod-eu", "prod-us"))
    gone["clusters"][1]["state"] = "STALE"
    driver.without(status=gone)
    assert "prod-us STALE" in driver.lines[0]


def test_a_live_screen_that_nothing_happens_to_stands_still() -> None:
    driver = Driver()
    before = driver.lines
    for _ in range(30):
        driver.wait(1.0)
    assert driver.lines == before


def newcomer(driver: Driver) -> tuple[Load, dict[str, object]]:
    document = page()
    document["items"].insert(0, {**document["items"][0], "id": "rr-new111", "story": "something new; looking into it"})
    document["total"] = 5
    document["items"][1]["story"] = "out of memory; changed meanwhile"
    load = Load("page", "", "/v1/remediations", (("offset", "0"), ("limit", "100")))
    return load, document


def test_the_order_freezes_while_one_acts_and_contents_do_not() -> None:
    driver = Driver()
    driver.press("down")
    driver.feed(Loaded(*newcomer(driver)))
    assert driver.state.rows.items[0]["id"] == "rr-4f2abc"
    assert "changed meanwhile" in driver.text
    assert "1 new, press ." in driver.lines[1]
    assert driver.state.rows.cursor == "rr-09c1de"


def test_a_dot_lets_the_new_order_in_and_the_cursor_stays_on_its_row() -> None:
    driver = Driver()
    driver.press("down", "release")
    driver.feed(Loaded(*newcomer(driver)))
    assert driver.state.rows.items[0]["id"] == "rr-new111"
    assert driver.state.rows.cursor == "rr-09c1de"
    assert driver.lines[5].startswith(" ! rr-09c1de")


def test_a_lost_reply_is_unknown_is_read_back_and_never_repeated() -> None:
    driver = Driver()
    driver.press("down", "approve")
    driver.key("n", "5")
    (send,) = driver.sent
    driver.hold = True
    driver.feed(NotDone(send, "the daemon's reply was lost", unknown=True))
    assert "UNKNOWN whether approve drain-node n5 happened" in driver.prompt_line
    driver.press("approve")
    assert driver.state.prompt is None
    (readback,) = [load for load in driver.held if load.kind == "readback"]
    driver.hold = False
    driver.feed(Loaded(readback, reply(readback)))
    assert "read back" in driver.prompt_line
    assert driver.sent == [send]
    assert not driver.state.uncertain


def test_what_was_uncertain_when_the_daemon_went_is_read_back_when_it_is_there_again() -> None:
    driver = Driver()
    send = Send("merge #81", "/v1/pulls/fleet/81/merge", remediation="rr-4f2abc")
    driver.hold = True
    driver.feed(NotDone(send, "the daemon's reply was lost", unknown=True))
    driver.feed(Lost("gone"))
    driver.held.clear()
    driver.feed(Connected(status(), driver.at))
    assert [load.target for load in driver.held if load.kind == "readback"] == ["rr-4f2abc"]


def test_whatever_was_missed_while_the_daemon_was_away_is_read_anew() -> None:
    driver = Driver()
    driver.press("open")
    driver.feed(Lost("the daemon closed its journal"))
    driver.hold = True
    driver.feed(Connected({**status(), "journal_seq": 900}, driver.at))
    assert {load.kind for load in driver.held} == {"remediation", "approvals-of", "diff"}
    driver.held.clear()
    driver.press("back")
    assert "page" in {load.kind for load in driver.held}


def test_a_merge_is_followed_where_its_progress_is_seen() -> None:
    driver = Driver()
    driver.press("approve")
    assert driver.state.view.screen is Screen.DIFF
    driver.key(*"checkout")
    driver.feed(Done(driver.sent[0], {"state": "merged"}))
    assert [view.screen for view in driver.state.views] == [Screen.REMEDIATIONS, Screen.DETAIL]
    assert "sync" in driver.text


def test_a_refusal_is_told() -> None:
    driver = Driver()
    driver.feed(NotDone(Send("merge #81", "/v1/x", remediation="rr-4f2abc"), "#81 changed since you looked at it"))
    assert "not done: merge #81: #81 changed since you looked at it" in driver.prompt_line


def test_a_vote_that_is_not_the_last_says_how_many() -> None:
    driver = Driver()
    send = Send("approve drain-node n5", "/v1/approvals/ap-09c1de/vote", remediation="rr-09c1de")
    driver.feed(Done(send, {"phase": "Pending", "votes": [{"verdict": "approve"}], "min_approvers": 2}))
    assert "1 of 2 votes" in driver.prompt_line


def test_a_reply_whose_target_is_gone_is_dropped() -> None:
    driver = Driver()
    driver.hold = True
    driver.press("open", "logs", "list")
    (load,) = [load for load in driver.held if load.kind == "logs"]
    driver.feed(Loaded(load, reply(load)))
    assert driver.state.document("logs", "rr-4f2abc") is None or driver.state.rows.cursor == "rr-4f2abc"
    driver.press("down", "list")
    driver.feed(Loaded(replace(load, target="rr-gone00"), reply(load)))
    assert driver.state.document("logs", "rr-gone00") is None


def test_a_failed_load_says_why_in_its_place() -> None:
    driver = Driver()
    driver.hold = True
    driver.press("open", "yaml")
    (load,) = [load for load in driver.held if load.kind == "yaml"]
    driver.feed(LoadFailed(load, "Deployment shop/checkout does not exist any more"))
    assert "does not exist any more" in driver.text


def test_a_filter_that_changed_meanwhile_drops_the_page() -> None:
    driver = Driver()
    driver.hold = True
    driver.type("/", *"ledger", "enter")
    load = Load("page", "", "/v1/remediations", (("offset", "0"), ("limit", "100")))
    driver.feed(Loaded(load, page()))
    assert driver.state.rows.items == ()
    (wanted,) = [load for load in driver.held if dict(load.params).get("text") == "ledger"]
    driver.feed(Loaded(wanted, {**page(), "items": page()["items"][3:], "total": 1}))
    assert [row["id"] for row in driver.state.rows.items] == ["rr-3b0dca"]


def test_at_most_a_window_of_rows_is_held_and_the_rest_is_paged_in() -> None:
    driver = Driver()
    row = page()["items"][0]
    everything = [{**row, "id": f"rr-{n:06d}"} for n in range(10_000)]

    def answer() -> None:
        for load in driver.held:
            if load.kind in ("page", "rows"):
                offset, limit = (int(dict(load.params).get(name, "0")) for name in ("offset", "limit"))
                driver.feed(Loaded(load, {"items": everything[offset : offset + limit], "total": 10_000}))
        driver.held.clear()

    driver.hold = True
    driver.without(rows=Rows())
    driver.press("refresh")
    answer()
    for n in range(1, 400):
        driver.at += 0.05
        driver.type("j", after_s=0.01)
        answer()
        assert driver.state.rows.cursor == f"rr-{n:06d}"
        assert len(driver.state.rows.items) <= 500
    driver.type("G")
    answer()
    assert driver.state.rows.cursor == "rr-009999"
    assert "10000 of 10000" in driver.lines[1]
    driver.type("g")
    answer()
    assert driver.state.rows.cursor == "rr-000000"
    for turn in range(1, 60):  # every page finds its rows there, though each reply comes only after the next key
        driver.at += 0.05
        driver.type("space", after_s=0.01)
        assert driver.state.rows.cursor == f"rr-{turn * 19:06d}"
        if turn % 2 == 0:
            answer()


def test_loads_are_not_repeated_while_one_is_in_flight() -> None:
    driver = Driver()
    driver.hold = True
    for _ in range(50):
        driver.at += 1.0
        driver.feed(Pulse(driver.at, 0.0, frozenset({"rr-4f2abc"}), last_line=driver.at))
    assert len([load for load in driver.held if load.kind == "page"]) == 1


@pytest.mark.parametrize(("width", "height"), [(80, 24), (20, 5), (132, 43), (40, 10), (300, 80), (99, 24), (1, 1)])
def test_any_size_is_filled_exactly(width: int, height: int) -> None:
    driver = Driver()
    for screen in ("list", "open", "timeline", "diff", "logs", "yaml", "tree", "approvals", "help"):
        driver.press(screen)
        driver.feed(Resized(width, height))
        drawn = driver.lines
        assert len(drawn) == height


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 10), (10, 4), (20, 3)])
@pytest.mark.parametrize("key", ["stop", "approve"])
def test_a_question_has_its_answer_on_the_screen_at_any_size(key: str, width: int, height: int) -> None:
    driver = Driver(width, height)
    driver.press(key)
    assert driver.state.prompt is not None
    assert len(driver.lines) == height
    assert driver.lines[-1].strip().startswith("Type ")


def test_help_is_made_from_the_key_table() -> None:
    driver = Driver(80, 80)
    driver.press("help")
    for key in KEYS:
        assert key.tooltip[:40] in driver.text
        assert key.shown in driver.text


def test_back_and_last_view() -> None:
    driver = Driver()
    driver.press("open", "diff")
    assert driver.state.view.screen is Screen.DIFF
    driver.press("back")
    assert driver.state.view.screen is Screen.DETAIL
    driver.press("last")
    assert driver.state.view.screen is Screen.DIFF
    driver.press("back", "back", "back")
    assert driver.state.view.screen is Screen.REMEDIATIONS


def test_what_is_copied_is_shown_and_nothing_is_claimed() -> None:
    driver = Driver()
    driver.press("diff", "copy")
    (copy,) = [effect for effect in driver.effects if isinstance(effect, Copy)]
    assert copy.text.startswith("https://")


def test_copies_pass_through_multiplexers() -> None:
    assert offer("hi", {}) == "\x1b]52;c;aGk=\x07"
    assert offer("hi", {"TMUX": "x"}) == "\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\"
    assert offer("hi", {"STY": "x"}) == "\x1bP\x1b]52;c;aGk=\x07\x1b\\"


def test_when_both_wait_it_asks_which() -> None:
    driver = Driver()
    drain, approval = reply(Load("wish", "rr-4f2abc")), reply(Load("approvals-of", "rr-09c1de"))
    driver.hold = True
    driver.press("approve")
    for load in driver.held:
        if load.kind == "wish":
            driver.feed(Loaded(load, drain))
        if load.kind == "approvals-of":
            driver.feed(Loaded(load, approval))
        if load.kind == "wish-diff":
            driver.feed(Loaded(load, reply(load)))
    assert "p the plan (drain-node), m the pull request #81?" in driver.prompt_line
    driver.feed(Painted(driver.at))
    driver.key("m")
    assert "Merge pull request #81" in driver.prompt_line
    assert driver.sent == []


def test_a_track_that_waits_for_the_cluster_says_why_in_full() -> None:
    driver = Driver()
    driver.press("open")
    load = Load("remediation", "rr-4f2abc", "/v1/remediations/rr-4f2abc")
    document = reply(load)
    why = "get shop/deployment/checkout: can't connect to the API server of prod-eu"
    document["tracks"][0]["reason"] = f"waits: {why}"
    driver.feed(Loaded(load, document))
    assert f"waits {why}" in " ".join(driver.text.split())


@pytest.mark.parametrize(
    ("story", "shown"),
    [
        (
            "out of memory; waits: prod-eu does not answer: can't connect (Connect call failed ('10.0.0.1', 6443))",
            "out of memory; waits: prod-eu d…",
        ),
        ("out of memory; restarted, waits: get app: refused ('10.0.0.1', 6443)", "out of memory; waits: get app: …"),
        ("KubePodCrashLooping; waits: prod-eu does not answer: refused", "KubePodCrashLoo…; waits: prod-e…"),
        ("out of memory; restarted and steady, PR#81 wants you", "out of memory; … PR#81 wants you"),
    ],
)
def test_in_little_room_a_wait_is_told_by_its_first_words(story: str, shown: str) -> None:
    assert fit(shorten(story, 32), 32).rstrip() == shown
