"""How often somebody may ask: a token bucket. It keeps no time and no names itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """`per_second` on average, `burst` at once."""

    per_second: float
    burst: float

    @classmethod
    def a_minute(cls, requests: int) -> "Pace":
        """So many a minute, and as many at once."""
        return cls(requests / 60, float(requests))


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of a pace at a time in seconds."""

    left: float
    at: float


def take(bucket: Bucket | None, now: float, pace: Pace) -> tuple[Bucket, float]:
    """The bucket after one request at `now`, and seconds to wait: 0 lets it through (token bucket, RFC 2697's meter).

    A refused request takes nothing. A clock that goes back refills nothing.
    """
    if bucket is None:
        bucket = Bucket(pace.burst, now)
    left = min(bucket.left + max(now - bucket.at, 0.0) * pace.per_second, pace.burst)
    if left < 1:
        return Bucket(left, now), (1 - left) / pace.per_second
    return Bucket(left - 1, now), 0.0
