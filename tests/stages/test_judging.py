"""Samples for people to judge: drawn once, told blind, gone with their posts; and what labels say of a frame."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from schemas.errors import PermanentError
from schemas.records import Notice
from services.channels.brief import brief
from services.channels.rendering import render
from services.store import applying, digesting, draws, labels, posts, qualities, readings
from tests.channels.notices import alert_data
from tests.stages.conftest import CODEBOOK, World, post
from tests.stages.test_classify import gather
from workers import telling
from workers.stages.classify import classify
from workers.stages.rescore import rescore
from workers.stages.upkeep import upkeep

MONDAY = datetime(2016, 12, 5, tzinfo=UTC)
FRAME = "staged-theatrics"
WORDS = [
    "alpha",
    "bravo",
    "charlie",
    "delta",
    "echo",
    "foxtrot",
    "golf",
    "hotel",
    "india",
    "juliet",
    "kilo",
    "lima",
    "mike",
    "november",
    "oscar",
    "papa",
]


def words(number: int) -> str:
    """A text that is no near copy of another number's."""
    return " ".join(WORDS[(number >> (4 * k)) & 15] + str(number * 7 + k) for k in range(6))


def text(number: int, word: str = "") -> str:
    return f"{word} {words(number)}".strip()


@pytest.fixture
def week(world: World) -> World:
    """One ISO week of a replayed feed: 40 texts that carry the frame (one of them twice), 60 that do not."""
    world.apply()
    world.add_feed(clock="feed")
    carrying = [post(n, text(n, "theatre"), at=MONDAY + timedelta(hours=n)) for n in range(40)]
    copy = post("copy", f"RT @somebody: {text(0, 'theatre')} https://example.org/x", at=MONDAY + timedelta(hours=50))
    rest = [post(n, text(n), at=MONDAY + timedelta(hours=n)) for n in range(100, 160)]
    last = post("last", "the week after", at=MONDAY + timedelta(days=8))
    gather(world, *carrying, copy, *rest, last)
    classify(world.rt)
    with world.store.transaction() as tx:
        tx.execute("update feeds set heard_until = %s, state = 'ended'", [MONDAY + timedelta(days=8)])
    return world


def draw(world: World, seed: int = 1) -> int:
    with world.store.transaction() as tx:
        return draws.draw_last_week(tx, world.clock(), seed)


def samples(world: World, frame: str = FRAME) -> list[dict[str, Any]]:
    return world.rows("select * from samples where frame = %s order by place", frame)


def ask(world: World, judge: str = "anna", limit: int = 100) -> list[dict[str, Any]]:
    with world.store.transaction() as tx:
        frame = readings.current_frame(tx, FRAME)
        return labels.next_unjudged(tx, frame, judge, present=MONDAY + timedelta(days=8), limit=limit)


def answer(world: World, post_id: int, said: str = "yes", judge: str = "anna") -> dict[str, Any]:
    with world.store.transaction() as tx:
        about: dict[str, Any] = {"codebook": "test", "frame": FRAME, "judge": judge, "answer": said}
        return labels.add_label(tx, **about, post_id=post_id, now=world.clock())


def judge_all(world: World, judge: str = "anna", wrong: Iterable[int] = ()) -> None:
    """Say yes to each text about theatre, but for the wrong ones by their place."""
    wrong = set(wrong)
    for i, asked in enumerate(ask(world, judge)):
        answer(world, asked["post_id"], "yes" if ("theatre" in asked["text"]) != (i in wrong) else "no", judge)


def left(world: World, judge: str = "anna") -> int:
    """How many samples of the frame a judge is told to be left."""
    with world.store.transaction() as tx:
        counted = labels.count_unjudged(tx, judge, labels.oldest_week(MONDAY + timedelta(days=8)))
    return next(c["unjudged"] for c in counted if c["frame"] == FRAME)


def quality(world: World) -> Any:
    with world.store.transaction() as tx:
        return qualities.read_quality(tx, world.clock())["test", FRAME]


