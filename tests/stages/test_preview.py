"""A preview says what applying then does, and writes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import codebook as files
from schemas import wire_codebooks as wire
from schemas.codebook import Frame
from services.analysis.editing import add_examples, add_frame, remove_frame, set_threshold
from services.analysis.text import text_for_encoder
from services.classifier import Heads, Stored, learn_codebook
from services.classifier.noop import NoopEncoder
from services.store import applying, changes, trends, vectors
from services.usecases.previewing import preview
from tests.stages.conftest import World, drift, post
from tests.stages.test_classify import gather
from tests.stages.test_rescore import settle

BOOK = """
codebook: small
title: A small one
frames:
  - id: show
    title: A show
    description: It is all staged.
    examples: ["a show for the cameras", "the theatre of war", "actors on a stage"]
  - id: blame
    title: Blame
    description: Others did it.
    examples: ["they blame washington", "the americans did it", "washington let them pass"]
background: ["lentil soup today", "rain again tomorrow", "the bus is late", "we won the match"]
"""
WORDS = [
    "show",
    "cameras",
    "theatre",
    "war",
    "actors",
    "stage",
    "blame",
    "washington",
    "americans",
    "let",
    "pass",
    "soup",
    "rain",
    "bus",
    "match",
]
BURST = Frame(id="burst", title="A burst", description="Of soup.", examples=("soup soup soup", "lentil soup"))
PRESENT = datetime(2016, 12, 12, tzinfo=UTC)
EDITS = {
    "as it is": lambda text: text,
    "a frame more": lambda text: add_frame(text, BURST),
    "a frame less": lambda text: remove_frame(text, "blame"),
    "a frame renamed": lambda text: text.replace("id: blame", "id: accuse"),
    "another threshold": lambda text: set_threshold(text, "show", 0.2),
    "more examples": lambda text: add_examples(text, "show", ["soup for actors", "a match is a show"]),
    "another codebook": lambda text: text.replace("codebook: small", "codebook: other"),
}


@contextmanager
def borrow() -> Iterator[NoopEncoder]:
    yield NoopEncoder()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    chance = np.random.default_rng(4)
    return [" ".join(chance.choice(WORDS, 4)) for _ in range(90)]


@pytest.fixture
def lively(world: World, texts: list[str]) -> World:
    """Ninety posts over five weeks of two sources, every third one said twice."""
    world.clock.at = PRESENT
    world.rt = replace(
        world.rt, encoder=NoopEncoder, read_heads=Heads.from_bytes,
        learn=lambda encoder, book, heard: learn_codebook(
            encoder, book, text_for_encoder, Stored(*heard) if heard else None
        ),
    )  # fmt: skip
    with world.store.transaction() as tx:
        applying.apply(tx, BOOK, PRESENT)
    for part, source in enumerate(("rss", "jsonl")):
        world.add_feed(f"https://example.org/{source}", source=source)
        gather(world, *(
            post(f"{source} {i}", texts[i - i % 3 + (i % 3 > 1)], author=f"author {i % 7}",
                 at=PRESENT - timedelta(hours=7 * i + part))
            for i in range(part, 90, 2)
        ))  # fmt: skip
        with world.store.transaction() as tx:
            tx.execute("update feeds set state = 'paused'")
    settle(world)
    return world


def look(world: World, text: str, **options) -> wire.Preview:
    return preview(world.store, borrow, text, now=PRESENT, **options)


def everything(world: World) -> dict[str, str]:
    tables = [r["name"] for r in world.rows("select tablename as name from pg_tables where schemaname = 'public'")]
    return {
        t: world.one(f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {t} t") for t in tables
    }


def carried(world: World) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for r in world.rows(
        "select frame, post_id from carried join codebooks using (version_id) where state = 'current' and codebook = 'small'"
    ):
        found.setdefault(r["frame"], set()).add(r["post_id"])
    return found


def test_a_preview_and_its_applying_learn_from_the_same_that_was_heard(
    lively: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "ENOUGH", 20)
    text = EDITS["a frame more"](BOOK)
    told = look(lively, text)
    with lively.store.transaction() as tx:
        heard = vectors.heard_texts(tx, NoopEncoder().name)
        applying.apply(tx, text, PRESENT)
    assert heard is not None
    settle(lively)
    after = carried(lively)
    assert {f.frame: f.after for f in told.frames if f.after} == {f: len(ids) for f, ids in after.items()}
    alone = learn_codebook(NoopEncoder(), files.parse(text), text_for_encoder).to_bytes()
    taught = learn_codebook(NoopEncoder(), files.parse(text), text_for_encoder, Stored(*heard)).to_bytes()
    kept = {
        bytes(r["body"])
        for r in lively.rows("select heads.body from heads join codebooks using (version_id) where state = 'current'")
    }
    assert taught in kept
    assert alone not in kept


def test_what_was_heard_is_chance_but_the_same_for_all_and_nothing_a_person_said_carries_a_frame(
    lively: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heard() -> list[str] | None:
        with lively.store.transaction() as tx:
            found = vectors.heard_texts(tx, NoopEncoder().name)
        return found and found[0]

    assert heard() is None
    monkeypatch.setattr(vectors, "ENOUGH", 20)
    every = heard()
    assert every == heard()
    assert every is not None
    assert len(every) == len({*every}) == lively.one("select count(*) from embeddings")
    monkeypatch.setattr(vectors, "HEARD", 5)
    assert heard() == every[:5]
    with lively.store.transaction() as tx:
        tx.execute(
            "insert into labels select 'small', 'show', post_id, 'Ann', 'yes', unit_key, 'free', now()"
            " from posts where text = %s", [every[0]],
        )  # fmt: skip
    assert heard() == every[1:6]


def test_what_was_heard_is_sought_where_the_model_has_read(lively: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENOUGH": 5, "SHORT": 20, "PIECES": 1}.items():
        monkeypatch.setattr(vectors, name, value)
    middle = lively.one("select percentile_disc(0.9) within group (order by post_id) from posts")
    with lively.store.transaction() as tx:
        tx.execute(
            "delete from embeddings where text_hash not in (select text_hash from posts where post_id > %s)", [middle]
        )
        _, last = vectors.post_ids(tx)
        since = vectors._read_since(tx, 1, 1, last)
        found = vectors.heard_texts(tx, NoopEncoder().name)
        asked = vectors.heard_posts(tx, 1, [last, 10**9, 1, last - 1])
    assert 1 < since <= middle
    assert found is not None
    assert set(found[0]) <= {r["text"] for r in lively.rows("select text from posts where post_id > %s", middle)}
    late = {r["post_id"]: r["text"] for r in lively.rows("select post_id, text from posts")}
    assert [r["text"] for r in asked] == [late[last], late[1], late[last - 1]]
    assert [r["vector"] is None for r in asked] == [False, True, False]


@pytest.mark.parametrize("name", EDITS)
def test_a_preview_says_what_applying_then_does(lively: World, name: str) -> None:
    text = EDITS[name](BOOK)
    before, stored = carried(lively), everything(lively)
    told = look(lively, text)
    assert everything(lively) == stored
    assert (told.posts, told.left_out) == (90, 0)
    with lively.store.transaction() as tx:
        _, version = applying.apply(tx, text, PRESENT)
    settle(lively)
    after = {
        f.frame: {r["post_id"] for r in lively.rows(
            f"select post_id from carried where frame = '{f.frame}' and version_id = {version['version_id']}"
        )}
        for f in told.frames
    }  # fmt: skip
    if told.version is None:
        before = {}
    moved: set[int] = set()
    for f in told.frames:
        was, is_ = before.get(f.frame, set()), after[f.frame]
        assert (f.before, f.after, f.gained, f.lost) == (len(was), len(is_), len(is_ - was), len(was - is_)), f.frame
        assert f.change == ("removed" if f.threshold is None else "kept" if f.frame in before else "added")
        assert {x.post_id for x in f.gains} <= is_ - was
        assert {x.post_id for x in f.losses} <= was - is_
        assert sum(s.gained for s in f.sources) == sum(w.gained for w in f.weeks) == f.gained
        assert sum(s.lost for s in f.sources) == sum(w.lost for w in f.weeks) == f.lost
        moved |= was ^ is_
        redrawn = {p.at: (p.posts_after, p.units_after) for p in f.trend if p.posts_after}
        with lively.store.transaction() as tx:
            points = trends.trend(
                tx, version_id=version["version_id"], frame=f.frame, since=datetime(2016, 1, 1, tzinfo=UTC),
                until=datetime(2017, 1, 1, tzinfo=UTC), step=timedelta(days=1),
            )  # fmt: skip
        assert {p["at"]: (p["posts"], p["units"]) for p in points} == redrawn
    assert told.moved == len(moved)
    if name != "as it is":
        with lively.store.transaction() as tx:
            assert changes.list_changes(tx)[0]["moved"] == told.moved
    assert drift(lively) == {}


def test_the_posts_told_are_those_nearest_to_the_threshold(lively: World) -> None:
    told = next(f for f in look(lively, set_threshold(BOOK, "show", 0.02)).frames if f.frame == "show")
    assert told.gained > 10
    nearness = [flip.after for flip in told.gains]
    assert nearness == sorted(nearness)
    assert len({flip.text for flip in told.gains}) == len(told.gains) == 10
    assert all(flip.before is None for flip in told.gains)
    told = next(f for f in look(lively, set_threshold(BOOK, "show", 0.98)).frames if f.frame == "show")
    assert told.lost
    assert all(flip.before is not None and flip.after < 0.98 for flip in told.losses)
    assert [flip.after for flip in told.losses] == sorted((flip.after for flip in told.losses), reverse=True)


def test_posts_the_model_has_not_read_are_left_out(lively: World) -> None:
    with lively.store.transaction() as tx:
        tx.execute("update feeds set state = 'enabled'")
    gather(lively, post("late", "a show that nobody scored yet", at=PRESENT))
    assert look(lively, BOOK).left_out == 1
    assert look(lively, BOOK).posts == 90


def test_nothing_stored_is_an_empty_preview(world: World) -> None:
    told = look(world, BOOK)
    assert (told.posts, told.left_out, told.moved, told.version) == (0, 0, 0, None)
    assert [(f.change, f.after) for f in told.frames] == [("added", 0), ("added", 0)]


def test_an_alert_that_the_new_frame_would_have_raised_appears_and_goes_with_it(lively: World) -> None:
    at = PRESENT - timedelta(days=1, hours=5)
    with lively.store.transaction() as tx:
        tx.execute("update feeds set state = 'enabled', heard_until = %s", [PRESENT])
        tx.execute("insert into expected_spans select feed_id, %s from feeds", [PRESENT - timedelta(days=60)])
        tx.execute("insert into heard_spans select feed_id, %s, %s from feeds", [PRESENT - timedelta(days=60), PRESENT])
    texts = [f"soup soup soup lentil soup {WORDS[i % 15]} {i}" for i in range(40)]
    gather(
        lively,
        *(post(f"wave {i}", t, at=at + timedelta(minutes=i % 40), author=f"cook {i}") for i, t in enumerate(texts)),
    )
    lively.rt = replace(lively.rt, rule=replace(lively.rt.rule, one_source=True))
    settle(lively)
    with_it = add_frame(BOOK, BURST.model_copy(update={"threshold": 0.05}))
    rule = lively.rt.rule
    new = look(lively, with_it, rule=rule).frames[-1]
    assert new.frame == "burst"
    assert [a.onset <= at < a.last + timedelta(hours=1) for a in new.alerts_appear] == [True]
    assert new.alerts_vanish == ()
    assert new.alerts_appear[0].posts >= 5
    with lively.store.transaction() as tx:
        applying.apply(tx, with_it, PRESENT)
    settle(lively)
    gone = look(lively, BOOK, rule=rule).frames[-1]
    assert (gone.frame, gone.change) == ("burst", "removed")
    assert gone.alerts_vanish == new.alerts_appear
    assert look(lively, with_it, rule=rule).frames[-1].alerts_appear == ()


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_trend_of_arrays_is_that_of_sql(posts: list[tuple[int, int, int]]) -> None:
    from services.analysis.redrawing import Posts, moment, trend

    ids, hours = np.arange(len(posts)), np.array([p[0] for p in posts])
    units, authors = np.array([p[1] for p in posts]), np.array([p[2] for p in posts])
    found = trend(Posts(ids, hours * 3_600_000_000, ids * 0, authors, units), timedelta(hours=5))
    expected: dict[datetime, list[tuple[int, int]]] = {}
    for hour, unit, author in posts:
        at = moment(hour * 3_600_000_000).timestamp() // 18_000 * 18_000
        expected.setdefault(datetime.fromtimestamp(at, UTC), []).append((unit, author))
    assert {p.at: (p.posts, p.units, p.authors) for p in found} == {
        at: (len(told), min(len({u for u, _ in told}), len({a for _, a in told})), len({a for _, a in told}))
        for at, told in expected.items()
    }  # fmt: skip
