"""The small parts around the model: batches, cores, folders built once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError
from services.classifier.batches import CHUNK, ENOUGH, TOKENS, batches, chunks, padded
from services.classifier.cores import usable_cores
from services.classifier.once import built_once

lengths = st.lists(st.integers(1, 300), max_size=200)


@given(lengths)
def test_every_text_is_in_one_batch_within_bounds(lengths):
    found = list(batches(lengths))
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= TOKENS


@given(lengths)
def test_padding_only_where_a_batch_would_be_small(lengths):
    for batch in batches(lengths):
        of_first = [i for i in batch if lengths[i] == lengths[batch[0]]]
        assert len(of_first) == len(batch) or len(of_first) * lengths[batch[0]] < ENOUGH


@given(lengths)
def test_long_texts_come_first(lengths):
    order = [lengths[i] for batch in batches(lengths) for i in batch]
    assert order == sorted(lengths, reverse=True)


def test_chunks_hold_every_text_once():
    texts = ["x" * (i % 50) for i in range(2 * CHUNK + 1)]
    found = list(chunks(texts))
    assert [len(chunk) for chunk in found] == [CHUNK, CHUNK, 1]
    assert sorted(i for chunk in found for i in chunk) == list(range(len(texts)))


def test_padding_is_masked():
    tokens, mask = padded([[5, 6], [7]], pad=1)
    assert tokens.tolist() == [[5, 6], [7, 1]]
    assert mask.tolist() == [[1, 1], [1, 0]]


@pytest.mark.parametrize(("limit", "cores"), [("max 100000", 8), ("150000 100000", 2), ("10000 100000", 1), ("odd", 8)])
def test_a_quota_cuts_the_cores(tmp_path, monkeypatch, limit, cores):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu.max").write_text(limit)
    assert usable_cores(tmp_path) == cores


def test_an_older_quota_cuts_them_too(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("300000")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert usable_cores(tmp_path) == 3


def test_many_at_once_build_once(tmp_path):
    built = []

    def build(work):
        built.append(work)
        (work / "file").write_text("whole")

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: built_once(tmp_path / "a" / "target", build), range(8)))
    assert found == {tmp_path / "a" / "target"}
    assert len(built) == 1
    assert (tmp_path / "a/target/file").read_text() == "whole"


def test_half_a_build_is_never_seen_and_is_cleared_away(tmp_path):
    leftover = tmp_path / ".target.building-killed"
    leftover.mkdir()

    def fails(work):
        (work / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        built_once(tmp_path / "target", fails)
    assert [path.name for path in tmp_path.iterdir()] == [".target.lock"]


def test_a_full_disk_is_explained(tmp_path):
    def full(work):
        raise OSError(28, "No space left on device")

    with pytest.raises(PermanentError, match=r"No space left.*Free some space"):
        built_once(tmp_path / "target", full)
