"""How good the heads are: `python -m bench.quality [--caves DIR] [--stream FILE]`, beside the TF-IDF floor, in one run.

Always: the bundled codebook on the posts of the demo and of the tests, with all its examples and with 8 a frame.
With `--caves DIR` (train.csv and val.csv with `ID,text,labels`): 16 examples a label (5 seeds) and all labels.
With `--stream FILE` (posts as JSON lines, perhaps gzipped): how many of its texts are given a frame, with and without
having learned from others of it; the same for CAVES, where nearly every text heard carries a frame.
"""

import argparse
import csv
import gzip
import json
import time
from itertools import zip_longest
from pathlib import Path

import numpy as np

from schemas import codebook as files
from services.analysis import quality
from services.analysis.reliability import calibration_error, reliability
from services.analysis.text import clean_text, text_for_encoder
from services.classifier import CARRIES, Stored, learn_codebook, load_encoder
from services.cli.evaluate import Remembering, answered, findings
from services.settings import home_of, load

BOOK = Path("services/demo/palmyra-2016.yaml")
POSTS = (Path("services/demo/palmyra-2016.jsonl"), Path("tests/classifier/data/palmyra-labelled.jsonl"))
SEEDS, FEW = 5, 16
HEARD, MET = 1_000, 4_000
"""Texts of a stream that are learned from, and others that are asked."""
CAVES = {
    "side-effect": "Side effects. The vaccine is said to harm people: side effects, injuries, illness or deaths after vaccination.",
    "ineffective": "Ineffective. The vaccine is said not to work: it does not prevent infection or transmission, efficacy is low, it fails against variants.",
    "rushed": "Rushed and untested. The vaccine was made too fast: trials were skipped, it is experimental, untested, not properly approved, long-term effects unknown.",
    "pharma": "Distrust of Big Pharma. Pharmaceutical companies want profit and cannot be trusted: money, greed, their past crimes, no liability.",
    "mandatory": "Against mandates. Nobody should be forced to take the vaccine: mandates, passports, coercion, my body my choice, freedom.",
    "unnecessary": "Unnecessary. The vaccine is not needed: covid is harmless to most and survived, natural immunity is enough, other cures exist.",
    "political": "Political motives. Governments and politicians push the vaccine for their own political agenda, power or elections.",
    "conspiracy": "Conspiracy. A deeper plot is behind the vaccine: depopulation, microchips, Bill Gates, a planned pandemic, tracking, control.",
    "ingredients": "Ingredients and technology. Worry about what is in the vaccine: mRNA, DNA change, fetal cells, toxins, chemicals, graphene, metals.",
    "country": "Country of origin. Distrust because of the country that made the vaccine: the Chinese, Russian or Indian vaccine is refused.",
    "religious": "Religious reasons. The vaccine is refused on religious or ethical grounds: mark of the beast, God, halal, sin, aborted babies.",
}


