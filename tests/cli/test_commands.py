"""Commands by themselves: plain files in and out, mistakes told with the thing and the way out, exit status 1."""

import csv
import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from services import demo
from services.cli import main
from services.store.pool import Store

RSS = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>https://example.org/</link>
<item><guid>1</guid><title>First</title><description>Something happened</description>
<pubDate>Sat, 10 Dec 2016 16:00:00 GMT</pubDate></item></channel></rss>"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FRAMEWATCH_MODEL", "noop")

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


@pytest.fixture
def with_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in (
        "up",
        "status",
        "doctor",
        "verify",
        "feeds",
        "codebook",
        "classify",
        "replay",
        "detect",
        "alerts",
        "digest",
    ):
        assert f"\n  {name} " in out


def test_without_a_house_the_way_to_one_is_told(run: Run) -> None:
    code, _, err = run("verify")
    assert code == 1
    assert "framewatch up" in err
    assert "FRAMEWATCH_DATABASE_URL" in err


def test_a_typo_in_a_setting_refuses_to_start(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEWATCH_DATABSE_URL", "postgresql://x")
    code, _, err = run("status")
    assert code == 1
    assert "FRAMEWATCH_DATABSE_URL is not a setting" in err


def test_detect_finds_the_burst_in_a_csv(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = [(f"2016-12-{1 + h // 24:02d} {h % 24:02d}:00:00", 2 + h % 3 + (40 if h == 300 else 0)) for h in range(360)]
    source.write_text("timestamp,count\n" + "".join(f"{t},{c}\n" for t, c in rows))
    assert run("detect", "--input", source, "--output", out)[0] == 0
    found = list(csv.DictReader(out.read_text().splitlines()))
    assert [f["timestamp"] for f in found] == [t for t, _ in rows]
    assert next(f["timestamp"] for f in found if f["state"] == "burst") == rows[300][0]
    assert {f["state"] for f in found[:100]} == {"learning"}
    assert all(0 <= float(f["score"]) <= 1 for f in found)


def test_detect_takes_rows_as_they_come_values_and_holes(run: Run, tmp_path: Path) -> None:
    """A pipe, a value column with fractions and a negative, a row that was not heard, and an hour set back."""
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    rows = ["2016-12-01 00:00:00,1.5", "2016-12-01 01:00:00,-2", "2016-12-01 02:00:00,", "2016-12-01 01:30:00,1e9"]
    source.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    assert run("detect", "--input", source, "--output", out)[0] == 0
    found = list(csv.DictReader(out.read_text().splitlines()))
    assert [f["count"] for f in found] == ["1.5", "-2", "", "1000000000"]
    assert [f["state"] for f in found] == ["learning", "learning", "insufficient coverage", "learning"]
    assert all(0 <= float(f["score"]) <= 1 for f in found)


def test_detect_knows_times_as_numbers_and_the_words_for_a_hole(run: Run, tmp_path: Path) -> None:
    holes = ["", "NaN", "n/a", "null", "None", "-"]
    for first in ("2016-12-01 00:00:00", "1480550400"):
        rows = [f"{first},5", *(f"{1480554000 + 3600 * i},{hole}" for i, hole in enumerate(holes))]
        (tmp_path / "in.csv").write_text("\n".join([" Timestamp , Count", *rows]) + "\n")
        assert run("detect", "--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv")[0] == 0
        found = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
        assert [f["state"] for f in found] == ["learning"] + ["insufficient coverage"] * len(holes)


def test_detect_with_a_total_finds_bursts_of_the_share_alone(run: Run, tmp_path: Path) -> None:
    """Hour 250: all posts treble, these too. 300: these alone. 320: the total is not known. 321: nothing was posted."""
    rng = np.random.default_rng(4)
    total = rng.poisson(400, 360)
    total[250] *= 3
    count = rng.binomial(total, 0.1)
    count[300] *= 3
    lines = [
        f"2016-12-{1 + h // 24:02d} {h % 24:02d}:00,{c},{t}" for h, (c, t) in enumerate(zip(count, total, strict=True))
    ]
    lines[320] = lines[320].rpartition(",")[0] + ","
    lines[321] = "2016-12-14 09:00,0,0"
    states = []
    for header in ("timestamp,count,total", "timestamp,count,other"):
        (tmp_path / "in.csv").write_text("\n".join([header, *lines]) + "\n")
        assert run("detect", "--input", tmp_path / "in.csv", "--output", tmp_path / "out.csv")[0] == 0
        found = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
        states.append([f["state"] for f in found])
        assert float(found[300]["score"]) > 0.4
        assert (float(found[250]["score"]) > 0.4) == (header != "timestamp,count,total")
    shared, counted = states
    assert [h for h, state in enumerate(shared) if state == "burst"] == [300]
    assert counted[250] == counted[300] == "burst"
    assert [h for h, state in enumerate(shared) if state == "insufficient coverage"] == [320, 321]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("when,what\n", "in.csv:1: the first line must be timestamp,count"),
        ("timestamp,count\nyesterday,3\n", "in.csv:2: not a time and a count: 'yesterday,3'"),
        ("timestamp,count\n2016-12-01,-3\n", "in.csv:2: a count is 0 to 1e+12, not -3"),
        ("timestamp,count\n2016-12-01,1e300\n", "in.csv:2: a count is 0 to 1e+12, not 1e300"),
        ("timestamp,count\n2016-12-01,inf\n", "in.csv:2: a count is 0 to 1e+12, not inf"),
        ("timestamp,count\n-5,3\n", "in.csv:2: not a time and a count"),
        ("timestamp,count\n2016-12-02,3\n2016-12-01,3\n", "2016-12-01 comes after 2016-12-02; sort the rows by time"),
        ("timestamp,count,total\n2016-12-01,3,2\n", "in.csv:2: 3 of 2 in all; the total counts every post"),
        ("timestamp,count,total\n2016-12-01,3,-1\n", "in.csv:2: a count is 0 to 1e+12, not -1"),
        ("timestamp,count,total\n2016-12-01,3,many\n", "in.csv:2: not a time and a count: '2016-12-01,3,many'"),
    ],
)
def test_a_bad_csv_is_told_with_its_line(run: Run, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "in.csv").write_text(text)
    code, _, err = run("detect", "--input", tmp_path / "in.csv")
    assert code == 1
    assert told in err


