"""How fast posts are classified on a CUDA card, and what holds it up: `python -m bench.gpu --posts FILE [--compile]`.

Every figure is of this run on this machine. `--device cpu` runs the same steps without a card, to see that they work;
what it prints is no figure of a card, and it says so.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np

from schemas import codebook as files
from schemas.errors import PermanentError
from services.analysis.text import clean_text, text_for_encoder
from services.classifier import encoder as encoders
from services.classifier import learn_codebook
from services.classifier.batches import chunks
from services.classifier.card_encoder import CHUNK, CardEncoder, load_card
from services.classifier.cores import usable_cores
from services.classifier.device import checked
from services.classifier.drift import CHECK_TEXTS, drift
from services.classifier.feeder import Feeder
from services.classifier.folder import ModelFolder
from services.classifier.tokens import Tokens
from services.settings import home_of, load

DEMO = Path("services/demo/palmyra-2016.jsonl")
CODEBOOK = Path("services/demo/palmyra-2016.yaml")
RECORD = 143_199
"""Posts in the busiest second that X has published (2013-08-03)."""
SIZES = (8_192, 16_384, 32_768, 65_536, 131_072, 262_144)
FEW = 2_000


def main() -> None:
    """Print the host's rates, the card's, and both together."""
    asked = _asked()
    try:
        device = checked(asked.device)
    except PermanentError as error:
        sys.exit(str(error))
    raw = _texts(asked.posts, asked.most)
    folder = encoders._bundled(home_of(load()) / "models")
    cores = usable_cores()
    print(f"machine          {cores} cores, {_card(device)}")
    print(f"posts            {len(raw)}, {len(set(raw))} distinct texts")
    _host(raw, folder, cores)
    card = load_card(folder, device, cores)
    _against_float32(card, folder, raw)
    if asked.compile:
        card.network = _Compiled(card.network)
    _network(card, raw)
    _together(card, raw, asked.passes)
    card.feeder.close()
    if device == "cpu":
        print("no card was used: nothing above is a figure of one")


class _Compiled:
    """The network with its elementwise steps fused by torch.compile."""

    def __init__(self, network):
        import torch

        self.positions = network.positions
        self._quick = torch.compile(network.__call__, dynamic=True)

    def __call__(self, flat, starts, lengths, width):
        return self._quick(flat, starts, lengths, width)


def _host(raw: list[str], folder: ModelFolder, cores: int) -> None:
    few = raw[:FEW]
    cleaned = [text_for_encoder(clean_text(text)[0]) for text in few]
    _rate("clean, 1 process", len(few), lambda: [text_for_encoder(clean_text(text)[0]) for text in few])
    tokens = Tokens(folder)
    _rate("tokenizer alone", len(few), lambda: tokens.ids(cleaned))
    parts = [[raw[i] for i in part] for part in chunks(raw, CHUNK)]
    for processes in sorted({1, 2, 4, 8, cores // 2, cores} & set(range(1, cores + 1))):
        feeder = Feeder(tokens, folder.prefix, processes)
        list(feeder.ragged([["warm"] * (CHUNK + 1)] * processes, raw=False))
        for run in ("first", "again"):
            _rate(f"clean+tokens {run:5} {processes:3}", len(raw), lambda: list(feeder.ragged(parts, raw=True)))  # noqa: B023
        feeder.close()


def _against_float32(card: CardEncoder, folder: ModelFolder, raw: list[str]) -> None:
    from services.classifier import card_encoder

    exact = card_encoder._made(folder, card.device, 1, "float32")
    for what, texts in (("check texts", list(CHECK_TEXTS)), ("posts", raw[:FEW])):
        mean, worst = drift(card.encode(texts, raw=True), exact.encode(texts, raw=True))
        print(f"drift            {card.name}: mean {mean:.2g}, worst {worst:.2g} of 1 - cosine, {len(texts)} {what}")


def _network(card: CardEncoder, raw: list[str]) -> None:
    """The network alone, on ids that are there: by tokens of a batch, the fastest kept."""
    parts = [[raw[i] for i in part] for part in chunks(raw, CHUNK)]
    read = list(card.feeder.ragged(parts, raw=True))
    texts, tokens = sum(len(lengths) for _, lengths in read), sum(len(flat) for flat, _ in read)
    rates = {}
    for size in SIZES if card.device != "cpu" else SIZES[:2]:
        card.tokens = size
        _wait([card.run(read[0])])
        seconds = _seconds(lambda: _wait([card.run(ragged) for ragged in read]))
        cells = sum(len(b) * w for _, lengths in read for b, w in card._batches(lengths))
        rates[size] = texts / seconds
        print(f"network {size:8} {texts / seconds:10.0f} texts/s, {tokens / seconds:.3g} tokens/s, "
              f"{tokens / cells:.2f} of the cells are tokens")  # fmt: skip
    card.tokens = max(rates, key=lambda size: rates[size])
    print(f"kept             {card.tokens} tokens a batch; memory of the card {_memory(card):.1f} GiB")


def _together(card: CardEncoder, raw: list[str], passes: int) -> None:
    book = files.parse(CODEBOOK.read_text(encoding="utf-8"), str(CODEBOOK))
    heads = learn_codebook(card, book, text_for_encoder)
    vectors = card.encode(raw[: 2 * CHUNK], raw=True)
    told = [text_for_encoder(text) for text in raw[: 2 * CHUNK]]
    _rate("heads", len(vectors), lambda: heads.scores(vectors, told))
    for number in range(1, passes + 1):
        rate = _rate(f"end to end, pass {number}", len(raw), lambda: _scores(card, heads, raw))
        _versus(card, "raw text to scores", rate)
    distinct = list(dict.fromkeys(raw))
    seconds = _seconds(lambda: _scores(card, heads, list(dict.fromkeys(raw))))
    _versus(card, f"distinct texts once ({len(distinct)} of {len(raw)})", len(raw) / seconds)


def _scores(card, heads, texts):
    return heads.scores(card.encode(texts, raw=True), [text_for_encoder(text) for text in texts])


def _versus(card: CardEncoder, what: str, rate: float) -> None:
    beside = f" = {rate / RECORD:.2f} of {RECORD} posts/s" if card.device != "cpu" else ""
    print(f"  {what}: {rate:.0f} posts/s{beside}")


def _wait(started) -> None:
    for _, arrived in started:
        if arrived is not None:
            arrived.synchronize()


def _rate(name: str, count: int, work: Callable[[], object]) -> float:
    seconds = _seconds(work)
    print(f"{name:22} {count / seconds:10.0f} /s, {seconds / count * 1e6:7.2f} us each")
    return count / seconds


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _card(device: str) -> str:
    if device == "cpu":
        return "no card"
    import torch

    return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"


def _memory(card: CardEncoder) -> float:
    import torch

    return float(torch.cuda.max_memory_allocated() / 2**30) if card.device != "cpu" else np.nan


def _texts(file: Path, most: int) -> list[str]:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, most)]


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--posts", type=Path, default=DEMO, help="JSON lines with a `text`, plain or .gz")
    asked.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    asked.add_argument("--most", type=int, default=2_000_000, help="posts read")
    asked.add_argument("--passes", type=int, default=3, help="times that all posts go through, after one another")
    asked.add_argument("--compile", action="store_true", help="the network through torch.compile")
    return asked.parse_args()


if __name__ == "__main__":
    main()
