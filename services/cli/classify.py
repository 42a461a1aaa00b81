"""framewatch classify: posts in, scores out, without a database; a million posts in flat memory."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click
import numpy as np

from schemas import codebook as files
from services import settings
from services.analysis.stance import toward
from services.analysis.text import text_for_encoder
from services.classifier import (
    CARRIES,
    UNCERTAIN,
    Encoder,
    Heads,
    StanceReader,
    learn_codebook,
    learn_stance,
    load_encoder,
)
from services.cli import lines
from services.cli.progress import progress
from services.settings import Settings

BATCH = 1024
CARD_BATCH = 65_536
"""Posts read before a card is asked: it is idle while the host reads and writes, so it is asked seldom."""


def encoder_of(conf: Settings) -> Encoder:
    """The encoder that the settings name, on the device that they name."""
    return load_encoder(conf.model, settings.home_of(conf) / "models", conf.threads, conf.device)


def learned(path: Path, encoder: Encoder) -> Heads:
    """Heads learned from a codebook file."""
    codebook = files.parse(path.read_text(encoding="utf-8"), str(path))
    return learn_codebook(encoder, codebook, text_for_encoder)


def scored(
    encoder: Encoder, heads: Heads, posts: list[lines.Post], reader: StanceReader | None = None
) -> Iterator[dict[str, object]]:
    """One result a post: id, frames carried, frames uncertain, probability of each frame; with a reader, stances."""
    texts = [text_for_encoder(post["text"]) for post in posts]
    distinct = list(dict.fromkeys(texts))
    rows = {text: row for row, text in enumerate(distinct)}
    vectors = encoder.encode(distinct)
    probabilities = heads.scores(vectors, distinct)[[rows[text] for text in texts]]
    answers = heads.answers(probabilities)
    stances = reader.stances(vectors, distinct) if reader else None
    for post, text, row, answer in zip(posts, texts, probabilities, answers, strict=True):
        carried = [f for f, a in zip(heads.frames, answer, strict=True) if a == CARRIES]
        stance = None if stances is None else toward(stances[rows[text]], len(carried))
        yield {
            "id": post["id"],
            "frames": carried,
            **({} if stance is None else {"stances": dict.fromkeys(carried, stance)}),
            "uncertain": [f for f, a in zip(heads.frames, answer, strict=True) if a == UNCERTAIN],
            "scores": {f: round(float(p), 4) for f, p in zip(heads.frames, row, strict=True)},
        }


@click.command()
@click.option(
    "--codebook", "codebook_file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True
)
@click.option("--input", "source", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=True)
@click.option("--output", type=click.File("w", encoding="utf-8", lazy=True), default="-", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="Where the encoder runs.  [default: the setting]")
def classify(*, codebook_file: Path, source: Path, output: TextIO, device: str | None) -> None:
    """Sort posts into frames, without a database: JSON lines in, one JSON line a post out."""
    np.seterr(all="ignore")
    conf = settings.load()
    conf = replace(conf, device=device or conf.device)
    encoder = encoder_of(conf)
    heads = learned(codebook_file, encoder)
    reader = learn_stance(encoder, text_for_encoder) if settings.stance_on(conf) else None
    done = 0
    with progress("classified", sum(1 for _ in lines.read(source)), hidden=output.isatty()) as tell:
        for batch in lines.batches(lines.read(source), CARD_BATCH if conf.device == "cuda" else BATCH):
            for result in scored(encoder, heads, batch, reader):
                output.write(json.dumps(result, ensure_ascii=False) + "\n")
            done += len(batch)
            tell(done, None)
