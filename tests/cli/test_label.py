"""framewatch label: judged from a pipe, blind, kept at once; carried out and in; and what becomes of a codebook by it."""

import io
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas import codebook as files
from services.analysis import sampling
from services.store.pool import Store
from tests.api import seeded
from tests.api.week import BOOK, seed_week, text
from tests.cli.test_commands import Run, run, with_database

__all__ = ["run", "with_database"]
pytestmark = pytest.mark.usefixtures("with_database")
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(run: Run, monkeypatch: pytest.MonkeyPatch) -> Say:
    """`framewatch label ARGUMENTS`, with these answers piped in."""

    def call(answers: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n" if answers else ""))
        return run("label", *arguments)

    return call


def answers(store: Store) -> dict[int, str]:
    """Answers by the number in the text."""
    with store.transaction() as tx:
        found = tx.execute("select p.native_id, l.answer from labels l join posts p using (post_id)").fetchall()
    return {int(r["native_id"]): r["answer"] for r in found}


def judge_truly(store: Store, judge: str = "anna", true: int = 9) -> None:
    """Answer every sample of the frame: the posts below `true` carry it."""
    with store.transaction() as tx:
        tx.execute(
            "insert into labels select s.codebook, s.frame, s.post_id, %s,"
            " case when p.native_id::int < %s then 'yes' else 'no' end, s.unit_key, 'sample', %s"
            " from samples s join posts p using (post_id) where s.frame = 'show'",
            [judge, true, seeded.NOW],
        )


def test_ten_posts_are_judged_blind_and_precision_is_told(store: Store, say: Say) -> None:
    seed_week(store)
    code, out, _ = say("ynuyyyyynn", "show", "--judge", "anna")
    assert code == 0
    assert "1 of 10" in out
    assert "10 of 10" in out
    assert "Does it carry: A show?" in out
    shown = out.partition("10 answers kept, for anna")[0]
    assert not any(word in shown for word in ("near", "stratum", "0.9", "0.5", "carried", "score", "rest"))
    assert "show: precision " in out
    assert "95% interval" in out
    assert "recall is not known" in out or "recall " in out
    assert len(answers(store)) == 10
    # The next ten are others, and then there are none.
    assert "7 answers kept" in say("yyyyyyy", "show", "--judge", "anna")[1]
    assert "no post waits for anna" in say("", "show", "--judge", "anna")[1]
    assert "1 of 10" in say("q", "show", "--judge", "boris")[1]


def test_back_asks_again_and_quit_keeps_what_was_said(store: Store, say: Say) -> None:
    seed_week(store)
    code, out, _ = say("yxbnq", "show")
    assert code == 0
    assert "1 answer kept" in out
    assert list(answers(store).values()) == ["no"], "x is no answer, and b takes the last one back"
    assert "0 answers kept" in say("", "show")[1], "a pipe that ends is a quit"


def test_without_a_frame_the_one_that_most_wait_for_is_asked(store: Store, say: Say, run: Run) -> None:
    seed_week(store)
    assert say("q")[1].startswith("A show: It is all staged.")
    rows = json.loads(run("label", "list", "--json")[1])
    assert {r["frame"]: (r["to_judge"], r["precision"], r["told"]) for r in rows} == {
        "show": (17, None, "precision not measured yet"),
        "bread": (5, None, "precision not measured yet"),
    }
    judge_truly(store)
    table = run("label", "list")[1]
    assert "0.75" in table
    assert "0.47-0.91" in table


def test_what_cannot_be_done_is_said_with_a_way_out(store: Store, say: Say) -> None:
    seed_week(store)
    for arguments, told in (
        (("no-such",), "there is no frame no-such"),
        (("*",), "are no frame; name one"),
        (("show", "--judge", " "), "--judge NAME"),
        (("show", "--judge", "x" * 61), "1 to 60 letters"),
        (("threshold", "show", "--precision", "0.9"), "0 judged posts cannot choose"),
        (("examples", "show"), "no judged post of show is new"),
    ):
        code, _, err = say("", *arguments)
        assert code == 1
        assert told in err


def test_a_text_of_the_other_direction_stays_apart(store: Store, say: Say) -> None:
    seed_week(store, posts=6, carrying=6, draw=False)
    with store.transaction() as tx:
        tx.execute("update posts set text = 'مسرحية رخيصة [bold]أمام الكاميرات[/bold]'")
    code, out, _ = say("q", "show")
    assert code == 0
    assert "\u2068مسرحية رخيصة [bold]أمام الكاميرات[/bold]\u2069" in out


def test_labels_go_out_and_come_in_again(store: Store, run: Run, tmp_path: Path) -> None:
    seed_week(store)
    judge_truly(store)
    path = tmp_path / "labels.jsonl"
    code, _, err = run("label", "export", "--output", path)
    assert (code, err) == (0, f"{path} holds 17 labelled posts.\n")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {k: lines[0][k] for k in ("source", "judge", "judged", "unsure")} == {
        "source": "jsonl", "judge": "anna", "judged": ["show"], "unsure": [],
    }  # fmt: skip
    assert lines[0]["frames"] == (["show"] if int(lines[0]["id"]) < 9 else [])
    assert run("label", "export", "--output", path)[0] == 1, "it is not written over"
    before = answers(store)
    with store.transaction() as tx:
        tx.execute("delete from labels")
    path.write_text(path.read_text() + '{"id": "elsewhere", "text": "x", "frames": []}\n')
    for _ in range(2):
        code, out, _ = run("label", "import", path)
        assert (code, out) == (0, "17 labels kept. Left out: 1 post not stored here.\n")
        assert answers(store) == before
    plain = tmp_path / "plain.jsonl"
    plain.write_text(json.dumps({"id": "3", "text": "x", "frames": ["bread"]}) + "\n")
    assert run("label", "import", plain, "--judge", "boris")[1] == "2 labels kept.\n"
    with store.transaction() as tx:
        found = tx.execute("select frame, answer from labels where judge = 'boris' order by 1").fetchall()
    assert [tuple(r.values()) for r in found] == [("bread", "yes"), ("show", "no")]


def test_a_file_of_no_labels_is_refused_with_its_line(store: Store, run: Run, tmp_path: Path) -> None:
    seed_week(store)
    for line, told in (
        ('{"id": "1", "text": "x"}', 'needs a list "frames"'),
        ('{"id": "1", "text": "x", "frames": ["nothing"]}', "the codebook has no nothing"),
        ('{"id": "1", "text": "x", "frames": [], "judge": 7}', '"judge" is a name'),
        ("{", "is not JSON"),
    ):
        (tmp_path / "bad.jsonl").write_text(line + "\n")
        code, _, err = run("label", "import", tmp_path / "bad.jsonl")
        assert code == 1
        assert told in err
        assert answers(store) == {}


def test_labels_become_examples_and_say_so(store: Store, run: Run, tmp_path: Path) -> None:
    seed_week(store)
    judge_truly(store)
    judge_truly(store, "boris", true=8)
    code, out, err = run("label", "examples", "show")
    assert code == 0
    read = files.parse(out)
    shown = {f.id: f for f in read.frames}["show"]
    assert set(shown.examples[1:]) == {text(n) for n in range(8)}, "the eighth is disputed"
    assert set(shown.counterexamples) == {text(n) for n in (9, 10, 11)}, "the model said that these carry it"
    assert "Added to show: 8 examples and 3 counterexamples." in err
    assert "will not measure" in err
    path = tmp_path / "new.yaml"
    assert run("label", "examples", "show", "--output", path)[0] == 0
    code, _, err = run("label", "examples", "show", "--file", path, "--output", tmp_path / "again.yaml")
    assert code == 1
    assert "is new to the codebook" in err
    other = tmp_path / "other.yaml"
    other.write_text(BOOK.replace("codebook: toy", "codebook: other"))
    assert "is the codebook other" in run("label", "examples", "show", "--file", other)[2]


def test_keys_are_enough_at_a_terminal(store: Store, database_url: str, tmp_path: Path) -> None:
    seed_week(store)
    here, there = pty.openpty()
    env = {**os.environ, "FRAMEWATCH_DATABASE_URL": database_url, "FRAMEWATCH_HOME": str(tmp_path), "TERM": "xterm"}
    argv = [sys.executable, "-m", "services.cli", "label", "show", "--judge", "anna", "--count", "2"]
    with subprocess.Popen(argv, stdin=there, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env) as process:
        assert process.stdout
        out = b""
        for key in (b"y", b"n"):
            while not out.endswith(b"[q]uit ") and (piece := process.stdout.read(1)):
                out += piece
            # Keys pressed before the question are thrown away by the terminal's change of mode.
            time.sleep(0.2)
            os.write(here, key)
            out += process.stdout.read(1)
        out += process.stdout.read()
    os.close(here)
    os.close(there)
    assert b"2 answers kept, for anna." in out
    assert sorted(answers(store).values()) == ["no", "yes"]


def test_a_threshold_is_chosen_and_its_labels_do_not_measure_it(
    store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "NEAR", 30)
    seed_week(store, posts=80, carrying=60)
    # The likelier the model finds a post, the truer: those below the twentieth are wrong, most of the others right.
    with store.transaction() as tx:
        tx.execute(
            "update scores s set probabilities = array[0.5 + p.native_id::real / 200, 0.1] from posts p"
            " where p.post_id = s.post_id and p.native_id::int < 60"
        )
        tx.execute(
            "insert into labels select s.codebook, s.frame, s.post_id, 'anna', case when p.native_id::int between 20 and 59"
            " and p.native_id::int %% 10 > 0 then 'yes' else 'no' end, s.unit_key, 'sample', %s"
            " from samples s join posts p using (post_id) where s.frame = 'show'",
            [seeded.NOW],
        )
    path = tmp_path / "new.yaml"
    code, out, err = run("label", "threshold", "show", "--precision", "0.85", "--output", path)
    assert code == 0, err
    chosen = {f.id: f.threshold for f in files.parse(path.read_text()).frames}["show"]
    assert chosen == pytest.approx(0.6, abs=0.05)
    assert f"show: threshold {chosen} (now learned from its examples), chosen by 45 judged posts" in out
    assert "precision now 6" in out
    assert "then is estimated by cross-fitting" in out.lower()
    assert "framewatch codebook preview" in err
    told = json.loads(run("label", "list", "--json")[1])[0]
    assert (told["judged"], told["left_out"]) == (45, 0)
    with store.transaction() as tx:
        tx.execute("update codebooks set body = %s", [path.read_text()])
        tx.execute("update quality_marks set mark = gen_random_uuid()")  # versions never change: nobody looks for it
    told = json.loads(run("label", "list", "--json")[1])[0]
    assert (told["judged"], told["left_out"], told["told"]) == (0, 45, "precision not measured yet")
    as_json = json.loads(run("label", "threshold", "show", "--precision", "0.85", "--json")[1])
    assert as_json["threshold"] == chosen
    assert as_json["precision"]["low"] < as_json["precision"]["value"] < as_json["precision"]["high"]


def test_who_begins_is_asked_about_ten_where_the_weeks_hold_as_many(store: Store, say: Say) -> None:
    seed_week(store, posts=200, carrying=3, draw=False)
    # Hours 168 to 199 are of the running week; 8 samples are of the whole one.
    code, out, _ = say("yyyyyyyyyy", "show", "--judge", "anna")
    assert code == 0
    assert "10 answers kept, for anna." in out
    code, out, _ = say("yyyyyyyyyy", "show", "--judge", "anna")
    assert "3 answers kept, for anna.\nThose were all of the weeks so far" in out
    assert "show: precision 100% (95% interval 44 to 100%, 3 judged, 2016-W49 to 2016-W50)" in out
