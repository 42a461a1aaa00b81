"""Notices of every kind, as the stages compose them."""

from datetime import UTC, datetime
from typing import Any

from schemas.records import Notice

SENT_AT = datetime(2016, 12, 12, 9, 0, 5, tzinfo=UTC)


def post(number: int, text: str = "They staged it all.", **more: Any) -> dict[str, Any]:
    return {
        "post_id": str(number), "published_at": "2016-12-11T14:03:00Z", "source": "rss", "lang": "en",
        "author": "9f8e7d6c5b4a", "url": f"https://news.example/{number}", "text": text, **more,
    }  # fmt: skip


def alert_data(**more: Any) -> dict[str, Any]:
    return {
        "alert_id": "a1b2c3", "kind": "burst", "state": "firing", "rule": "burst",
        "reason": "41 voices in 2 hours where 6.2 were expected.",
        "frame": {"id": "staged", "title": "Staged theatrics", "description": "The battle is told as a show."},
        "codebook": {"id": "palmyra-2016", "version": 3, "title": "The fall of Palmyra"},
        "model": "e5-small", "onset": "2016-12-11T14:00:00Z", "until": "2016-12-11T16:00:00Z",
        "step_seconds": 3600,
        "counts": {"posts": 58, "texts": 44, "units": 41, "authors": 37, "publishers": 12, "share": 0.034},
        "expected": {"units": 6.2, "upper": 14.0, "ratio": 6.6, "ratio_low": 4.1, "ratio_high": 9.8},
        "probability": 0.00021, "threshold": 0.001,
        "baseline": {"from": "2016-11-13T00:00:00Z", "until": "2016-12-10T14:00:00Z", "days": 27.6},
        "coverage": 0.996, "sources": [{"source": "rss", "posts": 31}, {"source": "mastodon", "posts": 27}],
        "languages": [{"lang": "en", "posts": 40}, {"lang": "ar", "posts": 18}],
        "links": [{"url": "https://video.example/w?v=1&t=2", "posts": 9}],
        "first_carriers": [post(1), post(2, "هذه مسرحية متفق عليها", lang="ar", source="mastodon")],
        "typical": [post(3, "A theatre, nothing more. https://t.example/x", score=0.97)],
        "quality": {"told": "precision 90% (95% interval 71 to 97%, 19 judged, 2016-W49)"}, **more,
    }  # fmt: skip


def chart_data(**more: Any) -> dict[str, Any]:
    units = [*[i % 3 for i in range(150)], None, None, *[2, 9, 14, 11, 3] * 3, 0]
    return {
        "from": "2016-12-05T09:00:00Z", "step_seconds": 3600, "new": 144, "units": units,
        "expected": [1.2] * 168, "upper": [None] * 24 + [4.0] * 144, "burst": [153, 154, 155], **more,
    }  # fmt: skip


def digest_data(**more: Any) -> dict[str, Any]:
    frame = {
        "id": "staged", "codebook": "palmyra-2016", "title": "Staged theatrics", "posts": 300, "units": 210,
        "authors": 205, "share": 0.12, "ratio": 6.6, "ratio_low": 4.1, "sigma": 4.2, "quality": None, "alert": "new",
        "condition": "on alert", "detail": "since 11 Dec 15:00, and in a burst in its last judged hour",
        "onset": "2016-12-11T14:00:00Z",
        "against": "41 voices hour by hour, 6.2 expected, in 24 judged hours: 6.6× the usual (4.1 to 9.8)",
    }  # fmt: skip
    voices = {
        "authors": 205,
        "fresh": 71,
        "publishers": 3,
        "names": [{"name": "video.example", "posts": 9}],
        "days": 28,
    }
    judged = {"judged": 19, "told": "precision 90% (95% interval 71 to 97%, 19 judged, 2016-W49)"}
    alert = {
        "alert_id": "a1b2c3", "kind": "burst", "codebook": "palmyra-2016", "frame": "staged",
        "title": "Staged theatrics", "onset": "2016-12-11T14:00:00Z", "until": "2016-12-11T16:00:00Z",
        "state": "firing", "reason": "Staged theatrics: 41 voices, 6.2 expected.", "ratio": 6.6, "expected": 6.2,
        "counts": None, "first": [post(1, "A play, says one who should know.")], "typical": [post(3, score=0.97)],
        "links": [],
    }  # fmt: skip
    suggestion = {
        "suggestion_id": 4, "codebook": "palmyra-2016", "title": "Museum, looted, coins", "posts": 31, "units": 22,
        "typical": [post(9, "Coins of the museum are sold online.")],
    }  # fmt: skip
    return {
        "digest": "Morning digest", "slot": "2016-12-12T09:00:00Z", "timezone": "Europe/Berlin",
        "period": {"from": "2016-12-11T09:00:00Z", "until": "2016-12-12T09:00:00Z"},
        "before": {"from": "2016-12-10T09:00:00Z", "until": "2016-12-11T09:00:00Z"},
        "codebook": {"id": "palmyra-2016", "version": 3, "title": "The fall of Palmyra"},
        "totals": {"posts": 2480, "previous_posts": 2310, "carrying": 512},
        "frames": [
            {**frame, "previous_share": 0.08, "change": 0.04, "state": "burst", "moved": "burst", "voices": voices,
             "chart": chart_data()},
            {**frame, "id": "blame", "title": "Россия винит США", "previous_share": None, "change": None,
             "state": "learning", "moved": "unknown", "voices": None, "ratio": None, "quality": judged, "alert": None,
             "condition": "learning", "detail": "too little history to judge", "against": "no hour could be judged"},
        ],
        "alerts": [alert], "suggestions": [suggestion], "coverage": 0.97,
        "gaps": [{"feed": "Al-Masdar", "from": "2016-12-11T20:00:00Z", "until": "2016-12-11T21:00:00Z"}],
        "detection": "Accepted: 1 false alarm a week over 8 frames.", **more,
    }  # fmt: skip


NOTICES = {
    "alert": Notice("n-alert-1", "alert", "Burst: Staged theatrics", alert_data()),
    "digest": Notice("n-digest-1", "digest", "Morning digest, 12 December 2016", digest_data()),
    "test": Notice("n-test-1", "test", "Test of team", {"channel": "team"}),
}
