"""What people and programs are told of suggestions, and what they may say: API, command line, digest."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from schemas import codebook as files
from schemas.records import Notice
from services import cli
from services.channels.rendering import render
from services.serve import create_app
from services.settings import Settings
from services.store import drafts, posts, suggestions
from tests.stages.conftest import CODEBOOK, World
from tests.stages.unmatched import SAYS, Unmatched
from workers.stages.suggest import suggest
from workers.stages.upkeep import upkeep

JSON = {"content-type": "application/json"}


@pytest.fixture
def told(world: World) -> int:
    """The id of one suggestion, of a story in three languages among posts about anything."""
    world.apply()
    unmatched = Unmatched(world)
    unmatched.noise(60, world.clock())
    unmatched.story("museum", 24, world.clock() - timedelta(minutes=1))
    suggest(world.rt)
    with world.store.transaction() as tx:
        found = suggestions.list_suggestions(tx)
    return next(s["suggestion_id"] for s in found if any(t in s["typical"] for t in SAYS["museum"].values()))


@pytest.fixture
def web(database_url: str, told: int) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=database_url)), base_url="http://127.0.0.1:8787") as client:
        yield client


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, told: int) -> Path:
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))
    return tmp_path


def test_pages_of_suggestions_follow_each_other(web: TestClient, world: World, told: int) -> None:
    with world.store.transaction() as tx:
        tx.execute(
            "insert into suggestions (codebook, state, model_id, vector, first_seen, found_at, seen_at, posts, units,"
            " authors, publishers, langs, days, terms, score, parts)"
            " select codebook, state, model_id, vector, first_seen, found_at, seen_at, posts, units, authors, publishers,"
            " langs, days, terms, (n %% 3) / 7.0, parts from suggestions, generate_series(1, 8) n where suggestion_id = %s",
            (told,),
        )
    whole = web.get("/api/v1/suggestions", params={"limit": 100}).json()
    assert whole["next"] is None
    assert len(whole["suggestions"]) >= 9
    found, cursor = [], ""
    while cursor is not None:
        page = web.get("/api/v1/suggestions", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found, cursor = found + page["suggestions"], page["next"]
    assert found == whole["suggestions"]
    for wrong in ("W10", "WzIsMV0", "WyIwLjUiLDFd", "WzAuNSwtMS41XQ", "%%%"):
        assert web.get("/api/v1/suggestions", params={"cursor": wrong}).status_code in (400, 422), wrong


def test_the_api_tells_adopts_dismisses_and_opens_again(web: TestClient, told: int) -> None:
    there = f"/api/v1/suggestions/{told}"
    listed = web.get("/api/v1/suggestions").json()["suggestions"]
    assert told in [s["suggestion_id"] for s in listed]
    one = web.get(there).json()
    assert {p["lang"] for p in one["typical_posts"]} == {"en", "ru", "ar"}
    assert len(one["draft"]["examples"]) == 8
    assert len(one["days"]) == 14
    assert sum(d["posts"] for d in one["days"]) == one["posts"]
    assert web.post(f"{there}/dismiss", headers=JSON).json()["state"] == "dismissed"
    assert told not in [s["suggestion_id"] for s in web.get("/api/v1/suggestions").json()["suggestions"]]
    again = web.get("/api/v1/suggestions", params={"state": "dismissed"}).json()["suggestions"]
    assert [(s["suggestion_id"], s["decided_by"]) for s in again] == [(told, "local")]
    assert web.post(f"{there}/reopen", headers=JSON).json()["state"] == "open"
    done = web.post(f"{there}/adopt", json={"frame": "missing-crates", "title": "Missing crates"}).json()
    assert files.parse(done["codebook"]).frames[-1].title == "Missing crates"
    assert done["suggestion"]["frame"] == done["frame"]["id"] == "missing-crates"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("999999/adopt", {}, 404),
        ("0/adopt", {}, 422),
        ("{told}/adopt", {"frame": "No Id"}, 422),
        ("{told}/adopt", {"frame": "staged-theatrics"}, 422),
        ("{told}/adopt", {"colour": "red"}, 422),
        ("999999/dismiss", {}, 404),
    ],
)
def test_what_cannot_be_done_is_a_problem_that_says_why(
    web: TestClient, told: int, path: str, body: dict, status: int
) -> None:
    answer = web.post(f"/api/v1/suggestions/{path.format(told=told)}", json=body)
    assert answer.status_code in (status, 400 if status == 422 else status), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert web.get(f"/api/v1/suggestions/{told}").json()["state"] == "open"


def test_the_command_line_lists_shows_and_remembers(house: Path, told: int, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "suggestions", "list", "--json")
    assert code == 0
    assert told in [s["suggestion_id"] for s in json.loads(out)]
    code, out, _ = run(capsys, "suggestions", "show", str(told))
    assert code == 0
    assert "independence" in out
    assert "near misses" in out
    assert run(capsys, "suggestions", "dismiss", str(told))[0] == 0
    _, out, _ = run(capsys, "suggestions", "list", "--state", "dismissed", "--json")
    assert [(s["suggestion_id"], s["decided_by"]) for s in json.loads(out)] == [(told, "cli")]
    assert run(capsys, "suggestions", "reopen", str(told))[0] == 0
    code, _, err = run(capsys, "suggestions", "show", "999999")
    assert (code, "framewatch suggestions list" in err) == (1, True)


def test_adopting_by_hand_writes_the_file_and_says_what_comes_next(
    house: Path, told: int, capsys: pytest.CaptureFixture[str]
) -> None:
    file = house / "mine.yaml"
    file.write_text(CODEBOOK.replace("frames:", "frames:  # ours"), encoding="utf-8")
    code, _, err = run(capsys, "suggestions", "adopt", str(told), "--into", str(file), "--id", "crates", "--no-preview")
    assert code == 0
    assert f"framewatch codebook apply {file}" in err
    assert "# ours" in file.read_text(encoding="utf-8")
    assert files.parse(file.read_text(encoding="utf-8")).frames[-1].id == "crates"
    other = house / "other.yaml"
    other.write_text(CODEBOOK.replace("codebook: test", "codebook: other"), encoding="utf-8")
    before = other.read_text(encoding="utf-8")
    code, _, err = run(capsys, "suggestions", "adopt", str(told), "--into", str(other))
    assert (code, other.read_text(encoding="utf-8")) == (1, before)
    assert "the file is other" in err


def test_suggest_does_nothing_when_nothing_is_due_and_all_when_asked(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "suggest")
    assert (code, out) == (0, "")
    assert "--now" in err
    code, out, err = run(capsys, "suggest", "--now")
    assert code == 0
    assert "without a frame" in out
    assert "grouping" in err
    (made,) = json.loads(run(capsys, "suggest", "--now", "--json")[1])
    assert made["posts"] >= made["units"] >= made["grouped"]
    assert f"in groups {made['grouped']:,} of" in out
    assert json.loads(run(capsys, "suggest", "--json")[1]) == []
    code, _, err = run(capsys, "suggest", "--now", "--codebook", "nobody")
    assert (code, "no codebook nobody is current" in err) == (1, True)


def test_a_digest_tells_what_is_new_and_forgets_what_is_erased(world: World, told: int) -> None:
    now = world.clock()
    with world.store.transaction() as tx:
        assert drafts.new_suggestions(tx, now - timedelta(days=2), now - timedelta(days=1)) == []
        found = drafts.new_suggestions(tx, now - timedelta(days=1), now + timedelta(seconds=1))
        (mine,) = [s for s in found if s["suggestion_id"] == told]
        body = {"digest": "daily", "slot": now.isoformat(), "timezone": "UTC", "suggestions": [mine]}
        tx.execute(
            "insert into digests (digest, schedule, timezone, since) values ('daily', '0 7 * * *', 'UTC', %s)", (now,)
        )
        tx.execute(
            "insert into digest_slots (digest, slot, body, composed_at) values ('daily', %s, %s, %s)",
            (now, json.dumps(body), now),
        )
        gone = mine["typical"][0]
        posts.delete_posts(tx, "rss", [gone["native_id"]], now)
    upkeep(world.rt)
    kept = str(world.one("select body from digest_slots"))
    assert gone["text"] not in kept
    assert mine["typical"][1]["text"] in kept


def test_the_mail_quotes_a_typical_post(world: World, told: int) -> None:
    from tests.channels.notices import digest_data

    now = world.clock()
    with world.store.transaction() as tx:
        found = drafts.new_suggestions(tx, now - timedelta(days=1), now + timedelta(seconds=1))
    (mine,) = [s for s in found if s["suggestion_id"] == told]
    for form in render(Notice("n", "digest", "Daily", digest_data(suggestions=[mine])), "https://watch.example/"):
        assert "a new frame" in form.lower()
        assert mine["typical"][0]["text"][:30] in form
