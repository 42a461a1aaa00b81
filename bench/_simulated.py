"""Simulated series: counts of posts with cycles, autocorrelated moods, heavy-tailed spikes and, if wanted, bursts."""

import numpy as np
from numpy.typing import NDArray

from bench._nab import Labelled

Floats = NDArray[np.float64]
MONDAY = 1_480_291_200.0
DAY = 86_400.0


def season(starts: Floats, depth: float = 0.6, weekend: float = 0.7) -> Floats:
    """Day and week cycle with mean about 1: busiest in the afternoon, calmer on Saturday and Sunday."""
    hour, day = (starts / 3600) % 24, (starts // DAY) % 7
    return (1 + depth * np.sin((hour - 9) / 12 * np.pi)) * np.where((day == 2) | (day == 3), weekend, 1.1)


def mood(rng: np.random.Generator, shape: tuple[int, ...], phi: float, sd: float) -> Floats:
    """Autocorrelated log-intensity, exponentiated to mean 1: AR(1) along the last axis with stationary deviation sd."""
    noise = rng.normal(0, sd * np.sqrt(1 - phi**2), shape)
    level = rng.normal(0, sd, shape[:-1])
    out = np.empty(shape)
    for i in range(shape[-1]):
        level = phi * level + noise[..., i]
        out[..., i] = level
    return np.exp(out - sd**2 / 2)


def volume(seed: int, rows: int = 15_800, step_s: float = 300.0, *, brief: bool = False) -> Labelled:
    """Two months of 5-minute volume as a popular subject has it, with two to five labelled events.

    Labelled are the events that stand out most: a jump within minutes, a decay of hours (`brief`: of minutes to
    hours). Many smaller stirs and lone spikes of heavy tail are not labelled, as people would not label them.
    """
    rng = np.random.default_rng(seed)
    starts = MONDAY + rng.integers(0, 7) * DAY + step_s * np.arange(rows)
    base = np.exp(rng.uniform(np.log(3), np.log(90)))
    depth, weekend = rng.uniform(0.2, 0.85), rng.uniform(0.4, 1.0)
    drift = np.exp(np.cumsum(rng.normal(0, 0.04 * np.sqrt(step_s / DAY), rows)))
    rate = base * season(starts, depth, weekend) * drift
    rate = rate * mood(rng, (1, rows), np.exp(-step_s / rng.uniform(1800, 10_800)), rng.uniform(0.1, 0.4))[0]
    lift = np.ones(rows)
    for _ in range(rng.poisson(12)):
        _stir(lift, int(rng.integers(rows)), rng.pareto(2.2) * 0.6, rng.uniform(300, 7200) / step_s)
    events = int(rng.integers(2, 6))
    reach = int(0.1 * rows / events / 2)
    centres = _apart(rng, rows, events, reach)
    for at in centres:
        lasts = np.exp(rng.uniform(np.log(250), np.log(14_400))) if brief else rng.uniform(1200, 21_600)
        _stir(lift, at, (4.0 if brief else 2.5) * (1 + rng.pareto(1.3)), lasts / step_s)
    k = rng.uniform(2, 15)
    counts = rng.poisson(rate * lift * rng.gamma(k, 1 / k, rows)).astype(float)
    lone = rng.random(rows) < rng.uniform(0.0002, 0.003)
    counts += np.floor(lone * base * np.minimum(rng.pareto(1.6, rows) * 1.5, 6 if brief else 25))
    return Labelled(f"volume {seed}", starts, counts, tuple((c - reach, c + reach) for c in centres))


def _stir(lift: Floats, at: int, size: float, decay: float) -> None:
    after = np.arange(len(lift) - at)
    rise = np.minimum((after + 1) / max(decay / 10, 1.0), 1.0)
    lift[at:] += size * rise * np.exp(-after / decay)


def _apart(rng: np.random.Generator, rows: int, events: int, reach: int) -> list[int]:
    while True:
        found = np.sort(rng.integers(800 + reach, rows - reach - 1, events))
        if events == 1 or np.diff(found).min() > 2 * reach + 2:
            return [int(f) for f in found]
