"""Makes services/classifier/data/multilingual-e5-small-thin.npz: which inner neurons the int8 graph leaves out.

python -m bench.thin [--share 0.2] [--to FILE]     (some minutes; the same file every time)

Looks only at texts that come with the project: the demonstration's posts and its codebook; labels are not read. In
each feed-forward layer neurons go one by one, always the one whose going changes the layer's output least, beside
what those before it changed and with its mean kept. How many go in each layer follows from the drift of the model's
own vectors when that layer alone is thinned. Whoever ships another file raises BUILDER in services/classifier/graph.py.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.special import erf

from schemas import codebook
from services.analysis.text import text_for_encoder
from services.classifier import bundled
from services.classifier.folder import read_folder
from services.classifier.thinning import FILE, STEP, Thinning, write_thinning
from services.classifier.tokens import Tokens

POSTS, BOOK = (Path("services/demo") / name for name in ("palmyra-2016.jsonl", "palmyra-2016.yaml"))
EVERY = 12
"""One text in so many is looked at for the drift that a layer causes: every look is a pass through the network."""
LOOKS = (1 / 12, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 11 / 12)
"""Shares of a layer at which its drift is looked at, until it is more than `TOO_MUCH`."""
TOO_MUCH = 0.002


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.2, help="of all inner neurons that go")
    parser.add_argument("--to", type=Path, default=FILE)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        bundled.convert(bundled.weight_file(), Path(work))
        folder = read_folder(Path(work), bundled.TITLE, bundled.SHA256)
        network = Network(folder)
        ids = Tokens(folder).ids(texts())
    print(f"{len(ids)} texts, {sum(map(len, ids))} tokens", flush=True)
    means, orders = [], []
    for layer, x in enumerate(network.inputs(ids)):
        inner = network.inner(layer, x)
        means.append(inner.mean(0))
        orders.append(order(inner, network.weight(layer, "output.dense")))
    curves = drifts(network, ids[::EVERY], orders, means)
    counts = allotted(curves, round(options.share * sum(map(len, means))))
    thinning = thinned(network, orders, means, counts)
    write_thinning(thinning, bundled.SHA256, options.to)
    print(f"kept {thinning.kept.sum(1).tolist()}, {thinning.kept.mean():.1%} in all; {options.to.stat().st_size} bytes")


def texts():
    """Cleaned, distinct, in the order of the files."""
    posts = [json.loads(line)["text"] for line in POSTS.read_text(encoding="utf-8").splitlines()]
    book = codebook.parse(BOOK.read_text(encoding="utf-8"), str(BOOK))
    taught = [t for f in book.frames for t in (f.title, f.description, *f.examples, *f.counterexamples)]
    cleaned = map(text_for_encoder, [*posts, *taught, *book.background])
    return [text for text in dict.fromkeys(cleaned) if text]


class Network:
    """The whole model in numpy, float32; texts lie one after the other, tokens × width."""

    def __init__(self, folder):
        from safetensors.numpy import load_file

        stored = load_file(folder.path / "model.safetensors")
        self._words = stored.pop("embeddings.word_embeddings.weight")
        self._tensors = {name: tensor.astype(np.float32) for name, tensor in stored.items()}
        self._heads, self.layers = (folder.config[k] for k in ("num_attention_heads", "num_hidden_layers"))
        self._epsilon = folder.config["layer_norm_eps"]

    def weight(self, layer, name, part="weight"):
        return self._tensors[f"encoder.layer.{layer}.{name}.{part}"]

    def inputs(self, ids):
        """What each feed-forward layer is given."""
        x = self._embedded(ids)
        for layer in range(self.layers):
            x = self._attended(layer, x, ids)
            yield x
            x = self.fed(layer, x, self.inner(layer, x))

    def inner(self, layer, x):
        h = self._dense(layer, "intermediate.dense", x)
        return np.float32(0.5) * h * (1 + erf(h * np.float32(2**-0.5)))

    def fed(self, layer, x, inner):
        return self._norm(self._dense(layer, "output.dense", inner) + x, f"encoder.layer.{layer}.output.LayerNorm")

    def vectors(self, layer, x, ids):
        """Unit vectors from what feed-forward layer `layer` gave."""
        for later in range(layer + 1, self.layers):
            x = self._attended(later, x, ids)
            x = self.fed(later, x, self.inner(later, x))
        pooled = np.stack([part.mean(0) for part in np.split(x, ends(ids))])
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def _embedded(self, ids):
        places = self._tensors["embeddings.position_embeddings.weight"]
        words = self._words[np.concatenate(ids)] + np.concatenate([places[: len(i)] for i in ids])
        return self._norm(words + self._tensors["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")

    def _attended(self, layer, x, ids):
        name, size = f"encoder.layer.{layer}.attention.output", x.shape[1] // self._heads
        parts = [self._dense(layer, f"attention.self.{part}", x) for part in ("query", "key", "value")]
        seen = []
        for text in zip(*(np.split(part, ends(ids)) for part in parts), strict=True):
            q, k, v = (part.reshape(len(part), self._heads, size).swapaxes(0, 1) for part in text)
            scores = q @ k.swapaxes(1, 2) * np.float32(size**-0.5)
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            seen.append((shares / shares.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(text[0].shape))
        return self._norm(self._dense(layer, "attention.output.dense", np.concatenate(seen)) + x, f"{name}.LayerNorm")

    def _dense(self, layer, name, x):
        return x @ self.weight(layer, name).T + self.weight(layer, name, "bias")

    def _norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x /= np.sqrt((x * x).mean(-1, keepdims=True) + self._epsilon)
        return x * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]


def ends(ids):
    return np.cumsum([len(i) for i in ids])[:-1]


def order(inner, weight):
    """Neurons from the first to go to the last: each time the one that adds least to the squared error so far."""
    away = (inner - inner.mean(0)).astype(np.float32)
    together = (away.T @ away / len(away)).astype(np.float64) * (weight.astype(np.float64).T @ weight)
    cost, gone = np.diag(together).copy(), []
    for _ in range(len(cost)):
        gone.append(int(cost.argmin()))
        cost += 2 * together[gone[-1]]
        cost[gone[-1]] = np.inf
    return gone


def drifts(network, ids, orders, means):
    """For each layer how many neurons were dropped there, and there alone, and the mean drift that followed."""
    curves = []
    given = list(network.inputs(ids))
    whole = network.vectors(network.layers - 1, last_output(network, given), ids)
    for layer, x in enumerate(given):
        inner, found = network.inner(layer, x), [(0, 0.0)]
        for share in LOOKS:
            count = round(share * len(orders[layer]) / STEP) * STEP
            gone = orders[layer][:count]
            inner[:, gone] = means[layer][gone]
            vectors = network.vectors(layer, network.fed(layer, x, inner), ids)
            found.append((count, float(1 - np.einsum("nd,nd->n", vectors, whole, dtype=np.float64).mean())))
            if found[-1][1] > TOO_MUCH:
                break
        curves.append(found)
        print(f"layer {layer}: " + ", ".join(f"{count} dropped {drift:.5f}" for count, drift in found[1:]), flush=True)
    return curves


def last_output(network, given):
    last = network.layers - 1
    return network.fed(last, given[last], network.inner(last, given[last]))


def allotted(curves, total):
    """How many go in each layer, `STEP` at a time where it costs least, until `total` have gone."""
    smooth = [PchipInterpolator(*zip(*curve, strict=True)) for curve in curves]
    counts = [0] * len(curves)
    while sum(counts) < total:
        prices = [
            float(s(n + STEP) - s(n)) if n + STEP <= curve[-1][0] else np.inf
            for s, n, curve in zip(smooth, counts, curves, strict=True)
        ]
        counts[int(np.argmin(prices))] += STEP
    return counts


def thinned(network, orders, means, counts):
    kept = np.ones((len(orders), len(orders[0])), bool)
    for layer, count in enumerate(counts):
        kept[layer, orders[layer][:count]] = False
    offsets = [network.weight(n, "output.dense")[:, ~k] @ means[n][~k] for n, k in enumerate(kept)]
    return Thinning(kept, np.stack(offsets))


if __name__ == "__main__":
    main()
