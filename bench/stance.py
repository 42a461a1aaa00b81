"""How well stance is read: `python -m bench.stance`, beside the commonest answer and a rule on cue words, in one run.

On narratives held out whole of what it learns from, and on posts written for testing, of the bundled codebook's frames
and of narratives that it never saw. Intervals are 95 %, by bootstrap over posts.
"""

import json
import re
import time
from pathlib import Path

import numpy as np

from schemas import codebook as files
from schemas.stance import ANSWERS, STANCES, UNCLEAR
from services.analysis.text import text_for_encoder
from services.classifier import CARRIES, learn_codebook, load_encoder
from services.classifier.stance_learning import lesson_name, study_stance
from services.settings import home_of, load

BOOK = Path("services/demo/palmyra-2016.yaml")
POSTS = Path("tests/classifier/data/stance-labelled.jsonl")
DEMO = (Path("services/demo/palmyra-2016.jsonl"), Path("tests/classifier/data/palmyra-labelled.jsonl"))
"""Posts written as carriers of frames long before stance: nearly all of them promote, some report, none disputes."""
DRAWS = 1000
MIX = {"promotes": 0.75, "disputes": 0.1, "reports": 0.15}
DISPUTED = re.compile(
    r"fake|false|debunk|myth|nonsense|no evidence|lie\b|фейк|чушь|бред|враньё|неправда|كذب|خراف|مزور|غير صحيح|كلام فارغ",
    re.I,
)
REPORTED = re.compile(
    r"\b(says?|said|claims?|accuses?|according|reports?|blames|poll)\b|заяв|сообщ|обвин|по данным|считает|опрос|قال|يقول|تتهم|يتهم|بحسب|استطلاع",
    re.I,
)


def main() -> None:
    settings = load()
    encoder = load_encoder(settings.model, home_of(settings) / "models", settings.threads)
    start = time.perf_counter()
    lesson = study_stance(encoder, text_for_encoder)
    print(
        f"encoder {encoder.name}, {lesson_name()}: {len(lesson.texts)} posts learned in {time.perf_counter() - start:.1f} s"
    )
    print(f"unclear below {float(lesson.reader.least):.2f}")
    true = np.array([STANCES[s] for s in lesson.stance])
    top = np.array([STANCES[i] for i in lesson.held_out.argmax(1)])
    answer = np.where(lesson.held_out.max(1) >= lesson.reader.least, top, UNCLEAR)
    tell("learned from, narrative held out", answer, true)
    tell("  the same, always answering", top, true)

    posts = [json.loads(line) for line in POSTS.read_text(encoding="utf-8").splitlines()]
    texts = [text_for_encoder(p["text"]) for p in posts]
    vectors = encoder.encode(texts)
    start = time.perf_counter()
    probabilities = lesson.reader.probabilities(vectors, texts)
    took = time.perf_counter() - start
    answer = np.array(lesson.reader.stances(vectors, texts))
    true, lang, frame = (np.array([p[k] for p in posts]) for k in ("stance", "lang", "frame"))
    top = np.array([STANCES[i] for i in probabilities.argmax(1)])
    book = files.parse(BOOK.read_text(encoding="utf-8"), str(BOOK))
    ours = np.isin(frame, [f.id for f in book.frames])
    tell("posts written for testing", answer, true)
    tell("  the same, always answering", top, true)
    for name in ("en", "ru", "ar"):
        tell(f"  {name}", answer[lang == name], true[lang == name])
    tell("  frames of the bundled codebook", answer[ours], true[ours])
    tell("  narratives of the tests", answer[~ours], true[~ours])
    told_in_a_mix(answer, true)
    tell("baseline: commonest answer", np.full(len(true), max(STANCES, key=lambda s: (true == s).sum())), true)
    tell("baseline: cue words", np.array([by_cue(t) for t in texts]), true)
    print("said (down) of true (across)", *STANCES)
    for said in ANSWERS:
        print(f"  {said:10}", *[f"{((answer == said) & (true == t)).sum():8}" for t in STANCES])
    for low, high in ((0, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.01)):
        rows = (probabilities.max(1) >= low) & (probabilities.max(1) < high)
        print(
            f"  told {low:.1f}-{min(high, 1):.1f}: {rows.sum():4} posts, right {np.mean(top[rows] == true[rows]) if rows.any() else 0:.2f}"
        )
    print(f"{1e6 * took / len(texts):.0f} µs a post, vector and text at hand")
    on_carriers(lesson, encoder)
    heads = learn_codebook(encoder, book, text_for_encoder)
    carried = heads.answers(heads.scores(vectors, texts)) == CARRIES
    own = np.array([carried[i, heads.frames.index(f)] if f in heads.frames else False for i, f in enumerate(frame)])
    for s in STANCES:
        print(f"carry their frame by the bundled codebook, of those that {s}: {own[ours & (true == s)].mean():.2f}")


def on_carriers(lesson, encoder):
    for path in DEMO:
        carriers = [p for p in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if p["frames"]]
        told = list(dict.fromkeys(text_for_encoder(p["text"]) for p in carriers))
        said = np.array(lesson.reader.stances(encoder.encode(told), told))
        print(
            f"{path.stem}, {len(told)} texts that carry a frame:", *[f"{s} {np.mean(said == s):.2f}" for s in ANSWERS]
        )


def by_cue(text):
    return "disputes" if DISPUTED.search(text) else "reports" if REPORTED.search(text) else "promotes"


def f1(said, true, weight=None):
    """F1 of each stance; `weight` by true stance makes another mix of them."""
    w = np.ones(len(true)) if weight is None else np.array([weight[t] for t in true])
    return np.array(
        [2 * w[(said == s) & (true == s)].sum() / max(w[said == s].sum() + w[true == s].sum(), 1e-9) for s in STANCES]
    )


def told_in_a_mix(said, true) -> None:
    """What the same answers are worth where most posts promote, as they do in streams chosen by a frame's examples."""
    weight = {s: share / (true == s).sum() for s, share in MIX.items()}
    w = np.array([weight[t] for t in true])
    right = [w[(said == s) & (true == s)].sum() / max(w[said == s].sum(), 1e-9) for s in STANCES]
    each = f1(said, true, weight)
    cells = "  ".join(f"{s} F1 {f:.2f}, right {r:.2f}" for s, f, r in zip(STANCES, each, right, strict=True))
    print(f"in a mix of {MIX}: macro-F1 {each.mean():.2f}  {cells}")


def tell(title, said, true) -> None:
    chance = np.random.default_rng(0)
    each, answered = f1(said, true), said != UNCLEAR
    draws = np.array([f1(said[i], true[i]) for i in chance.integers(0, len(true), (DRAWS, len(true)))])
    low, high = np.quantile(draws.mean(1), [0.025, 0.975])
    by_class = "  ".join(
        f"{s} {f:.2f} ({a:.2f}-{b:.2f})"
        for s, f, a, b in zip(STANCES, each, *np.quantile(draws, [0.025, 0.975], axis=0), strict=True)
    )
    share = f"answered {answered.mean():.2f}, macro-F1 of those {f1(said[answered], true[answered]).mean():.2f}, right {np.mean(said[answered] == true[answered]):.2f}"
    print(
        f"{title:34} n {len(true):4}  macro-F1 {each.mean():.2f} ({low:.2f}-{high:.2f})  {by_class}  {share}",
        flush=True,
    )


if __name__ == "__main__":
    main()