def test_a_bad_codebook_is_told_with_line_and_frame(run: Run, tmp_path: Path) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(demo.codebook_text().replace("id: russia-blames-us", "id: Russia Blames"))
    code, _, err = run("codebook", "check", book)
    assert code == 1
    assert "frame Russia Blames: id" in err
    assert "use small letters" in err
    book.write_text(demo.codebook_text())
    assert "8 frames" in run("codebook", "check", book)[1]


def test_a_line_that_is_no_post_is_told_with_file_and_line(run: Run, tmp_path: Path) -> None:
    book, posts = tmp_path / "book.yaml", tmp_path / "posts.jsonl"
    book.write_text(demo.codebook_text())
    posts.write_text('{"id": "1", "text": "a"}\n{"id": "2"}\n')
    code, _, err = run("classify", "--codebook", book, "--input", posts)
    assert code == 1
    assert "posts.jsonl:2: a post needs" in err


def test_classify_reads_gzip_and_writes_one_line_a_post(run: Run, tmp_path: Path) -> None:
    book, posts = tmp_path / "book.yaml", tmp_path / "posts.jsonl.gz"
    book.write_text(demo.codebook_text())
    texts = ["", "😀", "https://example.org/x", "a\x00b \ud800", "word " * 20_000, "смешанный text نص"]
    with gzip.open(posts, "wt", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"id": number, "text": text}) + "\n")
    code, out, _ = run("classify", "--codebook", book, "--input", posts)
    assert code == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [str(i) for i in range(len(texts))]


def test_classify_tells_stance_only_where_it_is_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book, posts = tmp_path / "book.yaml", tmp_path / "posts.jsonl"
    book.write_text(demo.codebook_text())
    posts.write_text("".join(json.dumps({"id": p["id"], "text": p["text"]}) + "\n" for p in demo.posts()[300:340]))
    asked = ("classify", "--codebook", book, "--input", posts)
    off = [json.loads(line) for line in run(*asked)[1].splitlines()]
    assert all("stances" not in told for told in off)
    monkeypatch.setenv("FRAMEWATCH_STANCE", "on")
    on = [json.loads(line) for line in run(*asked)[1].splitlines()]
    assert all(list(told["stances"]) == told["frames"] for told in on)
    assert any(told["frames"] for told in on)
    assert [{k: v for k, v in told.items() if k != "stances"} for told in on] == off
    assert {s for told in on for s in told["stances"].values()} <= {"promotes", "disputes", "reports", "unclear"}
    monkeypatch.setenv("FRAMEWATCH_STANCE", "yes")
    code, _, err = run(*asked)
    assert code == 1
    assert "FRAMEWATCH_STANCE must be `on` or `off`" in err


def test_parse_shows_what_a_saved_answer_holds(run: Run, tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(RSS)
    code, out, err = run("feeds", "parse", tmp_path / "feed.xml", "--kind", "rss", "--json")
    assert code == 0
    post = json.loads(out)
    assert post["id"] == "1"
    assert post["published_at"] == "2016-12-10T16:00:00Z"
    assert "Something happened" in post["text"]
    assert "1 post from News" in err
    (tmp_path / "page.html").write_text("<!doctype html><html><head><title>A page</title></head><body>Hi</body></html>")
    code, _, err = run("feeds", "parse", tmp_path / "page.html")
    assert code == 1
    assert "Traceback" not in err


def test_check_refuses_a_private_address_and_obeys_an_allowance(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(RSS)))
            self.end_headers()
            self.wfile.write(RSS)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/feed"
    code, _, err = run("feeds", "check", address)
    assert code == 1
    assert "127.0.0.1" in err
    monkeypatch.setenv("FRAMEWATCH_ALLOW_NETWORKS", f"127.0.0.1:{server.server_address[1]}")
    code, out, _ = run("feeds", "check", address, "--json")
    server.shutdown()
    server.server_close()
    assert code == 0
    assert json.loads(out)["id"] == "1"


