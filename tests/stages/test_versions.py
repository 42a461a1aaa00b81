"""Old versions of a codebook are read as they were while their scores are kept; of forgotten ones nothing is left."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from schemas.errors import PermanentError
from services.serve import create_app
from services.settings import Settings
from services.store import over_time, stances
from services.store import posts as stored
from tests.stages.conftest import CODEBOOK, World, drift, post
from tests.stages.test_classify import gather
from tests.stages.test_rescore import back, ready, rows_of, settle
from tests.stages.test_suggest_faces import run
from workers.stages import upkeep
from workers.stages.rollup import rollup

__all__ = ["ready"]
BLAME = "  - {id: russia-blames-us, title: Blame, description: Blame., examples: [washington]}\n"
WITHOUT = CODEBOOK.replace(BLAME, "")
LEFT = """
select version_id from scores union select version_id from carried union select version_id from trend_points
union select version_id from trend_steps union select version_id from trend_rows union select version_id from trend_deltas
union select version_id from stance_rows union select version_id from stance_deltas union select version_id from stale_scores
"""


def trend(world: World, **asked: Any) -> Any:
    with world.store.transaction() as tx:
        return over_time.read_trend(tx, world.clock(), **{"frame": "russia-blames-us", "step": "1h", **asked})


def forget(world: World, keep: int, limit: int = 7) -> None:
    few = replace(world.rt, keep_versions=keep)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "SCORES", limit)
        while upkeep.forget_scores(few):
            rollup(world.rt)


def read_stances(world: World) -> None:
    with world.store.transaction() as tx:
        model_id = tx.execute("select model_id from models").fetchone()["model_id"]
        stances.add_reader(tx, model_id, "lesson", body=b"", now=world.clock())
        tx.execute("update carried set stance = 'disputes', reader_id = (select reader_id from stance_readers)")
    rollup(world.rt)


@pytest.fixture
def changed(ready: World) -> World:
    """Version 1 with two frames, and version 2 with one of them; a post came since."""
    ready.apply(WITHOUT)
    settle(ready)
    ready.clock.forward(hours=2)
    gather(ready, post("late", "theatre late", at=ready.clock()))
    settle(ready)
    return ready


@pytest.fixture
def web(database_url: str, changed: World) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as client:
        yield client


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, changed: World) -> None:
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))


def test_an_old_version_is_read_as_it_was(ready: World) -> None:
    before = trend(ready)
    ready.apply(WITHOUT)
    settle(ready)
    with pytest.raises(PermanentError, match="no frame russia-blames-us"):
        trend(ready)
    then = trend(ready, version=1)
    assert (then.version, then.codebook, then.title) == (1, "test", "Blame")
    assert [p for p in then.points if p.posts] == [p for p in before.points if p.posts]
    assert sum(p.posts or 0 for p in then.points) == 20


def test_it_ends_where_posts_were_no_longer_scored_under_it(changed: World) -> None:
    """What came after is not scored under it: that is unknown, and no zero is told."""
    then = trend(changed, version=1, frame="*")
    now = trend(changed, version=2, frame="*")
    assert sum(p.posts or 0 for p in then.points) == 60
    assert sum(p.posts or 0 for p in now.points) == 61
    assert then.until < now.until
    assert trend(changed, version=1, until=now.until).until == then.until


def test_the_api_reads_it_as_json_and_csv(web: TestClient) -> None:
    asked = {"frame": "russia-blames-us", "step": "1h", "version": 1}
    told = web.get("/api/v1/trends", params=asked).json()
    assert told["version"] == 1
    assert sum(p["posts"] or 0 for p in told["points"]) == 20
    table = web.get("/api/v1/trends", params=asked, headers={"Accept": "text/csv"}).text
    assert sum(int(r["posts"] or 0) for r in csv.DictReader(io.StringIO(table))) == 20
    several = web.get("/api/v1/trends/several", params={"version": 1, "step": "1h"}).json()
    assert {f["frame"]: sum(p or 0 for p in f["posts"]) for f in several["frames"]} == {
        "staged-theatrics": 20, "russia-blames-us": 20,
    }  # fmt: skip
    listed = web.get("/api/v1/posts", params={"frame": "russia-blames-us", "version": 1}).json()
    assert (listed["version"], len(listed["posts"])) == (1, 20)
    assert all("russia-blames-us" in p["frames"] for p in listed["posts"])
    posts = web.get("/api/v1/posts", params={"version": 1}, headers={"Accept": "text/csv"}).text
    assert len(list(csv.DictReader(io.StringIO(posts)))) == 50
    for name, lines in (("posts", 60), ("scores", 60), ("trends", 2 * len(told["points"]))):
        given = web.get(f"/api/v1/exports/{name}", params={"version": 1, "since": told["since"]}).text.splitlines()
        assert len(given) == lines, name
    assert [v["kept"] for v in web.get("/api/v1/codebooks").json()["codebooks"]] == [True, True]


def test_what_cannot_be_read_is_told_with_a_way_out(web: TestClient, changed: World) -> None:
    unknown = web.get("/api/v1/trends", params={"frame": "*", "version": 9})
    assert (unknown.status_code, "no version 9" in unknown.json()["detail"]) == (404, True)
    assert web.get("/api/v1/trends", params={"frame": "*", "version": 0}).status_code == 422
    forget(changed, keep=0)
    for path in ("trends", "trends/several", "posts", "exports/posts", "exports/scores", "exports/trends"):
        gone = web.get(f"/api/v1/{path}", params={"frame": "*", "version": 1} if path == "trends" else {"version": 1})
        assert gone.status_code == 404, path
        assert "rollback test --to 1" in gone.json()["detail"]
    assert [v["kept"] for v in web.get("/api/v1/codebooks").json()["codebooks"]] == [True, False]


@pytest.mark.usefixtures("house")
def test_the_command_line_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("trends", "russia-blames-us", "--version", "1", "--step", "1h")
    status, out, _ = run(capsys, *asked, "--json")
    assert (status, sum(p["posts"] or 0 for p in json.loads(out)["points"])) == (0, 20)
    _, out, _ = run(capsys, *asked, "--csv")
    assert sum(int(r["posts"] or 0) for r in csv.DictReader(io.StringIO(out))) == 20
    _, out, _ = run(capsys, *asked)
    assert "Blame, test version 1" in out
    status, out, _ = run(capsys, "posts", "list", "--frame", "russia-blames-us", "--version", "1", "--json")
    assert (status, len(json.loads(out)["posts"])) == (0, 20)
    status, _, err = run(capsys, "trends", "russia-blames-us", "--version", "7")
    assert status == 1
    assert "framewatch codebook list" in err


def test_of_a_forgotten_version_nothing_is_left(changed: World) -> None:
    read_stances(changed)
    assert drift(changed) == {}
    before = rows_of(changed, 2)
    forget(changed, keep=0)
    assert {r["version_id"] for r in changed.rows(LEFT)} == {2}
    assert rows_of(changed, 2) == before
    assert drift(changed) == {}


def test_a_post_erased_while_a_version_is_forgotten_leaves_no_trace(changed: World) -> None:
    """Its -1 of a version that has no sums any more would stand for ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "SCORES", 7)
        upkeep.forget_scores(replace(changed.rt, keep_versions=0))
    gone = changed.rows("select k.native_id from scores s join post_keys k using (post_id) where version_id = 1")
    assert gone
    with changed.store.transaction() as tx:
        stored.delete_posts(tx, "rss", [r["native_id"] for r in gone], changed.clock())
    # Not even until the next upkeep: nobody folds what belongs to no sums, and it would wait in the backlog.
    assert {r["version_id"] for r in changed.rows("select version_id from trend_deltas")} == {2}
    rollup(changed.rt)
    forget(changed, keep=0)
    assert {r["version_id"] for r in changed.rows(LEFT)} == {2}
    assert drift(changed) == {}


def test_a_version_asked_back_while_it_is_forgotten_is_scored_whole(changed: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "SCORES", 7)
        upkeep.forget_scores(replace(changed.rt, keep_versions=0))
    assert back(changed, to=1)["posts"] == 61
    assert drift(changed) == {}
    settle(changed)
    assert drift(changed) == {}
    assert sum(p.posts or 0 for p in trend(changed).points) == 20
