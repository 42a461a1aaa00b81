"""How fast the encoder is on real texts: `python -m bench.encoder [posts.jsonl]`, one process, this machine."""

import json
import resource
import sys
import time
from itertools import islice
from pathlib import Path

from services.classifier import load_encoder
from services.settings import home_of, load

DEMO = Path("services/demo/palmyra-2016.jsonl")
MOST = 2_000
SAMPLE = 400
ROUNDS = 3


def main() -> None:
    """Print load time, texts per second, the peak of memory, and the ratio of all cores to one."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO
    if not file.is_file():
        sys.exit(f"{file} does not exist; name a JSON lines file whose rows have a `text`")
    with file.open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in islice(lines, MOST)]
    settings = load()
    cache = home_of(settings) / "models"
    start = time.perf_counter()
    encoder = load_encoder(settings.model, cache, settings.threads)
    print(f"encoder          {encoder.name}")
    print(f"loaded in        {time.perf_counter() - start:.1f} s (longer when it had to be built first)")
    print(f"{len(texts):5} texts      {_rate(encoder, texts):.0f} texts/s")
    print(f"peak memory      {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    one = load_encoder(settings.model, cache, 1)
    rounds = [(_rate(encoder, texts[:SAMPLE]), _rate(one, texts[:SAMPLE])) for _ in range(ROUNDS)]
    together, alone = map(max, zip(*rounds, strict=True))
    print(f"all cores        {together:.0f} texts/s, {together / alone:.2f} x one core ({alone:.0f} texts/s)")


def _rate(encoder, texts) -> float:
    start = time.perf_counter()
    encoder.encode(texts)
    return len(texts) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
