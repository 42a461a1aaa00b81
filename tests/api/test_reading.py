"""How things are read: what one has already, tables for spreadsheets, everything of a period, and news as it comes."""

import csv
import io
import json
import re
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from starlette.testclient import TestClient

from services.api import create_api, events, formats
from services.serve import create_app
from services.settings import Settings
from services.store import alerts, announcing, exports, feeds
from services.store.pool import Store
from tests.api import seeded
from tests.waiting import serving

V1 = "/api/v1"
CSV = {"Accept": "text/csv"}
YEAR = {"since": "2016-01-01T00:00:00Z"}
LISTS = ("/frames", "/trends?frame=*", "/trends/several", "/posts", "/alerts", "/feeds")


# what one has already


@pytest.mark.parametrize("path", [*LISTS, "/codebooks", "/openapi.json", "/rules"])
def test_what_one_has_is_not_sent_again(client, path):
    first = client.get(V1 + path)
    assert first.headers["etag"].startswith('W/"')
    again = client.get(V1 + path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(V1 + path, headers={"If-None-Match": 'W/"other"'}).status_code == 200


def test_what_changed_is_sent_and_the_clock_alone_changes_nothing(store):
    clock = [seeded.NOW]
    seeded.add_codebook(store)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=seeded.NOW, interval_s=60)
    api = TestClient(create_api(store, now=lambda: clock[0], intake=lambda: None))
    one, two = (api.get(f"{V1}/posts").headers["etag"], api.get(f"{V1}/feeds").headers["etag"])
    clock[0] += timedelta(milliseconds=5)
    assert (api.get(f"{V1}/posts").headers["etag"], api.get(f"{V1}/feeds").headers["etag"]) == (one, two)
    seeded.add_posts(store, feed_id, [(seeded.post("a", "text", seeded.NOW), [])], source="rss")
    assert api.get(f"{V1}/posts").headers["etag"] != one


def test_problems_and_streams_bear_no_mark(client):
    assert "etag" not in client.get(f"{V1}/alerts/nope").headers
    assert "etag" not in client.get(f"{V1}/exports/posts").headers


# tables


def table(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.mark.parametrize("path", LISTS)
def test_lists_and_trends_are_tables_too(client, path):
    rows = table(client.get(V1 + path, headers=CSV))
    told = client.get(V1 + path).json()
    if path == "/trends/several":
        assert len(rows) == len(told["frames"]) * len(told["at"])
        return
    things = next(v for v in told.values() if isinstance(v, list))
    assert len(rows) == len(things) > 0
    assert list(rows[0]) == list(things[0])


@pytest.mark.parametrize(
    ("accept", "is_csv"),
    [("text/csv", True), ("text/csv;q=0.5, application/json", False), ("application/json;q=0.1, text/csv", True),
     ("*/*", False), ("text/csv;q=0", False), ("text/csv;q=nan", False), ("", False)],
)  # fmt: skip
def test_who_likes_what_gets_it(client, accept, is_csv):
    kind = client.get(f"{V1}/feeds", headers={"Accept": accept}).headers["content-type"]
    assert kind.startswith("text/csv") is is_csv


def test_pages_of_a_table_follow_their_link(client):
    found, path = [], f"{V1}/posts?limit=200"
    while path:
        answer = client.get(path, headers=CSV)
        found += [r["post_id"] for r in table(answer)]
        path = answer.links["next"]["url"] if "next" in answer.links else None
    assert len(set(found)) == len(found) == 642


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.integers() | st.none()), max_size=5))
@settings(deadline=None)
def test_a_table_gives_back_its_text_and_no_formula(rows):
    told = formats.csv_table(["text", "n"], [{"text": t, "n": n} for t, n in rows])
    back = list(csv.reader(io.StringIO(told, newline="")))[1:]
    for (text, n), cells in zip(rows, back, strict=True):
        text = text.replace("\0", "")
        assert cells == [
            f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text,
            "" if n is None else str(n),
        ]
        assert not cells[0].startswith(("=", "+", "-", "@", "\t", "\r"))


# words


def test_words_find_posts_by_what_they_say(client):
    def found(**asked):
        answer = client.get(f"{V1}/posts", params={"limit": 500, **asked})
        assert answer.status_code == 200, answer.text
        return answer.json()["posts"]

    every = {p["post_id"]: p["text"] for p in found() + found(until="2016-12-10T00:00:00Z")}
    some = found(q="Stage")
    assert (
        {p["post_id"] for p in some} == {n for n, text in every.items() if re.search(r"\bstage\b", text, re.I)} != set()
    )
    framed = found(q="stage", frame="staged-theatrics")
    assert {p["post_id"] for p in framed} == {p["post_id"] for p in some if "staged-theatrics" in p["frames"]} != set()
    assert 0 < len(found(q="stage -audience")) < len(some)
    assert {"other stage" in p["text"].lower() for p in found(q='"other stage"')} == {True}
    assert found(q="nobodysaidthis") == []
    assert found(q="&|!():*") == []
    small, cursor = [], None
    while not small or cursor:
        page = client.get(
            f"{V1}/posts", params={"limit": 3, "q": "stage", **({"cursor": cursor} if cursor else {})}
        ).json()
        small, cursor = small + page["posts"], page["next"]
    assert small == some


