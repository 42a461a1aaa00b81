"""suggest on a real Postgres: once a day whoever runs it, ids that last, what the team said remembered, deletes."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas import codebook as files
from schemas.errors import PermanentError
from services.store import drafts, erasures, posts, suggestions
from services.usecases import suggesting
from tests.stages.conftest import CODEBOOK, World
from tests.stages.unmatched import SAYS, Unmatched
from workers.runtime import Outcome
from workers.stages.suggest import suggest
from workers.stages.upkeep import upkeep

NOISE = 60
"""Posts about anything: without them nothing stands out."""


@pytest.fixture
def unmatched(world: World) -> Unmatched:
    world.apply()
    # In the middle of a day's slot, so that going forward by a day is the next one.
    world.clock.at = world.clock.at.replace(hour=12)
    with world.store.transaction() as tx:
        posts.ensure_post_partitions(tx, world.clock().date(), world.clock().date() + timedelta(days=40))
    found = Unmatched(world)
    found.noise(NOISE, world.clock() - timedelta(minutes=1))
    return found


def night(world: World, days: float = 1) -> Outcome:
    world.clock.forward(days=days)
    return suggest(world.rt)


def listed(world: World, *states: str) -> list[dict]:
    """Suggestions of our stories; of texts about anything a few are always a little alike."""
    with world.store.transaction() as tx:
        found = suggestions.list_suggestions(tx, states=states or ("open",))
    said = {text for story in SAYS.values() for text in story.values()}
    return [s for s in found if any(text in (s["typical"] or "") for text in said)]


def members(world: World, suggestion_id: int, *, inside: bool = True) -> set[int]:
    with world.store.transaction() as tx:
        told = suggestions.posts_of_suggestion(tx, suggestion_id)
    return {p["post_id"] for p in told if p["inside"] is inside}


def decide(world: World, suggestion_id: int, state: str) -> None:
    with world.store.transaction() as tx:
        suggestions.decide_suggestion(tx, suggestion_id, state, now=world.clock(), by="a person")


def test_a_story_in_three_languages_is_one_suggestion_with_its_words(world: World, unmatched: Unmatched) -> None:
    ids = unmatched.story("museum", 24, world.clock())
    unmatched.story("water", 12, world.clock() - timedelta(days=5))
    night(world, 0)
    first, second = listed(world)
    assert len(set(ids) & members(world, first["suggestion_id"])) >= 22
    assert members(world, first["suggestion_id"]) <= set(ids)
    assert first["score"] > second["score"]
    assert set(first["langs"]) == {"en", "ru", "ar"}
    said = " ".join(t["term"] for t in first["terms"])
    assert "museum" in said
    assert "ящики" in said or "музея" in said
    assert "المتحف" in said
    assert first["days"][-1]["units"] + first["days"][-2]["units"] == first["units"]


def test_a_list_shows_of_each_the_post_most_like_the_whole_in_its_commonest_language(
    world: World, unmatched: Unmatched
) -> None:
    unmatched.story("museum", 24, world.clock())
    unmatched.story("water", 12, world.clock() - timedelta(days=5))
    night(world, 0)
    with world.store.transaction() as tx:
        # The likest of all is of a language that few speak.
        tx.execute("""update suggestions set langs = '{"ar": 20, "en": 3, "ru": 2}'""")
        for one in listed(world):
            told = suggestions.posts_of_suggestion(tx, one["suggestion_id"])
            likest = next(p["post_id"] for p in told if p["inside"] and p["lang"] == "ru")
            tx.execute("update suggestion_posts set likeness = 1 where post_id = %s", (likest,))
        shown = {s["suggestion_id"]: s["typical"] for s in suggestions.list_suggestions(tx)}
        for one in listed(world):
            told = suggestions.posts_of_suggestion(tx, one["suggestion_id"])
            assert (told[0]["likeness"], told[0]["lang"]) == (1, "ru")
            assert shown[one["suggestion_id"]] == next(p["text"] for p in told if p["inside"] and p["lang"] == "ar")


def test_a_day_is_grouped_once_by_whoever_comes_first(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 20, world.clock())
    with ThreadPoolExecutor(4) as workers:
        done = list(workers.map(lambda _: suggest(world.rt), range(4)))
    assert sum(o.again for o in done) == 1
    assert suggest(world.rt) == Outcome()
    assert len(listed(world)) == 1
    world.clock.forward(hours=2)
    assert suggest(world.rt) == Outcome()
    assert night(world).again


def test_a_suggestion_keeps_its_id_while_the_window_moves_on(world: World, unmatched: Unmatched) -> None:
    seen = []
    for _ in range(5):
        unmatched.noise(20, world.clock())
        unmatched.story("museum", 8, world.clock())
        night(world, 4)
        (found,) = listed(world)
        seen.append(found["suggestion_id"])
    assert len(set(seen)) == 1
    assert found["units"] < 40, "the first posts have left the window"


def test_what_is_not_seen_fades_and_has_its_id_when_it_comes_back(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 12, world.clock())
    night(world, 0)
    (before,) = listed(world)
    night(world, 20)
    assert listed(world) == []
    unmatched.noise(NOISE, world.clock())
    unmatched.story("museum", 12, world.clock())
    night(world)
    assert [s["suggestion_id"] for s in listed(world)] == [before["suggestion_id"]]


def test_dismissed_is_remembered_until_it_has_grown_threefold(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 10, world.clock())
    night(world, 0)
    (found,) = listed(world)
    decide(world, found["suggestion_id"], "dismissed")
    unmatched.story("museum", 15, world.clock())
    night(world)
    assert listed(world) == []
    unmatched.story("museum", 15, world.clock())
    night(world)
    (again,) = listed(world)
    assert again["suggestion_id"] == found["suggestion_id"]


def test_what_somebody_decides_during_a_run_stands(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 10, world.clock())
    night(world, 0)
    (found,) = listed(world)
    world.clock.forward(days=1)
    present = world.clock()
    claimed = suggesting.claim(world.store, suggesting.slot_of(present), timedelta(minutes=1))
    assert claimed is not None

    def meanwhile(what: str) -> None:
        if "looking" in what:
            decide(world, found["suggestion_id"], "dismissed")

    assert suggesting.suggest(world.store, claimed, present=present, now=present, tell=meanwhile).settled
    assert listed(world) == []


def test_a_stale_fence_settles_nothing(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 10, world.clock())
    present = world.clock()
    slot = suggesting.slot_of(present)
    slow = suggesting.claim(world.store, slot, timedelta(0))
    quick = suggesting.claim(world.store, slot, timedelta(minutes=1))
    assert slow
    assert quick
    assert suggesting.suggest(world.store, quick, present=present, now=present).settled
    assert not suggesting.suggest(world.store, slow, present=present, now=present).settled
    assert len(listed(world)) == 1


RUN = """
import sys
from datetime import datetime, timedelta
from services.usecases import suggesting
from services.store.pool import Store
present = datetime.fromisoformat(sys.argv[2])
store = Store(sys.argv[1], size=2)
claimed = suggesting.claim(store, suggesting.slot_of(present), timedelta(seconds=0.2))
suggesting.suggest(store, claimed, present=present, now=present, tell=lambda what: print(what, flush=True))
"""


@pytest.mark.parametrize("moment", ["reading", "grouping", "looking"])
def test_a_run_that_is_killed_is_made_by_another(
    world: World, unmatched: Unmatched, database_url: str, moment: str
) -> None:
    unmatched.story("museum", 12, world.clock())
    argv = [sys.executable, "-c", RUN, database_url, world.clock().isoformat()]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if moment in line:
                process.kill()
    assert process.returncode == -9
    world.rows("select pg_sleep(0.3)")
    assert suggest(world.rt).again
    assert len(listed(world)) == 1


def test_a_machine_and_two_people_who_talk_are_no_suggestion(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 30, world.clock(), author="a machine")
    unmatched.story("water", 8, world.clock(), author="one")
    unmatched.story("water", 8, world.clock(), author="other")
    night(world, 0)
    assert listed(world) == []


def test_only_what_carries_no_frame_is_grouped(world: World, unmatched: Unmatched) -> None:
    """A doubt is no frame: of a story that resembles one, most posts leave a doubt about it."""
    unmatched.story("museum", 20, world.clock(), carried=True)
    night(world, 0)
    assert listed(world) == []
    assert world.one("select posts from suggestion_runs") == 60
    unmatched.story("water", 20, world.clock(), uncertain="{staged-theatrics}")
    night(world, 1)
    assert len(listed(world)) == 1


def test_a_deleted_post_is_told_no_more(world: World, unmatched: Unmatched) -> None:
    ids = unmatched.story("museum", 12, world.clock())
    night(world, 0)
    number = listed(world)[0]["suggestion_id"]
    with world.store.transaction() as tx:
        gone = drafts.tell_suggestion(tx, number).typical[0]
        posts.delete_posts(tx, "rss", [gone["native_id"]], world.clock())
        told = drafts.tell_suggestion(tx, number)
    assert told.draft
    words = str([told.typical, told.near, told.draft, told.row["typical"]])
    assert gone["text"] not in words
    upkeep(world.rt)
    assert world.one("select count(*) from suggestion_posts where post_id = %s", gone["post_id"]) == 0
    with world.store.transaction() as tx:
        posts.delete_posts(tx, "rss", [str(NOISE + i + 1) for i in range(len(ids))], world.clock())
        assert drafts.tell_suggestion(tx, number).draft is None
        with pytest.raises(PermanentError, match="erased"):
            drafts.adopt_suggestion(tx, number, now=world.clock(), by="a person")


def test_a_post_deleted_during_a_run_does_not_come_back(world: World, unmatched: Unmatched) -> None:
    ids = unmatched.story("museum", 12, world.clock())
    present = world.clock()
    claimed = suggesting.claim(world.store, suggesting.slot_of(present), timedelta(minutes=1))
    assert claimed

    def meanwhile(what: str) -> None:
        if "looking" in what:
            with world.store.transaction() as tx:
                posts.delete_posts(tx, "rss", [str(NOISE + 1)], present)
                erasures.end_erasures(tx, ids)

    suggesting.suggest(world.store, claimed, present=present, now=present, tell=meanwhile)
    assert world.one("select count(*) from suggestion_posts where post_id = %s", ids[0]) == 0


def test_adopting_writes_a_frame_into_the_codebook_and_is_remembered(world: World, unmatched: Unmatched) -> None:
    unmatched.story("museum", 24, world.clock())
    night(world, 0)
    number = listed(world)[0]["suggestion_id"]
    mine = CODEBOOK.replace("frames:", "frames:  # ours")
    with world.store.transaction() as tx:
        done = drafts.adopt_suggestion(tx, number, now=world.clock(), by="a person", text=mine, id="missing-crates")
    book = files.parse(done.text)
    assert "# ours" in done.text
    assert [f.id for f in book.frames] == ["staged-theatrics", "russia-blames-us", "missing-crates"]
    frame = book.frames[-1]
    assert len(frame.examples) == 8
    assert {"en", "ru", "ar"} == set(frame.languages)
    assert 1 <= len(frame.counterexamples) <= 4
    assert "museum" not in " ".join(frame.counterexamples)
    unmatched.story("museum", 80, world.clock())
    night(world)
    assert listed(world) == []
    (kept,) = listed(world, "adopted")
    assert (kept["suggestion_id"], kept["frame"], kept["decided_by"]) == (number, "missing-crates", "a person")


def test_nothing_to_group_is_a_run_all_the_same(world: World) -> None:
    world.apply()
    assert night(world, 0) == Outcome(again=True)
    assert suggest(world.rt) == Outcome()
    Unmatched(world).noise(3, world.clock())
    assert night(world) == Outcome(again=True)


def test_every_current_codebook_is_grouped(world: World) -> None:
    world.apply()
    world.apply(CODEBOOK.replace("codebook: test", "codebook: other"))
    suggest(world.rt)
    suggest(world.rt)
    rows = world.rows("select codebook from suggestion_runs where slot is not null order by 1")
    assert [r["codebook"] for r in rows] == ["other", "test"]


def test_nothing_is_grouped_while_scoring_is_behind(world: World, unmatched: Unmatched) -> None:
    (late,) = unmatched.story("museum", 1, world.clock() - timedelta(hours=3))
    with world.store.transaction() as tx:
        tx.execute(
            "insert into queue (post_id, received_day, published_at, state, queued_at) "
            "select post_id, received_day, published_at, 'waiting', %s from posts where post_id = %s",
            (world.clock(), late),
        )
    assert suggest(world.rt) == Outcome()
    world.rows("delete from queue returning post_id")
    assert suggest(world.rt).again


def test_asked_for_is_made_whatever_the_hour(world: World, unmatched: Unmatched) -> None:
    night(world, 0)
    unmatched.story("museum", 12, world.clock())
    assert suggest(world.rt) == Outcome()
    with world.store.transaction() as tx:
        assert suggestions.ask_runs(tx, "test") == ["test"]
    assert suggest(world.rt).again
    assert suggest(replace(world.rt)) == Outcome()
