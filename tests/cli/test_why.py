"""framewatch why: a stored post and a text by hand, for people and for programs; mistakes told with the way out."""

import json
import re

import pytest

from services import demo
from services.cli import main
from services.cli.why import LEAST_WEIGHT
from tests.api import judged


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FRAMEWATCH_MODEL", "noop")

    def call(*arguments):
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.yaml"
    path.write_text(judged.BOOK)
    return path


def test_a_text_by_hand_is_explained_without_a_database(run, book):
    code, out, err = run("why", "--text", judged.TEXTS["show"], "--codebook", book, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert (told["post"], told["version"], told["codebook"]) == (None, None, "small")
    assert told["reasons"][0]["frame"] == "show"
    code, out, _ = run("why", "--text", judged.TEXTS["show"], "--codebook", book)
    for said in (
        "A show (show): carries",
        judged.TEXTS["show"],
        "without it",
        "nearest examples:",
        "together +",
        "log odds",
    ):
        assert said in out


@pytest.mark.parametrize("text", ["A show for the cameras", "word", "The museum opens at ten", judged.TEXTS["arabic"]])
def test_what_weighs_next_to_nothing_is_no_reason(run, book, text):
    asked = ("why", "--text", text, "--codebook", book, "--frame", "show")
    reason = json.loads(run(*asked, "--json")[1])["reasons"][0]
    told = run(*asked)[1]
    for items, name in ((reason["examples"], "nearest examples"), (reason["counterexamples"], "against it")):
        heavy = [item for item in items if abs(item["push"]) >= LEAST_WEIGHT]
        assert [f"{item['push']:+.2f}  meaning {item['meaning']:.2f}" in told for item in heavy] == [True] * len(heavy)
        assert (f"{name}: none near enough" in told) == (not heavy)
    said = re.findall(r"([+-][0-9.]+)  meaning", told)
    assert all(abs(float(push)) > LEAST_WEIGHT - 0.01 for push in said), said


def test_stance_is_told_only_where_it_is_on(run, book, monkeypatch):
    asked = ("why", "--text", judged.TEXTS["show"], "--codebook", book)
    assert json.loads(run(*asked, "--json")[1])["reasons"][0]["stance"] is None
    assert "experimental" not in run(*asked)[1]
    monkeypatch.setenv("FRAMEWATCH_STANCE", "on")
    told = json.loads(run(*asked, "--json")[1])
    assert told["reasons"][0]["stance"] in ("promotes", "disputes", "reports", "unclear")
    assert {f["stance"] for f in told["frames"] if f["answer"] != "carries"} <= {None}
    assert "(experimental)" in run(*asked)[1]


@pytest.mark.parametrize(
    "text", ["", "🎭", "a\x00b \ud800", "word " * 20_000, "https://example.org/x", "[bold]x[/bold]"]
)
def test_any_text_is_explained(run, book, text):
    code, out, err = run("why", "--text", text, "--codebook", book, "--frame", "other")
    assert code == 0, err
    assert "Something else (other): " in out
    assert ("[bold]" in text) == ("[bold]" in out)


def test_a_stored_post_is_explained(run, store, database_url, monkeypatch):
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)
    numbers = judged.seed(store)
    code, out, err = run("why", numbers["arabic"], "--frame", "show", "--codebook", "small", "--json")
    assert code == 0, err
    assert json.loads(out)["post"]["text"] == judged.TEXTS["arabic"]
    code, _, err = run("why", 10**6)
    assert code == 1
    assert "there is no post 1000000" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give the number of a post"),
        (["1", "--text", "x"], "give the number of a post"),
        (["--text", "x"], "--text needs --codebook FILE"),
        (["--text", "x", "--codebook", "nowhere.yaml"], "there is no file nowhere.yaml"),
        (["x"], "not a valid integer"),
    ],
)
def test_mistakes_are_told(run, arguments, said):
    code, _, err = run("why", *arguments)
    assert code
    assert said in err


def test_a_frame_that_the_file_lacks_is_told(run, tmp_path):
    (tmp_path / "demo.yaml").write_text(demo.codebook_text())
    code, _, err = run("why", "--text", "x", "--codebook", tmp_path / "demo.yaml", "--frame", "nope")
    assert code == 1
    assert "there is no frame nope in the codebook palmyra-2016" in err