# everything of a period


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.mark.parametrize("name", ["posts", "scores", "trends", "alerts"])
def test_an_export_says_the_same_in_every_format(client, name):
    asked = {**YEAR, "step": "1d"} if name == "trends" else YEAR
    as_lines = lines(client.get(f"{V1}/exports/{name}", params=asked))
    as_table = table(client.get(f"{V1}/exports/{name}", params={**asked, "format": "csv"}))
    answer = client.get(f"{V1}/exports/{name}", params={**asked, "format": "parquet"})
    assert "attachment" in answer.headers["content-disposition"]
    as_columns = parquet.read_table(io.BytesIO(answer.content)).to_pylist()
    assert len(as_lines) == len(as_table) == len(as_columns) > 3
    for line, cells, columns in zip(as_lines, as_table, as_columns, strict=True):
        assert list(line) == list(cells) == list(columns)
        for field, value in line.items():
            stored = columns[field]
            if isinstance(stored, datetime):
                assert stored == datetime.fromisoformat(value)
            elif isinstance(value, dict):
                assert json.loads(stored) == value
            else:
                assert stored == value


def test_an_export_of_posts_holds_every_post_and_its_frames(client, monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 1)  # every two posts of one moment stand in different batches
    found = lines(client.get(f"{V1}/exports/posts", params=YEAR))
    assert len(lines(client.get(f"{V1}/exports/scores", params=YEAR))) == 642
    monkeypatch.setattr(exports, "BATCH", 97)
    assert len({p["id"] for p in found}) == len(found) == 642
    assert [p["published_at"] for p in found] == sorted(p["published_at"] for p in found)
    some = lines(client.get(f"{V1}/exports/posts", params={**YEAR, "frame": "liberators", "lang": "ru"}))
    assert {p["id"] for p in some} == {p["id"] for p in found if "liberators" in p["frames"] and p["lang"] == "ru"}
    listed = client.get(f"{V1}/posts", params={"frame": "liberators", "lang": "ru", "limit": 500}).json()["posts"]
    assert {p["post_id"] for p in some} == {p["post_id"] for p in listed}


def test_scores_name_each_frame(client):
    line = lines(client.get(f"{V1}/exports/scores", params=YEAR))[0]
    assert line["model"] == "labels"
    assert line["codebook"] == "palmyra-2016"


def test_an_export_of_trends_keeps_gaps_and_every_step(client):
    asked = {"frame": "staged-theatrics", "since": "2016-12-07T00:00:00Z", "until": "2016-12-08T12:00:00Z"}
    told = client.get(f"{V1}/trends", params=asked).json()["points"]
    found = lines(client.get(f"{V1}/exports/trends", params=asked))
    assert [{k: line[k] for k in told[0] if k in line} for line in found] == [
        {k: p[k] for k in p if k in found[0]} for p in told
    ]
    assert any(line["posts"] is None for line in found)


def test_an_export_reads_no_further_than_it_is_read(palmyra, monkeypatch):
    """Flat memory: a batch is asked for when the one before has been handed on."""
    monkeypatch.setattr(exports, "BATCH", 10)
    asked = []
    real = exports.export_posts
    monkeypatch.setattr(exports, "export_posts", lambda tx, about: asked.append(1) or real(tx, about))
    store = Store(palmyra, size=1)
    whole = exports.posts(store, seeded.NOW, since=datetime(2016, 1, 1, tzinfo=UTC))
    chunks = formats.write("parquet", {"text": "text", "post_id": "int"}, whole)
    for number in range(1, 5):
        assert next(chunks)
        assert len(asked) == number
        with store.transaction() as tx:  # the only connection is free in between
            tx.execute("select 1")
    store.close()