def test_a_week_is_drawn_once_with_what_each_stratum_holds(week: World) -> None:
    upkeep(week.rt)
    upkeep(week.rt)
    drawn = samples(week)
    strata = [d["stratum"] for d in drawn]
    # All carry it with the same score: near the threshold, and the others' share is theirs too.
    assert (strata.count("near"), strata.count("carried"), strata.count("rest")) == (20, 0, 5)
    row = week.rows("select * from draws where frame = %s", FRAME)
    assert [(r["week"], r["near"], r["carried"], r["rest"]) for r in row] == [(MONDAY.date(), 40, 0, 60)]
    assert {d["stratum"]: d["inclusion"] for d in drawn} == {"near": 0.5, "rest": 5 / 60}
    assert sorted(d["place"] for d in drawn) == list(range(25))


def test_the_same_seed_draws_the_same_and_another_seed_another(week: World) -> None:
    found = []
    for seed in (1, 1, 2):
        draw(week, seed)
        found.append([s["post_id"] for s in samples(week)])
        week.rows("delete from draws returning week")
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_no_text_is_drawn_twice(week: World) -> None:
    with week.store.transaction() as tx:
        tx.execute("delete from posts where native_id not in ('0', 'copy', '100')")
        tx.execute("delete from carried c where not exists (select from posts p where p.post_id = c.post_id)")
    draw(week)
    carried = [s for s in samples(week) if s["stratum"] != "rest"]
    assert len(carried) == 1
    assert week.one("select near from draws where frame = %s", FRAME) == 1


def test_of_two_drawings_at_once_one_draws(week: World, monkeypatch: pytest.MonkeyPatch) -> None:
    undrawn, all_have_looked = draws.undrawn_frames, threading.Barrier(4, timeout=20)

    def look(*asked: Any) -> Any:
        found = undrawn(*asked)
        all_have_looked.wait()  # raises when one stays away
        return found

    monkeypatch.setattr(draws, "undrawn_frames", look)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda seed: draw(week, seed), range(4)))
    assert sorted(done) == [0, 0, 0, 2], "two frames, drawn by one of four"
    assert len(samples(week)) == 25
    assert len({s["week"] for s in samples(week)}) == 1