@pytest.mark.usefixtures("with_database")
def test_feeds_are_added_listed_paused_and_removed(run: Run, store: Store) -> None:
    assert "Added" in run("feeds", "add", "https://example.org/a", "https://example.org/b")[1]
    assert "Already there" in run("feeds", "add", "https://example.org/a")[1]
    listed = json.loads(run("feeds", "list", "--json")[1])
    assert [f["address"] for f in listed] == ["https://example.org/a", "https://example.org/b"]
    assert run("feeds", "set-state", "1", "paused")[0] == 0
    assert run("feeds", "remove", "2")[0] == 0
    assert run("feeds", "remove", "2")[0] == 1
    with store.transaction() as tx:
        spans = tx.execute("select ends_at is null as open from expected_spans").fetchall()
    assert spans == [{"open": False}]


@pytest.mark.usefixtures("with_database")
def test_a_codebook_is_applied_once_and_a_digest_has_a_schedule_that_can_be_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "book.yaml"
    book.write_text(demo.codebook_text())
    assert "version 1 is current" in run("codebook", "apply", book)[1]
    assert "version 1 is current" in run("codebook", "apply", book)[1]
    assert run("digest", "add", "--cron", "every morning")[0] == 1
    assert run("digest", "add", "--timezone", "Mars/Base")[0] == 1
    assert run("digest", "add", "--cron", "0 7 * * 1-5", "--timezone", "Europe/Berlin")[0] == 0
    assert "Palmyra" in run("digest", "preview")[1]
    book.write_text(demo.codebook_text().replace("title: The fall of Palmyra", "title: Palmyra falls"))
    assert json.loads(run("codebook", "apply", book, "--json")[1])["version"] == 2
    back = json.loads(run("codebook", "rollback", "--json")[1])
    assert (back["codebook"], back["version"], back["posts"]) == ("palmyra-2016", 1, 0)
    added = json.loads(run("digest", "add", "--name", "nightly", "--cron", "0 22 * * *", "--json")[1])
    assert (added["digest"], added["channels"], added["next_slot"][11:]) == ("nightly", None, "22:00:00Z")
    assert run("digest", "remove", "nightly")[0] == 0
    assert "next on" in run("digest", "add", "--name", "weekly", "--cron", "0 7 * * 1")[1]
    assert "already" in run("digest", "add", "--name", "weekly")[2]
    code, _, told = run("digest", "send", "daily")
    assert (code, "channels add" in told) == (1, True)
    mail = ("to=a@example.org,b@example.org", "sender=w@example.org", "host=mail.example.org")
    assert run("channels", "add", "team", "mail", *mail)[0] == 0
    assert "FRAMEWATCH_AUTHOR_KEY" in run("digest", "send", "daily")[2]
    monkeypatch.setenv("FRAMEWATCH_AUTHOR_KEY", "a secret of sixteen letters")
    assert "Queued for 2" in run("digest", "send", "daily")[1]
    assert "several digests" in run("digest", "send")[2]
    assert [r["address"] for r in json.loads(run("digest", "readers", "daily", "--json")[1])] == [
        "a@example.org", "b@example.org",
    ]  # fmt: skip
    assert run("digest", "readers", "daily", "--back", "a@example.org")[0] == 1
    assert [d["digest"] for d in json.loads(run("digest", "list", "--json")[1])] == ["daily", "weekly"]
    assert "weekly" in run("digest", "list")[1]
    assert (run("digest", "remove", "weekly")[0], run("digest", "remove", "weekly")[0]) == (0, 1)
    assert json.loads(run("digest", "preview", "--json")[1])["digest"] == "daily"
    shown = tmp_path / "browser"
    shown.write_text(f'#!/bin/sh\ncp "${{1#file://}}" {tmp_path}/seen.html\n')
    shown.chmod(0o755)
    monkeypatch.setattr("webbrowser._tryorder", None)
    monkeypatch.setenv("BROWSER", f"{shown} %s")
    assert "digest.html" in run("digest", "preview", "--open")[1]
    assert "Nothing was heard" in (tmp_path / "seen.html").read_text()


@pytest.mark.usefixtures("with_database")
def test_doctor_names_what_is_wrong_and_how_to_mend_it(run: Run) -> None:
    code, out, _ = run("doctor")
    assert code == 1
    assert "No codebook is current." in out
    assert "framewatch codebook apply FILE" in out
    assert "framewatch feeds add URL" in out


def test_a_database_that_is_away_is_told_in_one_line(tmp_path: Path) -> None:
    env = {**os.environ, "FRAMEWATCH_HOME": str(tmp_path)}
    env["FRAMEWATCH_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    argv = [sys.executable, "-m", "services.cli", "feeds", "list"]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr


def test_replay_without_a_house_says_how_to_start_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": "1", "text": "a"}\n')
    code, _, err = run("replay", tmp_path / "posts.jsonl")
    assert code == 1
    assert "framewatch up" in err
