"""The table of contents: one task a stage, without arguments."""

from workers.app import app
from workers.late import run


@app.task(name="collect")
def collect() -> None:
    """Fetch feeds that are due."""
    run("collect")


@app.task(name="listen")
def listen() -> None:
    """Hold streams open."""
    run("listen")


@app.task(name="recheck")
def recheck() -> None:
    """Ask whether posts are still there."""
    run("recheck")


@app.task(name="subscribe")
def subscribe() -> None:
    """Ask hubs to tell us of news."""
    run("subscribe")


@app.task(name="classify")
def classify() -> None:
    """Sort queued posts into frames."""
    run("classify")


@app.task(name="rescore")
def rescore() -> None:
    """Score stored posts under a changed codebook."""
    run("rescore")


@app.task(name="rollup")
def rollup() -> None:
    """Fold deltas into trend points."""
    run("rollup")


@app.task(name="detect")
def detect() -> None:
    """Judge closed buckets and raise alerts."""
    run("detect")


@app.task(name="deliver")
def deliver() -> None:
    """Send what the outbox holds."""
    run("deliver")


@app.task(name="digest")
def digest() -> None:
    """Fill digest slots that are due."""
    run("digest")


@app.task(name="suggest")
def suggest() -> None:
    """Group posts that match no frame, once a day."""
    run("suggest")


@app.task(name="upkeep")
def upkeep() -> None:
    """Keep partitions ahead of the posts."""
    run("upkeep")