def test_a_drawing_that_dies_half_way_is_drawn_again(week: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise psycopg.errors.AdminShutdown("killed")

    with monkeypatch.context() as patch:
        patch.setattr(draws, "add_samples", dies)
        with pytest.raises(Exception, match="killed"):
            draw(week)
    assert week.one("select count(*) from draws") == 0
    assert draw(week) == 2
    assert len(samples(week)) == 25


def test_a_judge_is_told_nothing_of_what_the_model_said(week: World) -> None:
    draw(week)
    asked = ask(week)
    assert len(asked) == 25
    assert set(asked[0]) == {"codebook", "frame", "week", "place", "post_id", "text", "lang", "source", "published_at"}
    answer(week, asked[0]["post_id"], judge="boris")
    assert [a["post_id"] for a in ask(week)] == [a["post_id"] for a in asked], "nor of what others answered"


def test_what_was_judged_is_not_asked_again_and_the_last_word_counts(week: World) -> None:
    draw(week)
    first = ask(week)[0]
    told = answer(week, first["post_id"], "no")
    assert told["origin"] == "sample"
    week.clock.forward(minutes=1)
    assert answer(week, first["post_id"], "no")["judged_at"] == told["judged_at"], "the same word changes nothing"
    assert answer(week, first["post_id"], "yes")["judged_at"] == week.clock()
    assert week.rows("select answer, count(*) from labels group by 1") == [{"answer": "yes", "count": 1}]
    assert first["post_id"] not in {a["post_id"] for a in ask(week)}


def test_a_deleted_post_leaves_sample_and_labels(week: World) -> None:
    draw(week)
    first, second = ask(week)[:2]
    for asked in (first, second):
        answer(week, asked["post_id"])
    native = week.one("select native_id from post_keys where post_id = %s", first["post_id"])
    units = [
        bytes(r["unit_key"]) for r in week.rows("select unit_key from labels order by post_id = %s", second["post_id"])
    ]
    with week.store.transaction() as tx:
        about: dict[str, Any] = {"codebook": "test", "frame": FRAME, "threshold": 0.3, "now": week.clock()}
        qualities.add_threshold_units(tx, **about, units=units)
        posts.delete_posts(tx, "rss", [native], week.clock())
    assert week.rows("select post_id from labels") == [{"post_id": second["post_id"]}]
    assert [bytes(r["unit_key"]) for r in week.rows("select unit_key from threshold_units")] == units[1:]
    assert first["post_id"] not in {s["post_id"] for s in samples(week)}
    with pytest.raises(PermanentError, match="may have been deleted"):
        answer(week, first["post_id"])


def test_a_label_does_not_outlive_a_post_that_is_erased_meanwhile(week: World) -> None:
    draw(week)
    first = ask(week)[0]["post_id"]
    native = week.one("select native_id from post_keys where post_id = %s", first)
    with ThreadPoolExecutor(1) as pool:
        with week.store.transaction() as tx:
            posts.delete_posts(tx, "rss", [native], week.clock())
            late = pool.submit(answer, week, first)
            with pytest.raises(TimeoutError):
                late.result(0.3)
        with pytest.raises(PermanentError, match="may have been deleted"):
            late.result(10)
    with ThreadPoolExecutor(1) as pool:
        second = ask(week)[0]["post_id"]
        native = week.one("select native_id from post_keys where post_id = %s", second)
        with week.store.transaction() as tx:
            about: dict[str, Any] = {"codebook": "test", "frame": FRAME, "judge": "anna", "answer": "yes"}
            labels.add_label(tx, **about, post_id=second, now=week.clock())
            gone = pool.submit(_delete, week, native)
            with pytest.raises(TimeoutError):
                gone.result(0.3)
        gone.result(10)
    assert week.rows("select * from labels") == []


def _delete(world: World, native: str) -> None:
    with world.store.transaction() as tx:
        posts.delete_posts(tx, "rss", [native], world.clock())


def test_precision_and_agreement_of_two_judges(week: World) -> None:
    assert quality(week).told == "precision not measured yet"
    draw(week)
    judge_all(week)
    told = quality(week)
    assert (told.precision, told.judged, told.judged_carrying, told.judges) == (1.0, 25, 20, 1)
    assert told.precision_low == pytest.approx(0.839, abs=0.001), "Wilson's limit of 20 in 20"
    assert (told.kappa, told.alpha, told.judged_twice) == (None, None, 0)
    assert told.told == "precision 100% (95% interval 84 to 100%, 20 judged, 2016-W49)"
    judge_all(week, "boris")
    assert (quality(week).kappa, quality(week).alpha, quality(week).judged_twice) == (1.0, 1.0, 25)


def test_a_new_version_is_measured_with_old_labels_but_those_it_was_taught(week: World) -> None:
    draw(week)
    judge_all(week)
    taught = [a["text"] for a in week.rows("select text from posts join labels using (post_id) where answer = 'yes'")]
    # A near copy of the first, the second as it is, and the third as an example of the other frame.
    copies = [f"{taught[0][:-1].upper()}x!!", taught[1]]
    body = CODEBOOK.replace("[theatre]", f'["{copies[0]}", "{copies[1]}"]').replace(
        "[washington]", f'[washington, "{taught[2]}"]'
    )
    with week.store.transaction() as tx:
        applying.apply(tx, body, week.clock())
    assert quality(week).left_out == 0, "readers see the old version"
    rescore(week.rt)
    with week.store.transaction() as tx:
        tx.execute("update codebooks set state = 'retired' where version = 1")
        tx.execute("update codebooks set state = 'current' where version = 2")
    told = quality(week)
    assert (told.left_out, told.judged, told.judged_carrying) == (3, 22, 17)


def test_labels_that_chose_a_threshold_do_not_measure_it(week: World) -> None:
    draw(week)
    judge_all(week)
    units = [bytes(r["unit_key"]) for r in samples(week) if r["stratum"] == "near"][:4]
    with week.store.transaction() as tx:
        qualities.add_threshold_units(
            tx, codebook="test", frame=FRAME, threshold=0.37, units=units, now=week.clock()
        )  # fmt: skip
    assert quality(week).left_out == 0, "the current version has another threshold"
    body = CODEBOOK.replace("examples: [theatre]", "examples: [theatre], threshold: 0.37")
    with week.store.transaction() as tx:
        tx.execute("update codebooks set body = %s", [body])
        tx.execute("update quality_marks set mark = gen_random_uuid()")  # versions never change: nobody looks for it
    assert (quality(week).left_out, quality(week).judged_carrying) == (4, 16)


def test_quality_is_put_together_again_when_anything_changed_and_only_then(
    week: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(week)
    judge_all(week)
    asked: list[Any] = []
    read = qualities.judged_samples
    monkeypatch.setattr(qualities, "judged_samples", lambda *a, **k: (asked.append(k), read(*a, **k))[1])
    near = [s for s in samples(week) if s["stratum"] == "near"]
    names = {r["post_id"]: r["native_id"] for r in week.rows("select post_id, native_id from post_keys")}
    frame: dict[str, Any] = {"codebook": "test", "frame": FRAME}

    def change(number: int) -> None:
        sample = near[number]
        with week.store.transaction() as tx:
            if number == 1:
                labels.remove_label(tx, **frame, post_id=sample["post_id"], judge="anna")
            elif number == 2:
                units = [bytes(sample["unit_key"])]
                qualities.add_threshold_units(tx, **frame, threshold=0.37, units=units, now=week.clock())
            elif number == 3:
                posts.delete_posts(tx, "rss", [names[sample["post_id"]]], week.clock())
            elif number == 4:
                tx.execute("delete from scores where post_id = %s", [sample["post_id"]])

    def told() -> tuple[Any, int]:
        asked.clear()
        return quality(week), len(asked)

    assert told()[1] == 1
    assert told()[1] == 0
    answer(week, near[0]["post_id"], "no")
    for number in range(5):
        change(number)
        found, often = told()
        assert often == 1, number
        assert told() == (found, 0)
        monkeypatch.setattr(qualities, "_made", {})
        assert quality(week) == found, number


def test_alert_and_digest_say_how_good_the_frame_is(week: World) -> None:
    draw(week)
    judge_all(week)
    told = "precision 100% (95% interval 84 to 100%, 20 judged, 2016-W49)"
    with week.store.transaction() as tx:
        slot = MONDAY + timedelta(days=8)
        body = digesting.read_digest(tx, digesting.Edition("morning", slot, MONDAY, "UTC"))
        scene = SimpleNamespace(version={"codebook": "test"}, until=MONDAY + timedelta(days=8))
        frozen = telling._quality(tx, {"frame": FRAME}, cast(Any, scene))
    assert body is not None
    assert {f["id"]: f["quality"]["told"] for f in body["frames"]} == {
        FRAME: told,
        "russia-blames-us": "precision not measured yet",
    }
    assert frozen["told"] == told
    bundle = alert_data(quality=frozen)
    for data, kind in ((bundle, "alert"), (body, "digest")):
        text, html = render(Notice("n", kind, "a subject", data), "")
        assert told in text
        assert told in html
    assert f"The frame: {told}" in brief(Notice("n", "alert", "a subject", bundle), "").lines


def test_the_running_week_is_drawn_on_demand_as_far_as_it_has_come(week: World) -> None:
    thursday = MONDAY + timedelta(days=1, hours=2)
    with week.store.transaction() as tx:
        tx.execute("update feeds set heard_until = %s", [thursday])
        assert draws.draw_this_week(tx, week.clock(), 1) == 2
        assert draws.draw_this_week(tx, week.clock(), 2) == 0
    about = week.rows("select since, until, near, rest from draws where frame = %s", FRAME)[0]
    assert (about["since"], about["near"]) == (MONDAY, 27), "the texts of 26 hours and the first"
    assert thursday < about["until"] <= thursday + timedelta(seconds=1)
    with week.store.transaction() as tx:
        tx.execute("update feeds set heard_until = %s", [MONDAY + timedelta(days=8)])
    assert draw(week) == 0, "a week is drawn once"


def test_a_week_is_drawn_when_its_posts_are_scored_or_patience_ends(week: World) -> None:
    with week.store.transaction() as tx:
        tx.execute("update feeds set state = 'enabled'")
    gather(week, post("late", text(90, "theatre"), at=MONDAY + timedelta(hours=90)))
    with week.store.transaction() as tx:
        tx.execute("update feeds set state = 'ended', heard_until = %s", [MONDAY + timedelta(days=7, hours=5)])
    assert draw(week) == 0
    classify(week.rt)
    assert draw(week) == 2
    assert week.one("select near from draws where frame = %s", FRAME) == 41


def test_an_edited_text_is_another_text(week: World) -> None:
    draw(week)
    first = ask(week)[0]
    assert left(week) == len(ask(week)) == 25
    answer(week, first["post_id"])
    assert left(week) == 24
    with week.store.transaction() as tx:
        tx.execute(
            "update posts set text = 'quite another', unit_key = 'x' where post_id in (%s, %s)",
            [first["post_id"], ask(week)[0]["post_id"]],
        )
    assert left(week) == len(ask(week)) == 23
    assert quality(week).judged == 0
