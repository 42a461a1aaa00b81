"""The table of contents: one task a stage, without arguments."""

from workers.app import app
from workers.boot import run_stage
from workers.stages import classify as _classify
from workers.stages import collect as _collect
from workers.stages import deliver as _deliver
from workers.stages import detect as _detect
from workers.stages import digest as _digest
from workers.stages import listen as _listen
from workers.stages import recheck as _recheck
from workers.stages import rescore as _rescore
from workers.stages import rollup as _rollup
from workers.stages import subscribe as _subscribe
from workers.stages import suggest as _suggest
from workers.stages import upkeep as _upkeep


@app.task(name="collect")
def collect() -> None:
    """Fetch feeds that are due."""
    run_stage("collect", _collect.collect)


@app.task(name="listen")
def listen() -> None:
    """Hold streams open."""
    run_stage("listen", _listen.listen)


@app.task(name="recheck")
def recheck() -> None:
    """Ask whether posts are still there."""
    run_stage("recheck", _recheck.recheck)


@app.task(name="subscribe")
def subscribe() -> None:
    """Ask hubs to tell us of news."""
    run_stage("subscribe", _subscribe.subscribe)


@app.task(name="classify")
def classify() -> None:
    """Sort queued posts into frames."""
    run_stage("classify", _classify.classify)


@app.task(name="rescore")
def rescore() -> None:
    """Score stored posts under a changed codebook."""
    run_stage("rescore", _rescore.rescore)


@app.task(name="rollup")
def rollup() -> None:
    """Fold deltas into trend points."""
    run_stage("rollup", _rollup.rollup)


@app.task(name="detect")
def detect() -> None:
    """Judge closed buckets and raise alerts."""
    run_stage("detect", _detect.detect)


@app.task(name="deliver")
def deliver() -> None:
    """Send what the outbox holds."""
    run_stage("deliver", _deliver.deliver)


@app.task(name="digest")
def digest() -> None:
    """Fill digest slots that are due."""
    run_stage("digest", _digest.digest)


@app.task(name="suggest")
def suggest() -> None:
    """Group posts that match no frame, once a day."""
    run_stage("suggest", _suggest.suggest)


@app.task(name="upkeep")
def upkeep() -> None:
    """Keep partitions ahead of the posts."""
    run_stage("upkeep", _upkeep.upkeep)