def main() -> None:
    """Print every figure; macro-F1 of `carries`, over the frames and over the frames and `none`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--caves", type=Path, help="folder with train.csv and val.csv")
    parser.add_argument("--stream", type=Path, help="posts as JSON lines of whatever people say")
    given = parser.parse_args()
    settings = load()
    encoder = Remembering(load_encoder(settings.model, home_of(settings) / "models", settings.threads))
    print(f"encoder {encoder.name}")
    bundled(encoder)
    if given.caves:
        caves(encoder, given.caves)
    if given.stream:
        stream(encoder, given.stream, given.caves)


def bundled(encoder) -> None:
    whole = files.parse(BOOK.read_text(encoding="utf-8"), str(BOOK))
    start = time.perf_counter()
    answered(encoder, whole, [])
    print(f"learned in {time.perf_counter() - start:.1f} s, encoding included")
    for path in POSTS:
        posts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        tell(f"{path.stem}, all examples", [figures(encoder, whole, posts)])
        tell(f"{path.stem}, 8 a frame, {SEEDS} draws", [figures(encoder, drawn(whole, s), posts) for s in range(SEEDS)])


def stream(encoder, path, folder) -> None:
    """The bundled codebook, alone and having heard the stream; with its background posts and without."""
    whole = files.parse(BOOK.read_text(encoding="utf-8"), str(BOOK))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        texts = list(dict.fromkeys(text_for_encoder(clean_text(json.loads(line)["text"])[0]) for line in lines))
    chance = np.random.default_rng(0)
    texts = [texts[i] for i in chance.permutation(len(texts))[: HEARD + MET].tolist()]
    print(f"encoding {len(texts)} texts of {path.name} …", flush=True)
    vectors = encoder.encode(texts)
    heard = Stored(texts[:HEARD], vectors[:HEARD])
    posts = [json.loads(line) for line in POSTS[1].read_text(encoding="utf-8").splitlines()]
    for title, book in (("with background", whole), ("without", whole.model_copy(update={"background": ()}))):
        for told, stored in (("alone", None), (f"having heard {HEARD:,} texts", heard)):
            given = figures(encoder, book, posts, stored)
            few = [figures(encoder, drawn(book, s), posts, stored) for s in range(SEEDS)]
            learned = learn_codebook(encoder, book, text_for_encoder, stored)
            said = learned.answers(learned.scores(vectors[HEARD:], texts[HEARD:])) == CARRIES
            tell(f"{title}, {told}: all", [{"stream given one": float(said.any(axis=1).mean()), **given}])
            tell(f"{title}, {told}: 8 a frame", few)
    if folder:
        train, test = (rows(folder / f"{name}.csv") for name in ("train", "val"))
        for told, some in (("alone", 0), (f"having heard {HEARD:,} texts of its own", HEARD)):
            tell(f"{folder.name}, 16 a label, {told}", [heads(encoder, s, test, others(encoder, s, train, some)) for s in
                                                        (sample(train, seed) for seed in range(SEEDS))])  # fmt: skip


def others(encoder, known, train, count):
    """What a house would have heard of the same stream."""
    texts = [text for text, _ in train if text not in {t for t, _ in known}]
    kept = [text_for_encoder(texts[i]) for i in np.random.default_rng(1).permutation(len(texts))[:count].tolist()]
    return Stored(kept, encoder.encode(kept)) if count else None


def drawn(book, seed, count=8):
    """The codebook with `count` examples a frame, drawn turn by turn from each script that they are written in."""
    chance = np.random.default_rng(seed)

    def some(examples):
        scripts = [[], [], []]
        for i in chance.permutation(len(examples)).tolist():
            letters = [sum(low <= c <= high for c in examples[i]) for low, high in (("A", "z"), ("Ѐ", "ӿ"), ("؀", "ۿ"))]
            scripts[int(np.argmax(letters))].append(examples[i])
        chance.shuffle(scripts)
        return tuple([e for turn in zip_longest(*scripts) for e in turn if e is not None][:count])

    frames = tuple(f.model_copy(update={"examples": some(f.examples)}) for f in book.frames)
    return book.model_copy(update={"frames": frames})


def figures(encoder, book, posts, stored=None):
    found = findings([f.id for f in book.frames], answered(encoder, book, posts, stored), posts)
    langs = found.macro_f1_by_language
    return {"F1": found.macro_f1, **langs, "false": found.carry_none_but_given_one, "ECE": found.calibration_error}


def tell(title, rounds) -> None:
    cells = [
        f"{name} {np.mean([r[name] for r in rounds]):.3f} ±{np.std([r[name] for r in rounds]):.3f}"
        for name in rounds[0]
    ]
    print(f"{title:42} " + "  ".join(cells), flush=True)


def caves(encoder, folder) -> None:
    train, test = (rows(folder / f"{name}.csv") for name in ("train", "val"))
    print(f"encoding {len(train) + len(test)} posts of {folder.name} …", flush=True)
    encoder.encode(list(dict.fromkeys(text_for_encoder(text) for text, _ in [*train, *test])))
    few = [sample(train, seed) for seed in range(SEEDS)]
    for title, sets in ((f"{FEW} a label, {SEEDS} seeds", few), ("all labels", [train])):
        tell(title, [heads(encoder, s, test) for s in sets])
        tell(f"{title}: TF-IDF floor", [floor(s, test) for s in sets])


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return [(clean_text(row["text"])[0], set(row["labels"].split())) for row in csv.DictReader(file)]


def sample(posts, seed):
    chance = np.random.default_rng(seed)
    kept = set()
    for label in [*CAVES, "none"]:
        having = [i for i, (_, labels) in enumerate(posts) if label in labels]
        kept |= set(chance.choice(having, FEW, replace=False).tolist())
    return [posts[i] for i in sorted(kept)]


def truth(posts):
    return quality.matrix(list(CAVES), [labels for _, labels in posts])


def heads(encoder, train, test, stored=None):
    frames = [
        files.Frame.model_construct(
            id=label, title=about.split(". ")[0], description=about.split(". ", 1)[1], counterexamples=(), threshold=None,
            examples=tuple(text for text, labels in train if label in labels),
        )
        for label, about in CAVES.items()
    ]  # fmt: skip
    none = tuple(text for text, labels in train if labels <= {"none"})
    book = files.Codebook.model_construct(codebook="caves", title="", frames=tuple(frames), background=none)
    probabilities, carried = answered(encoder, book, [{"text": text} for text, _ in test], stored)
    true = truth(test)
    return scored(carried, true) | {"ECE": calibration_error(reliability(probabilities, true))}


def floor(train, test):
    """One logistic regression a label on TF-IDF of words, its threshold from 4 folds."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    from services.classifier.calibration import best_threshold

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    known, asked = words.fit_transform([t for t, _ in train]), words.transform([t for t, _ in test])
    said = []
    for column in truth(train).T:
        model = LogisticRegression(C=3, class_weight="balanced", solver="liblinear")
        held_out = cross_val_predict(model, known, column, cv=4, method="predict_proba")[:, 1]
        said.append(model.fit(known, column).predict_proba(asked)[:, 1] >= best_threshold(held_out, column))
    return scored(np.column_stack(said), truth(test))


def scored(said, true):
    f1 = [quality.figures(s, t)[2] for s, t in zip(said.T, true.T, strict=True)]
    none = quality.figures(~said.any(1), ~true.any(1))[2]
    return {"F1 of 11": float(np.mean(f1)), "F1 of 12 with none": float(np.mean([*f1, none]))}


if __name__ == "__main__":
    main()
