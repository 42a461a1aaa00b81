"""What a weekly sample is worth: drawn 400 times from the bundled posts, whose frames are known, and estimated each time.

python -m bench.judging    prints, for each frame, what its precision is, what samples say, and how often the interval
holds it; beside what a mean over the sample without its weights would have said.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from schemas import codebook as files
from services import settings
from services.analysis import judging, sampling
from services.analysis.duplicates import unit_key
from services.analysis.judging import Judged
from services.analysis.text import text_for_encoder
from services.classifier import learn_codebook
from services.cli.classify import encoder_of

DEMO = Path("services/demo")
ROUNDS = 400
WEEK = date(2016, 12, 5)


@dataclass(frozen=True)
class Frame:
    """The units of one frame: what the model said, and what is so."""

    name: str
    week: sampling.Week
    carried: frozenset[bytes]
    true: dict[bytes, bool]

    @property
    def precision(self) -> float:
        return sum(self.true[key] for key in self.carried) / len(self.carried)

    @property
    def recall(self) -> float:
        return sum(self.true[key] for key in self.carried) / max(sum(self.true.values()), 1)


def read() -> list[Frame]:
    """The bundled posts under heads learned from the bundled codebook, one post a text."""
    posts = [json.loads(line) for line in (DEMO / "palmyra-2016.jsonl").read_text().splitlines()]
    posts = list({unit_key(p["text"]): p for p in posts}.values())
    book = files.parse((DEMO / "palmyra-2016.yaml").read_text())
    encoder = encoder_of(settings.load())
    heads = learn_codebook(encoder, book, text_for_encoder)
    texts = [text_for_encoder(p["text"]) for p in posts]
    scores = heads.scores(encoder.encode(texts), texts)
    answers = heads.answers(scores)
    keys = [unit_key(p["text"]) for p in posts]
    found = []
    for f, name in enumerate(heads.frames):
        rows = [{"unit_key": k, "post_id": i, "probability": float(scores[i, f])} for i, k in enumerate(keys)]
        sure = [r for r, a in zip(rows, answers[:, f], strict=True) if a == 1]
        unsure = [r for r, a in zip(rows, answers[:, f], strict=True) if a == 2]
        true = {k: name in p["frames"] for k, p in zip(keys, posts, strict=True)}
        week = sampling.Week(sure, unsure, rows, len(rows))
        found.append(Frame(name, week, frozenset(r["unit_key"] for r in sure), true))
    return found


def judge(frame: Frame, seed: int, weeks: int) -> tuple[list[Judged], list[tuple[str, int]]]:
    """All of a sample, judged without error; `weeks` draws of the same week, as if so many had been alike."""
    samples, sizes = [], []
    rng = np.random.default_rng(seed)
    for number in range(weeks):
        order = rng.permutation(len(frame.week.shuffled))
        week = replace(frame.week, shuffled=[frame.week.shuffled[i] for i in order])
        drawn = sampling.draw(week, f"{seed} {number}")
        sizes += list(drawn.sizes.items())
        samples += [
            Judged(WEEK.replace(day=5 + number), d.stratum, drawn.sizes[d.stratum], d.unit_key,
                   float(frame.true[d.unit_key]), d.unit_key in frame.carried, 0.5)
            for d in drawn.drawn
        ]  # fmt: skip
    return samples, sizes


def main() -> None:
    print(
        f"{'frame':24} {'units':>5} | precision true   said  held  width  unweighted | recall true   said  told  held"
    )
    for frame in read():
        said, held, width, plain, recalls, found = [], 0, [], [], [], 0
        for seed in range(ROUNDS):
            samples, _ = judge(frame, seed, 1)
            estimate = judging.precision(samples)
            if estimate is not None:
                said.append(estimate.value)
                width.append(estimate.high - estimate.low)
                held += estimate.low <= frame.precision <= estimate.high
                plain.append(np.mean([s.yes for s in samples if s.carried]))
            recall = judging.recall(*judge(frame, seed, 4))
            if recall is not None:
                recalls.append(recall.value)
                found += recall.low <= frame.recall <= recall.high
        told = (f"{np.mean(recalls):6.2f} {len(recalls) / ROUNDS:5.0%} {found / len(recalls):5.0%}" if recalls
                else "     –    0%     –")  # fmt: skip
        print(
            f"{frame.name:24} {len(frame.carried):5} | {frame.precision:14.2f} {np.mean(said):6.2f} "
            f"{held / max(len(said), 1):5.0%} {np.mean(width):6.2f} {np.mean(plain):11.2f} | {frame.recall:11.2f} {told}"
        )


if __name__ == "__main__":
    main()
