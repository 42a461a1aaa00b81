"""What a newcomer sees: `framewatch up --demo` in an empty home, then every command and address it names."""

import email
import email.policy
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services import demo
from tests.living import Living, living
from tests.waiting import wait


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    # A space and letters beyond ASCII: homes have them.
    home = tmp_path_factory.mktemp("home") / "framewatch дом"
    with living(home, "--demo") as house:
        wait(lambda: "The replay is over" in (home / "up.log").read_text(), 150, every=0.5)
        yield house


def get(house: Living, path: str, **params: str | int) -> dict:
    answer = httpx.get(f"{house.run['addresses']['api']}/{path}", params=params, timeout=10)
    answer.raise_for_status()
    return dict(answer.json())


@pytest.mark.timeout(240)
def test_the_burst_of_december_is_in_the_trend(house: Living) -> None:
    points = get(house, "trends", frame="staged-theatrics", step="1d")["points"]
    by_day = {p["at"][:10]: p["posts"] or 0 for p in points}
    quiet = [by_day.get(f"2016-12-0{d}", 0) for d in range(3, 10)]
    assert max(quiet) <= 3
    assert by_day["2016-12-11"] >= 10
    assert by_day["2016-12-11"] > 3 * max(quiet)


def test_each_burst_is_one_alert_with_evidence_of_people_and_posts(house: Living) -> None:
    alerts = get(house, "alerts", limit=50)["alerts"]
    frames = [a["frame"] for a in alerts]
    assert "staged-theatrics" in frames
    assert len(frames) == len(set(frames)), "a frame was told twice"
    for alert in alerts:
        assert "2016-12-10" <= alert["onset"][:10] <= "2016-12-14"
        evidence = get(house, f"alerts/{alert['alert_id']}")["evidence"]
        assert evidence["counts"]["posts"] >= 5
        assert evidence["counts"]["authors"] >= 3
        assert evidence["expected"]["ratio_low"] > 1
        assert evidence["typical"]
        assert evidence["first_carriers"]
        assert {s["source"] for s in evidence["sources"]} == {"rss", "jsonl"}
        assert evidence["codebook"]["id"] == "palmyra-2016"
        assert evidence["model"].startswith("multilingual-e5-small@")


def test_the_classifier_agrees_with_the_people_who_wrote_the_posts(house: Living) -> None:
    """Most sample posts carry nothing, and most of those that carry a frame are found: learned, not looked up."""
    posts, cursor = [], None
    while True:
        page = get(house, "posts", limit=200, **({"cursor": cursor} if cursor else {}))
        posts += page["posts"]
        cursor = page["next"]
        if not cursor:
            break
    truth = {p["id"]: set(p["frames"]) for p in demo.posts()}
    said = {p["native_id"]: set(p["frames"]) for p in posts}
    assert said.keys() == truth.keys()
    both = sum(len(said[i] & truth[i]) for i in truth)
    assert both / sum(map(len, truth.values())) > 0.6
    assert both / max(sum(map(len, said.values())), 1) > 0.6


def test_verify_prints_every_identity_with_its_numbers(house: Living) -> None:
    told = house.cli("verify").stdout
    for name in ("fetched", "stored", "counted once", "trend", "alerts"):
        assert name in told
    assert "Everything adds up" in told
    found = {i["name"]: i for i in json.loads(house.cli("verify", "--json").stdout)}
    assert found["stored"]["count"] == len(demo.posts())
    assert not any(i["drift"] for i in found.values())


def test_verify_finds_a_planted_drift_and_exits_1(house: Living) -> None:
    store = house.store()
    plant = "update trend_points set posts = posts + %s where frame = '*' and bucket = (select min(bucket) from trend_points where frame = '*')"
    with store.transaction() as tx:
        tx.execute(plant, [1])
    done = house.cli("verify", check=False)
    with store.transaction() as tx:
        tx.execute(plant, [-1])
    store.close()
    assert done.returncode == 1
    assert "These do not add up: trend" in done.stdout


def test_alert_and_digest_came_by_mail_through_smtp(house: Living) -> None:
    mails = [
        email.message_from_bytes(p.read_bytes(), policy=email.policy.default)
        for p in (house.home / "mail").glob("*.eml")
    ]
    subjects = [str(m["Subject"]) for m in mails]
    assert any(" is rising" in s for s in subjects)
    bodies = [str(m.get_body(("plain",)).get_content()) for m in mails]
    assert any("Staged theatrics" in b and "independent voices" in b for b in bodies)
    digests = [m for m in mails if "Palmyra, December 2016" in str(m["Subject"])]
    assert digests
    assert len({m["Message-ID"] for m in mails}) == len(mails)
    assert all(m.get_body(("plain",)) and m.get_body(("html",)) for m in mails)


