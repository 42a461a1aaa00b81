"""How often senders that are well are called silent, and how soon one that has died is.

    python -m bench.senders [--years 10]

Simulated by the hour, in UTC; offices live by the clock of Berlin and keep twelve holidays a year.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from services.analysis import silence

Chance = np.random.Generator
Sent = NDArray[np.bool_]
START, HOUR = datetime(2025, 9, 1, tzinfo=UTC), timedelta(hours=1)
EPOCH_HOUR = int(START.timestamp() // 3600)
ZONE = ZoneInfo("Europe/Berlin")
HOLIDAYS = {(10, 3), (12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (4, 3), (4, 6), (5, 1), (5, 14), (5, 25), (6, 4)}
WEEK, MEMORY = 168, silence.MEMORY // HOUR
DEATHS = 8
"""Senders that die, each at an hour of its own, a simulated year."""


def constant(n: int, chance: Chance) -> Sent:
    """every few minutes"""
    return chance.random(n) > 0.002


def thin(n: int, chance: Chance) -> Sent:
    """by chance, one request in two hours"""
    return chance.random(n) < -np.expm1(-0.5)


def daytime(n: int, chance: Chance) -> Sent:
    """by chance, busy by day and thin by night"""
    rate = np.array([0.05 if t.hour < 6 else 1.5 for t in _local(n)])
    return chance.random(n) < -np.expm1(-rate)


def office(n: int, chance: Chance) -> Sent:
    """office hours, no holidays"""
    return _office(n) & (chance.random(n) < 0.95)


def holidays(n: int, chance: Chance) -> Sent:
    """office hours, with holidays"""
    return _office(n, HOLIDAYS) & (chance.random(n) < 0.95)


def press(n: int, chance: Chance) -> Sent:
    """two or three releases a working day, with holidays"""
    return _office(n, HOLIDAYS) & (chance.random(n) < 0.3)


def bursty(n: int, chance: Chance) -> Sent:
    """some hours, then nothing for one to five days"""
    sent, at = np.zeros(n, bool), 0
    while at < n:
        length = min(1 + chance.geometric(0.15), n - at)
        sent[at : at + length] = chance.random(length) < 0.8
        at += length + int(24 * (1 + chance.exponential(1.3)))
    return sent


def tailed(n: int, chance: Chance) -> Sent:
    """gaps with a long tail (Pareto of 1.5)"""
    sent, at = np.zeros(n, bool), 0
    while at < n:
        sent[at] = True
        at += 1 + int(2 * chance.pareto(1.5))
    return sent


def daily(n: int, chance: Chance) -> Sent:
    """one export a day, an hour late now and then"""
    sent = np.zeros(n, bool)
    at = np.arange(0, n, 24)
    sent[np.minimum(at + 5 + chance.geometric(0.9, len(at)), n - 1)] = True
    return sent


def weekly(n: int, chance: Chance) -> Sent:
    """one letter a week, on a Thursday morning"""
    sent = np.zeros(n, bool)
    at = np.arange(0, n, WEEK)
    sent[np.minimum(at + 3 * 24 + 9 + chance.integers(3, size=len(at)), n - 1)] = True
    return sent


def loose(n: int, chance: Chance) -> Sent:
    """one letter a week, on one of three days"""
    sent = np.zeros(n, bool)
    at = np.arange(0, n, WEEK)
    sent[np.minimum(at + chance.integers(3, size=len(at)) * 24 + 9 + chance.integers(8, size=len(at)), n - 1)] = True
    return sent


Kind = Callable[[int, Chance], Sent]
KINDS: tuple[Kind, ...] = (
    constant, thin, daytime, office, holidays, press, bursty, tailed, daily, weekly, loose,
)  # fmt: skip


def _local(n: int) -> list[datetime]:
    return [(START + i * HOUR).astimezone(ZONE) for i in range(n)]


def _office(n: int, off: set[tuple[int, int]] = frozenset()) -> Sent:  # type: ignore[assignment]
    return np.array([t.weekday() < 5 and 9 <= t.hour < 17 and (t.month, t.day) not in off for t in _local(n)])


def simulated(kind: Kind, weeks: int, seed: int) -> Sent:
    """Whether a sender sent, hour by hour."""
    return kind(weeks * WEEK, np.random.default_rng(seed))


def alarms(sent: Sent, begin: int = 0) -> list[int]:
    """The hours, from `begin` on, at whose end a silence was first called odd."""
    found: list[int] = []
    told = False
    for i in range(begin, len(sent)):
        told &= not sent[i]
        if sent[i] or told:
            continue
        since = max(i + 1 - MEMORY, 0)
        at = EPOCH_HOUR + np.arange(since, i + 1)
        judged = silence.judge(at, sent[since : i + 1], EPOCH_HOUR + i + 1)
        if judged and judged.odd:
            found.append(i)
            told = True
    return found


def _delays(sent: Sent, chance: Chance) -> list[float]:
    """Hours from a sender's death to its alarm; infinite when none came in eight weeks."""
    found = []
    for _ in range(DEATHS):
        death = int(chance.integers(12 * WEEK, 40 * WEEK))
        dead = sent[: death + MEMORY].copy()
        dead[death:] = False
        told = alarms(dead, int(np.flatnonzero(dead)[-1]) + 1)
        # A silence that was called odd before its sender died was known at once.
        found.append(max(told[0] + 1 - death, 0) if told else float("inf"))
    return found


def main() -> None:
    """Simulate every kind and print false alarms a year and hours until a death is told."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--years", type=int, default=10)
    years = asked.parse_args().years
    print(f"{years} years of 52 weeks of each sender, {DEATHS} deaths a year\n")
    print("| sender | false alarms a year | hours until a death is told: median / 9 in 10 |\n|---|---|---|")
    for kind in KINDS:
        false, waits = 0, []
        for seed in range(years):
            sent = simulated(kind, 52, seed)
            false += len(alarms(sent))
            waits += _delays(sent, np.random.default_rng([seed, 1]))
        half, most = np.quantile(waits, [0.5, 0.9], method="higher")
        print(f"| {kind.__doc__} | {false / years:.1f} | {half:.0f} / {most:.0f} |", flush=True)


if __name__ == "__main__":
    main()
