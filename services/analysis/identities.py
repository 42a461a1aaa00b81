"""The identities that must hold on a live database, each with its numbers and what is missing."""

from collections.abc import Mapping
from dataclasses import dataclass

Row = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """One sum that must come out: `left` = the sum of `parts`."""

    name: str
    left_name: str
    left: int
    parts: Mapping[str, int]
    note: str = ""

    @property
    def drift(self) -> int:
        """How far the two sides are apart; 0 when the identity holds."""
        return self.left - sum(self.parts.values())

    def __str__(self) -> str:
        sides = " + ".join(f"{name} {number:,}" for name, number in self.parts.items())
        return f"{self.left_name} {self.left:,} = {sides}"


def identities(counted: Mapping[str, Row]) -> list[Identity]:
    """Every identity, from the rows of services.store.counts by name."""
    intake, stored, keys = counted["intake_identity"], counted["stored_identity"], counted["keys_identity"]
    trend, steps = counted["trend_identity"], counted["steps_identity"]
    rows, stances, windows = (counted[f"{name}_identity"] for name in ("rows", "stances", "windows"))
    words = counted["words_identity"]
    scores, alerts = counted["scores_identity"], counted["alert_identity"]
    return [
        Identity("fetched", "fetched", intake["fetched"], {k: intake[k] for k in ("new", "duplicate", "dropped")}),
        Identity("kept", "new", intake["new"], {"stored": keys["posts"], "deleted": keys["erased"]}),
        Identity("counted once", "stored", keys["posts"], {"living identities": keys["both"]}),
        Identity("stored", "stored", stored["stored"], {k: stored[k] for k in ("scored", "pending", "parked")}),
        Identity("scores", "frames carried without a score", scores["carried_without_score"], {"none": 0}),
        Identity("ghosts", "scores without a post", scores["scores_without_post"], {"none": 0}),
        Identity("trend", "sum of trend points", trend["told"], {"recomputed from scores": trend["fact"]}),
        Identity("trend points", "points that differ", trend["drifted"], {"none": 0}, f"of {trend['points']:,}"),
        Identity(
            "trend steps", "hours, days and weeks that differ", steps["drifted"], {"none": 0}, f"of {steps['steps']:,}"
        ),
        Identity("side by side", "steps that differ", rows["drifted"], {"none": 0}, f"of {rows['numbers']:,}"),
        Identity(
            "stances", "counts by stance that differ", stances["drifted"], {"none": 0}, f"of {stances['numbers']:,}"
        ),
        Identity(
            "words",
            "posts whose words are missing or left",
            words["drifted"],
            {"none": 0},
            f"of {words['carriers']:,}",
        ),
        Identity(
            "windows",
            "counts of the last day that differ",
            windows["drifted"],
            {"none": 0},
            f"of {windows['windows']:,}",
        ),
        Identity(
            "alerts",
            "raised",
            alerts["raised"],
            {k: alerts[k] for k in ("delivered", "pending", "parked", "silenced")},
        ),
    ]
