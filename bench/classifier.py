"""Texts a second of the default encoder beside sentence-transformers and a zero-shot pipeline, in one run.

python -m bench.classifier [--posts FILE.jsonl[.gz]] [--rivals PYTHON] [--texts 384] [--rounds 5]

`--rivals` names an interpreter that has torch, transformers and sentence-transformers; without it only the figures
of our own are printed. All take turns, round by round, on the same distinct cleaned texts. On a machine that others
use too, read the ratios; "by processor time" is what is left when waiting for a core is taken out.
"""

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from statistics import median

from bench.peak import breakdown, operations, peak
from services.analysis.text import text_for_encoder
from services.classifier import load_encoder
from services.classifier.batches import batches, padded
from services.classifier.bundled import SHA256
from services.classifier.cores import usable_cores
from services.classifier.thinning import read_thinning
from services.settings import home_of, load

DEMO = Path("services/demo/palmyra-2016.jsonl")
MOST = 20_000
ZERO_SHOT_TEXTS = 8
RIVALS = {
    "sentence-transformers fp32": ("embedder", 0),
    "zero-shot, 8 frames, as it comes": ("zero_shot", ZERO_SHOT_TEXTS),
    "zero-shot, 8 frames, batches of 8": ("zero_shot_by_8", ZERO_SHOT_TEXTS),
}
"""What to run and with how many texts a round (0: all). As it comes, the pipeline takes one text and frame at a time."""


class Rival:
    """Another program's model in another interpreter, asked through pipes."""

    def __init__(self, python, kind, folder, threads):
        command = [python, str(Path(__file__).with_name("rival.py")), kind, str(folder), str(threads)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def rates(self, texts):
        """(texts a second, texts a second of a core's time)."""
        self._process.stdin.write(json.dumps(texts) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("ANSWER"):
                answer = json.loads(line.removeprefix("ANSWER"))
                return len(texts) / answer["seconds"], len(texts) / answer["cpu"]
        raise SystemExit(f"the rival {self._process.args} ended with {self._process.wait()}; run it by hand to see why")

    def close(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)


def rates(encoder, texts):
    start, cpu = time.perf_counter(), time.process_time()
    encoder.encode(texts)
    return len(texts) / (time.perf_counter() - start), len(texts) / (time.process_time() - cpu)


def read(path):
    """Cleaned texts of the first posts, duplicates included."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [text_for_encoder(json.loads(line)["text"]) for line in islice(lines, MOST)]


def resident():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def loaded(cache, threads):
    load_encoder("", cache, threads)  # built now if it never was, so that the clock sees a warm start
    command = "import time; s=time.perf_counter(); import sys, pathlib; from services.classifier import load_encoder; "
    command += "e=load_encoder('', pathlib.Path(sys.argv[1]), int(sys.argv[2])); l=time.perf_counter()-s; "
    command += "e.encode(['Good morning.']); print(l, time.perf_counter()-s)"
    started = [sys.executable, "-c", command, str(cache), str(threads)]
    told = subprocess.run(started, capture_output=True, text=True, check=True)
    return [float(part) for part in told.stdout.split()]


def interleaved(runs, rounds, parts):
    """For each named run its rates (wall, processor); round by round, everyone gets the same texts."""
    found = {name: [] for name in runs}
    for part in parts[:rounds]:
        for name, (run, most) in runs.items():
            found[name].append(run(part[:most]))
    return found


def of_all(choose, found):
    return tuple(map(choose, zip(*found, strict=True)))


def ours(encoder, texts, folder, threads, rate):
    """Print the share of the peak and where the time goes."""
    ids = encoder.tokens.ids(texts)
    groups = [[ids[i] for i in batch] for batch in batches([len(i) for i in ids])]
    tokens, places = sum(map(len, ids)), sum(len(g) * max(map(len, g)) for g in groups)
    print(f"  {tokens / len(ids):.1f} tokens a text; padding adds {places / tokens - 1:.1%} in {len(groups)} batches")
    config = json.loads((folder / "config.json").read_text())
    kept = int(read_thinning(config, SHA256).kept.sum())
    done = operations(config, kept) * tokens / len(ids)
    for title, shape in (("1024-cubed product", (1024, 1024, 1024)), ("a layer's own product", (320, 384, 1536))):
        wall, cpu = peak(threads, shape)
        print(f"  int8 peak, {title}: {wall / 1e9:.0f} GOP/s; the dense layers' share of it, everything else"
              f" included: {rate[0] * done / wall:.0%} (by processor time {rate[1] * threads * done / cpu:.0%})")  # fmt: skip
    start = time.thread_time()
    encoder.tokens.ids(texts)
    print(f"  tokeniser: {(time.thread_time() - start) * rate[1] / len(texts):.1%} of all processor time; the rest:")
    feeds = []
    for group in groups:
        found, mask = padded(group, encoder.tokens.pad)
        feeds.append({"input_ids": found, "attention_mask": mask[:, :1] if mask.all() else mask})
    graph = next(p for p in folder.glob("*.onnx"))
    print("  " + ", ".join(f"{group} {share:.1%}" for group, share in breakdown(graph, feeds).items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=Path, default=DEMO)
    parser.add_argument("--rivals", metavar="PYTHON")
    parser.add_argument("--texts", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="cores for everyone; 1 is steadiest on a shared machine")
    options = parser.parse_args()
    stream = read(options.posts)
    distinct = list(dict.fromkeys(stream))
    random.Random(1).shuffle(distinct)
    parts = [distinct[k * options.texts :][: options.texts] for k in range(options.rounds)]
    parts = [part if len(part) == options.texts else distinct[: options.texts] for part in parts]
    settings = load()
    cache, threads = home_of(settings) / "models", options.threads or settings.threads or usable_cores()
    ready, first = loaded(cache, threads)
    encoder = load_encoder("", cache, threads)
    memory = resident()
    folder = next(p for p in cache.iterdir() if p.name.endswith(encoder.name.rpartition("-")[2]) and p.is_dir()
                  and p.name.startswith("multilingual-e5-small"))  # fmt: skip
    print(
        f"{encoder.name} on {threads} cores; {options.rounds} rounds of {options.texts} distinct texts of {options.posts.name}"
    )
    runs = {"framewatch": (lambda texts: rates(encoder, texts), options.texts)}
    rivals = []
    if options.rivals:
        for name, (kind, most) in RIVALS.items():
            rivals.append(Rival(options.rivals, kind, folder, threads))
            runs[name] = (rivals[-1].rates, most or options.texts)
    for run, most in runs.values():
        run(distinct[: min(32, most)])
    found = interleaved(runs, options.rounds, parts)
    for rival in rivals:
        rival.close()
    for title, choose in (("median", median), ("best", max)):
        mine = of_all(choose, found["framewatch"])
        for name, each in found.items():
            wall, cpu = of_all(choose, each)
            print(f"  {title:6s} {name:33s} {wall:7.2f} texts/s ({cpu * threads:7.2f} by processor time);"
                  f" ratio {mine[0] / wall:6.1f} ({mine[1] / cpu:6.1f})")  # fmt: skip
    ours(encoder, parts[0], folder, threads, of_all(median, found["framewatch"]))
    part = stream[:4000]
    fewer = len(part) / len(set(part))
    print(
        f"  distinct texts only, on a stream of {len(part)} posts: {fewer:.2f} x posts a second on top, in no ratio above"
    )
    print(f"  ready in {ready:.1f} s in a new process, first answer after {first:.1f} s; resident {memory:.0f} MiB when"
          f" loaded, at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB with all of the above")  # fmt: skip


if __name__ == "__main__":
    main()
