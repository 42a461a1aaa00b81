from dataclasses import dataclass

import numpy as np
import pytest

from services.classifier import CARRIES, Stored, everyday, learn_codebook
from services.classifier.everyday import WRITTEN, script_of
from services.classifier.noop import NoopEncoder


@dataclass
class Frame:
    id: str
    title: str
    description: str
    examples: list[str]
    counterexamples: list[str]
    threshold: float | None = None


@dataclass
class Codebook:
    frames: list[Frame]
    background: list[str]
    languages: tuple[str, ...] = ()


STAGED = [
    "The whole battle was a show put on for the cameras",
    "It was all agreed beforehand, they just acted a fight",
    "Pure theatre: both sides had a script",
    "Nothing but a staged performance for television",
    "They rehearsed this retreat for weeks, what a spectacle",
]
PRICES = [
    "Bread costs twice what it did in summer",
    "Food prices keep rising and wages do not",
    "Nobody can pay these prices for flour any more",
    "Another week, another price rise at the market",
    "My whole salary goes on groceries now",
]
NEITHER = [
    "The museum opens at ten on Sundays", "Our team lost again, terrible goalkeeper", "Happy birthday to my sister",
    "The bridge is closed until Thursday", "Anyone know a good dentist?", "New phone, same old battery problems",
    "It has been raining since Monday", "The minister met his counterpart in Vienna", "I love this song",
    "Traffic is terrible downtown", "The exam results are out tomorrow", "A fox lives behind our school",
    "The conference starts with a speech", "What a sunset over the harbour", "My train is late again",
    "They opened a new library in our street", "Who is going to the concert?", "The vote was postponed to March",
    "Good morning everyone", "Doctors advise washing your hands", "The river froze for the first time in years",
]  # fmt: skip


def everyday_posts() -> int:
    return len(set(WRITTEN.read_text(encoding="utf-8").splitlines()))


def codebook() -> Codebook:
    frames = [
        Frame(
            "staged",
            "Staged theatrics",
            "The battle is told as a show agreed beforehand.",
            STAGED,
            ["A theatre festival begins tonight"],
        ),
        Frame("prices", "Rising prices", "Food becomes too expensive for people.", PRICES, []),
    ]
    return Codebook(frames, NEITHER)


def test_english_examples_find_russian_and_arabic_posts(encoder):
    heads = learn_codebook(encoder, codebook(), str.strip)
    posts = [
        "Весь этот бой был спектаклем для камер",
        "Цены на продукты снова выросли, денег не хватает",
        "Музей сегодня закрыт на ремонт",
        "المعركة كانت مسرحية متفق عليها مسبقا",
        "أسعار الخبز ارتفعت مرة أخرى ولا أحد يستطيع الشراء",
        "صباح الخير جميعا",
    ]
    probabilities = heads.scores(encoder.encode(posts), posts)
    said = probabilities >= heads.thresholds
    assert said.tolist() == [[True, False], [False, True], [False, False]] * 2
    assert (heads.answers(probabilities) == CARRIES).sum() >= 3


def test_texts_are_cleaned_and_encoded_once():
    heard = []

    class Listening(NoopEncoder):
        def encode(self, texts):
            heard.append(list(texts))
            return super().encode(texts)

    heads = learn_codebook(Listening(), codebook(), lambda text: text.upper().strip(".?"))
    (texts,) = heard
    assert len(texts) == len(set(texts))
    assert all(text == text.upper() for text in texts)
    assert "STAGED THEATRICS. THE BATTLE IS TOLD AS A SHOW AGREED BEFOREHAND" in texts
    assert heads.frames == ("staged", "prices")


def test_a_usual_codebook_is_learned_whole():
    frames = [Frame(f"f{i}", f"title {i}", "", [f"{i} {j}" for j in range(12)], []) for i in range(8)]
    usual = Codebook(frames, [f"background {i}" for i in range(80)])
    heads = learn_codebook(NoopEncoder(), usual, str)
    assert np.isfinite(heads.pulls).all()
    assert heads.pulls.shape == (8 * 12 + 80 + everyday_posts() + 8, 8)


def test_everyday_posts_say_nothing_of_a_frame_without_an_example_in_their_script():
    book = Codebook([Frame("en", "t", "d", ["all in English"], []), Frame("ru", "t", "d", ["по-русски", "x"], [])], [])
    heads = learn_codebook(NoopEncoder(), book, str)
    lines = [*dict.fromkeys(WRITTEN.read_text(encoding="utf-8").splitlines())]
    pulls = heads.pulls[-len(lines) - 2 : -2]
    scripts = np.array([script_of(line) for line in lines])
    assert {"LATIN", "CYRILLIC", "ARABIC"} <= {*scripts}
    assert (pulls[scripts == "CYRILLIC", 0] == 0).all()
    assert (pulls[scripts == "CYRILLIC", 1] != 0).all()
    assert (pulls[scripts == "ARABIC"] == 0).all()


def test_a_frame_still_to_be_found_in_another_language_is_not_made_stricter_by_everyday_posts():
    frames = [Frame("en", "t", "d", ["all in English"], []), Frame("both", "t", "d", ["по-русски", "and so"], [])]
    heads = learn_codebook(NoopEncoder(), Codebook(frames, [], ("en", "ru-RU")), str)
    pulls = heads.pulls[-everyday_posts() - 2 : -2]
    assert (pulls[:, 0] == 0).all()
    assert (pulls[:, 1] != 0).any()


def test_what_was_heard_teaches_without_being_read_again_or_kept(monkeypatch):
    asked = []

    class Listening(NoopEncoder):
        def encode(self, texts):
            asked.extend(texts)
            return super().encode(texts)

    texts = ["the match ended two to one", "рынок рядом с домом", "!!!", "THEATRE"]
    stored = Stored(texts, NoopEncoder().encode(texts))
    book = Codebook([Frame("f", "t", "d", ["theatre", "театр"], []), Frame("g", "t", "d", ["prices", "цены"], [])], [])
    alone, taught = learn_codebook(NoopEncoder(), book, str), learn_codebook(Listening(), book, str, stored)
    assert not {*texts} & {*asked}
    assert taught.anchors.shape == alone.anchors.shape
    assert not np.array_equal(taught.pulls, alone.pulls)
    only_known = Stored(["theatre", "!!!"], NoopEncoder().encode(["theatre", "!!!"]))
    assert learn_codebook(NoopEncoder(), book, str, only_known).to_bytes() == alone.to_bytes()
    monkeypatch.setattr(everyday, "MANY", 3)
    assert learn_codebook(NoopEncoder(), book, str, stored).to_bytes() == alone.to_bytes()


@pytest.mark.parametrize(("text", "script"), [("a Привет", "CYRILLIC"), ("1 👏 ?", ""), ("", ""), ("تدمر x", "ARABIC")])
def test_the_script_of_a_text_is_that_of_most_letters(text, script):
    assert script_of(text) == script