@pytest.mark.parametrize(
    ("path", "status"),
    [("posts?format=xml", 422), ("posts?frame=nope", 404), ("trends?frame=nope", 404), ("nothing", 404),
     ("scores?codebook=nope", 404), ("posts?since=2016-01-01", 422), ("alerts?frame=%00", 422)],
)  # fmt: skip
def test_an_export_that_cannot_be_is_a_problem(client, path, status):
    answer = client.get(f"{V1}/exports/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_an_empty_house_exports_nothing(web):
    for name in ("posts", "scores", "trends", "alerts"):
        for form in ("jsonl", "csv", "parquet"):
            answer = web.get(f"{V1}/exports/{name}", params={"format": form})
            assert answer.status_code == 200, answer.text
            assert form != "parquet" or parquet.read_table(io.BytesIO(answer.content)).num_rows == 0


# news as it comes


class Wire:
    """A listener over real HTTP."""

    def __init__(self, address, last=None, **asked):
        headers = {"Last-Event-ID": last} if last else {}
        self.client = httpx.Client(timeout=20)
        self.stream = self.client.stream("GET", f"{address}{V1}/events", params=asked, headers=headers)
        self.answer = self.stream.__enter__()
        self.lines = self.answer.iter_lines()

    def next(self):
        """The next event: (name, data, id)."""
        event, quiet = {}, 0
        for line in self.lines:
            quiet += line == ": still here"
            assert quiet < 3, "nothing came"
            if not line and "data" in event:
                return event["event"], json.loads(event["data"]), event.get("id")
            field, _, value = line.partition(": ")
            if field:
                event[field] = value
        return None

    def close(self):
        self.stream.__exit__(None, None, None)
        self.client.close()


@pytest.fixture
def served(database_url, monkeypatch):
    monkeypatch.setattr(events, "EVERY_S", 0.05)
    monkeypatch.setattr(events, "HEARTBEAT_S", 3.0)
    conf = Settings(database_url=database_url)
    # Listeners may not keep the process from stopping: that it ends in time is asserted here.
    with serving(lambda stopping: create_app(conf, stopping=stopping), timeout_graceful_shutdown=30) as address:
        yield address


def raise_one(store, alert_id):
    with store.transaction() as tx:
        alerts.raise_alert(
            tx,
            {"alert_id": alert_id, "kind": "outage", "rule": "outage", "version_id": None, "frame": None, "feed_id": None,
             "onset": seeded.NOW, "last_bucket": seeded.NOW, "now": seeded.NOW,
             "evidence": {"reason": "r", "until": seeded.NOW.isoformat()}},
        )  # fmt: skip


A, B, C = ("a" * 20, "b" * 20, "c" * 20)


def test_alerts_are_told_as_they_move_and_nothing_is_missed_in_between(served, store):
    raise_one(store, A)
    ear = Wire(served, of="alerts")
    assert next(ear.lines) == "retry: 3000"
    raise_one(store, B)
    name, told, first = ear.next()
    assert (name, told["move"], told["alert"]["alert_id"]) == ("alert", "raised", B), "what was before is not told"
    ear.close()
    with store.transaction() as tx:
        announcing.ack(tx, B, seeded.NOW, "ann")
    raise_one(store, C)
    with store.transaction() as tx:
        alerts.resolve_alert(tx, B, last_bucket=seeded.NOW, now=seeded.NOW)
    again = Wire(served, last=first, of="alerts")
    moves = [again.next() for _ in range(3)]
    assert [(m[1]["move"], m[1]["alert"]["alert_id"]) for m in moves] == [
        ("acknowledged", B),
        ("raised", C),
        ("resolved", B),
    ]
    again.close()


def test_a_move_that_commits_late_is_not_passed_over(served, store):
    ear = Wire(served, of="alerts")
    next(ear.lines)
    with store.transaction() as slow:
        slow.execute("insert into erasures values (1, '', now())")  # takes its place in the order
        raise_one(store, B)
        time.sleep(0.3)
        slow.execute(
            "insert into alerts (alert_id, kind, rule, state, onset, last_bucket, raised_at, evidence)"
            " values (%s, 'outage', 'outage', 'firing', now(), now(), now(), '{}')", [A],
        )  # fmt: skip
    assert {ear.next()[1]["alert"]["alert_id"] for _ in range(2)} == {A, B}
    ear.close()


def test_trend_points_are_told_when_they_change(served, store):
    now = datetime.now(UTC)
    seeded.add_codebook(store)
    with store.transaction() as tx:
        feed_id, _ = feeds.add_feed(tx, source="rss", address="a", title="", now=now, interval_s=60)
    ear = Wire(served, of="trends", frame="liberators")
    next(ear.lines)
    for number in (1, 2):
        seeded.add_posts(store, feed_id, [(seeded.post(f"p{number}", "t", now), ["liberators"])], source="rss", now=now)
        name, told, identity = ear.next()
        assert (name, told["frame"], told["posts"], identity) == ("trend", "liberators", number, None)
    ear.close()


def test_a_quiet_listener_hears_that_the_line_is_alive_and_does_not_keep_a_connection(served, store, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.1)
    ears = [Wire(served, of="alerts") for _ in range(12)]  # twice the pool
    for ear in ears:
        assert ": still here" in [next(ear.lines) for _ in range(4)]
    assert httpx.get(f"{served}{V1}/feeds", timeout=20).status_code == 200
    for ear in ears:
        ear.close()


def test_listeners_are_counted(served, monkeypatch):
    monkeypatch.setattr(events, "MOST", 1)
    ear = Wire(served)
    next(ear.lines)
    answer = httpx.get(f"{served}{V1}/events", timeout=20)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    ear.close()


@pytest.mark.parametrize("last", ["x", "1", "1-", "-1", "1-1-1", "9" * 30 + "-1", "1-1\u00e9"])
def test_a_position_that_is_not_ours_is_refused(client, last):
    answer = client.get(f"{V1}/events", headers={b"Last-Event-ID": last.encode()})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "last-event-id", "it is named, what was sent is not"