def test_the_operators_commands_say_what_is(house: Living) -> None:
    status = json.loads(house.cli("status", "--json").stdout)
    assert status["database"]["sizes"]["posts"] == len(demo.posts())
    assert {p["state"] for p in status["up"]["processes"].values()} == {"running"}
    shown = house.cli("status").stdout
    assert "false alarm" in shown
    assert "worker-model" in shown
    assert "Sample posts (rss)" in shown
    assert "Nothing is wrong" in house.cli("doctor").stdout
    listed = json.loads(house.cli("alerts", "list", "--json").stdout)
    told = house.cli("alerts", "show", listed[0]["alert_id"]).stdout
    assert listed[0]["title"] in told
    assert house.cli("alerts", "show", "none", check=False).returncode == 1
    assert "Palmyra" in house.cli("digest", "preview").stdout
    assert "<table" in house.cli("digest", "preview", "--html").stdout
    assert "palmyra-2016" in house.cli("codebook", "list").stdout


def test_metrics_tell_the_burst(house: Living) -> None:
    text = httpx.get(house.run["addresses"]["metrics"], timeout=10).text
    samples: dict[tuple, float] = {}
    for s in (s for f in text_string_to_metric_families(text) for s in f.samples):
        key = (s.name, s.labels.get("frame"), s.labels.get("outcome"))
        samples[key] = samples.get(key, 0) + s.value
    assert samples["framewatch_up", None, None] == 1
    assert samples["framewatch_intake_posts_total", None, "new"] == len(demo.posts())
    assert ("framewatch_frame_burst", "staged-theatrics", None) in samples


def test_the_console_answers(house: Living) -> None:
    page = httpx.get(house.run["addresses"]["console"], timeout=10)
    assert page.status_code == 200
    assert "Staged theatrics" in page.text


def test_a_second_house_in_the_same_home_is_refused_with_the_way_out(house: Living) -> None:
    done = house.cli("up", check=False)
    assert done.returncode == 1
    assert "already runs" in done.stderr
    assert "FRAMEWATCH_HOME" in done.stderr


def test_a_changed_codebook_becomes_current_without_embedding_anything(house: Living, tmp_path: Path) -> None:
    before = json.loads(house.cli("status", "--json").stdout)["database"]["sizes"]["embeddings"]
    changed = tmp_path / "changed.yaml"
    changed.write_text(
        demo.codebook_text().replace("title: The fall of Palmyra", "title: Palmyra falls"), encoding="utf-8"
    )
    assert "version 2 is building" in house.cli("codebook", "apply", str(changed)).stdout

    def current() -> bool:
        return any(
            v["version"] == 2 and v["state"] == "current"
            for v in json.loads(house.cli("codebook", "list", "--json").stdout)
        )

    wait(current, 40, every=1)
    house.cli("verify")
    assert json.loads(house.cli("status", "--json").stdout)["database"]["sizes"]["embeddings"] == before
    assert len(get(house, "alerts", limit=50)["alerts"]) == len(
        {a["frame"] for a in get(house, "alerts", limit=50)["alerts"]}
    )


def test_classify_and_evaluate_offline(house: Living, tmp_path: Path) -> None:
    book, posts, out = tmp_path / "book.yaml", tmp_path / "posts.jsonl", tmp_path / "scores.jsonl"
    book.write_text(demo.codebook_text(), encoding="utf-8")
    some = [p for p in demo.posts() if p["frames"]][:60] + [p for p in demo.posts() if not p["frames"]][:60]
    posts.write_text("".join(json.dumps(p) + "\n" for p in some), encoding="utf-8")
    house.cli("classify", "--codebook", str(book), "--input", str(posts), "--output", str(out))
    scores = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [s["id"] for s in scores] == [p["id"] for p in some]
    assert all(len(s["scores"]) == 8 and all(0 <= v <= 1 for v in s["scores"].values()) for s in scores)
    told = json.loads(house.cli("codebook", "evaluate", str(book), "--posts", str(posts), "--json").stdout)
    assert told["macro_f1"] > 0.5


@pytest.mark.timeout(120)
def test_a_replay_closes_with_its_figures(house: Living, tmp_path: Path) -> None:
    """Of posts that are there already: the house stays as the next test wants it."""
    known = {p["native_id"] for p in get(house, "posts", source="jsonl", limit=20)["posts"]}
    again = [p for p in demo.posts() if p["id"] in known]
    (tmp_path / "again.jsonl").write_text("".join(json.dumps(p) + "\n" for p in again), encoding="utf-8")
    told = json.loads(house.cli("replay", str(tmp_path / "again.jsonl"), "--json").stdout)
    assert told["posts"] == len(again) == 20
    assert told["per_second"] == pytest.approx(told["posts"] / told["seconds"])
    assert list(told["stages"]) == ["collect", "classify", "rollup"]
    for did in told["stages"].values():
        assert did["per_second"] == (pytest.approx(did["rows"] / did["seconds"]) if did["seconds"] else None)


def test_ctrl_c_stops_everything_and_the_next_start_finds_it_all(house: Living) -> None:
    """Last in this file: it ends the house, hard, and looks again."""
    children = house.tree()
    os.kill(house.process.pid, signal.SIGKILL)
    house.process.wait(10)
    psutil.wait_procs(children, timeout=30)
    assert not [p for p in children if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    with living(house.home, "--demo") as again:
        assert "replayed before" in (again.home / "up.log").read_text()[-2000:] or wait(
            lambda: "replayed before" in (again.home / "up.log").read_text(), 10
        )
        again.cli("verify")
        assert json.loads(again.cli("status", "--json").stdout)["database"]["sizes"]["posts"] == len(demo.posts())
        children = again.tree()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
