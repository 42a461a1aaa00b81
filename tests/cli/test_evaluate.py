"""The faces of classification that need no database: classify, codebook check --learn, codebook evaluate."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from schemas import codebook as files
from schemas.errors import PermanentError
from services.analysis.reliability import Bin, calibration_error, reliability
from services.classifier.noop import NoopEncoder
from services.cli import classify as classifying
from services.cli import evaluate as evaluating
from services.cli.codebook import codebook
from services.cli.plot import svg
from services.settings import Settings

BOOK = """codebook: toy
title: Toy
frames:
  - {id: show, title: A show, description: It is a show., examples: [show one, show two, show three, show four, show five]}
  - {id: bread, title: Bread, description: Bread is dear., examples: [bread one, bread two, bread three]}
background: [rain, sun, wind, snow, a show of hail, frost]
"""


@pytest.fixture(autouse=True)
def no_model(monkeypatch):
    monkeypatch.setattr(classifying, "encoder_of", lambda conf: NoopEncoder())
    monkeypatch.setattr("services.settings.load", lambda: Settings())


@pytest.fixture
def book(tmp_path) -> Path:
    (tmp_path / "toy.yaml").write_text(BOOK)
    return tmp_path / "toy.yaml"


def posts_file(tmp_path, posts) -> Path:
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(json.dumps(post) + "\n" for post in posts))
    return file


def labelled(tmp_path, count=40) -> Path:
    kinds = [("show", ["show"]), ("bread", ["bread"]), ("weather", [])]
    return posts_file(tmp_path, [
        {"id": str(i), "text": f"{kinds[i % 3][0]} {i // 2}", "lang": "en" if i % 2 else "ru", "frames": kinds[i % 3][1]}
        for i in range(count)
    ])  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(codebook, [str(a) for a in arguments], catch_exceptions=False)


def test_figures_calibration_and_plot(tmp_path, book):
    plot = tmp_path / "reliability.svg"
    told = json.loads(run("evaluate", book, "--posts", labelled(tmp_path), "--plot", plot, "--json").output)
    assert [f["frame"] for f in told["frames"]] == ["show", "bread"]
    assert all(f["precision_low"] <= f["precision"] <= f["precision_high"] for f in told["frames"])
    assert set(told["by_language"]) == {"en", "ru"}
    assert sum(b["count"] for b in told["calibration"]) == 80
    assert 0 <= told["calibration_error"] <= 1
    assert plot.read_text().startswith("<svg")


def test_tables_name_every_figure(tmp_path, book):
    output = run("evaluate", book, "--posts", labelled(tmp_path)).output
    for word in (
        "precision",
        "recall",
        "F1",
        "95 %",
        "macro-F1",
        "calibration error",
        "given one",
        "English ",
        "Russian ",
    ):
        assert word in output


def test_cross_validation_learns_from_the_labelled_posts(tmp_path, book):
    posts = labelled(tmp_path, 120)
    f1 = [
        json.loads(run("evaluate", book, "--posts", posts, "--json", *more).output)["macro_f1"]
        for more in ([], ["--cross-validate", 4])
    ]
    assert f1[0] <= f1[1] > 0.9


def test_no_post_is_answered_by_its_own_label(monkeypatch):
    taught = []

    def spy(encoder, read, posts):
        texts = {t for f in read.frames for t in f.examples} | set(read.background)
        taught.append(texts & {p["text"] for p in posts})
        return np.zeros((len(posts), 2), np.float32), np.zeros((len(posts), 2), bool)

    monkeypatch.setattr(evaluating, "answered", spy)
    posts = [{"id": str(i), "text": f"post {i % 15}", "frames": ["show"] if i % 2 else []} for i in range(30)]
    evaluating._cross_validated(NoopEncoder(), files.parse(BOOK), posts, 5)
    assert taught
    assert not any(taught)


@pytest.mark.parametrize(
    ("post", "message"),
    [
        ({"id": "7", "text": "a"}, "post 7 has no list"),
        ({"id": "7", "text": "a", "frames": ["other"]}, "the codebook has no other"),
    ],
)
def test_labels_that_cannot_be_meant_are_refused(tmp_path, book, post, message):
    with pytest.raises(PermanentError, match=message):
        run("evaluate", book, "--posts", posts_file(tmp_path, [post]))


def test_another_picture_format_is_refused(tmp_path, book):
    with pytest.raises(PermanentError, match=r"ends in \.svg"):
        run("evaluate", book, "--posts", labelled(tmp_path), "--plot", tmp_path / "a.png")


def test_check_learns_when_asked(tmp_path, book):
    book.write_text(BOOK.replace("rain,", "'show one https://example.org/1',"))
    assert "contradict" not in run("check", book).stderr
    said = run("check", book, "--learn").stderr
    assert "frame show: " in said
    assert "says the same as an example" in said
    assert "frame bread: examples are few (3)" in said


def test_bins_and_their_error():
    bins = reliability(np.array([[0.0, 0.05], [1.0, 0.95]]), np.array([[False, False], [True, False]]))
    assert [(b.low, b.count) for b in bins] == [(0.0, 2), (0.9, 2)]
    assert calibration_error(bins) == pytest.approx((2 * 0.025 + 2 * 0.475) / 4)
    assert calibration_error([]) == 0


def test_a_plot_escapes_its_title():
    assert "&lt;b&gt;" in svg([Bin(0, 0.1, 3, 0.05, 0.1)], "<b>")
    assert "<circle" not in svg([], "nothing")
