"""framewatch alerts by command: rules saved and refused, mutes, what is said of an alert, dry runs."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.analysis.telling import Measure
from services.cli.alert_rules import moment
from services.store import announcing, deliveries
from services.store.pool import Store
from tests.api.seeded import add_codebook
from tests.channels.notices import alert_data
from tests.cli.test_commands import Run, run, with_database
from workers.runtime import Rule

__all__ = ["run", "with_database"]
NOW = datetime.now(UTC)
FRAME = "staged-theatrics"
pytestmark = pytest.mark.usefixtures("with_database")


@pytest.fixture
def raised(store: Store) -> str:
    version = add_codebook(store)
    alert = {
        "alert_id": "ab12", "kind": "burst", "rule": "burst", "version_id": version, "frame": FRAME, "feed_id": None,
        "onset": NOW, "last_bucket": NOW, "evidence": alert_data(alert_id="ab12"),
    }  # fmt: skip
    with store.transaction() as tx:
        deliveries.add_channel(tx, "team", "mail", {})
        announcing.fire(tx, alert, Rule(), measure=Measure(9, 3, 5.0), now=NOW)
    return "ab12"


def test_rules_are_saved_listed_tried_and_removed(run: Run, raised: str, tmp_path: Path) -> None:
    path = tmp_path / "rule.yaml"
    path.write_text(f"frame: {FRAME}\nmin_posts: 8\nchannels: [team]\nquiet: 22:00-07:00 Europe/Berlin\n")
    code, out, _ = run("alerts", "rules", "set", "night", "--file", str(path), "min_authors=4")
    assert code == 0
    assert f"decides for {FRAME} from now on, instead of burst" in out
    listed = json.loads(run("alerts", "rules", "list", "--json")[1])["rules"]
    assert [r["name"] for r in listed] == ["burst", "night"]
    assert listed[1]["min_posts"] == 8
    assert listed[1]["min_authors"] == 4
    assert listed[1]["quiet"] == "22:00-07:00 Europe/Berlin"
    assert "to team" in run("alerts", "rules", "list")[1]
    told = json.loads(run("alerts", "dry-run", "--rule", "night", "--days", "3", "--json")[1])
    assert (told["rule"], told["firings"]) == ("night", [])
    assert "would not have fired in the" in run("alerts", "dry-run", "min_posts=3")[1]
    assert run("alerts", "rules", "remove", "night")[0] == 0
    assert "there is no saved rule night" in run("alerts", "rules", "remove", "night")[2]


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (["frame=nothing"], "there is no frame nothing; known are: aleppo-diversion"),
        (["channels=[pager]"], "there is no channel pager; known are: team"),
        (["min_posts=0"], "min_posts: input should be greater than or equal to 1"),
        (["min_posts=many"], "min_posts: input should be a valid integer"),
        (["min_posts"], "write FIELD=VALUE"),
        (["minimum=3"], "minimum is not a field; known are: frame"),
        (["quiet=at night"], "`22:00-07:00 Europe/Berlin`"),
        (["min_posts=2", "min_authors=5"], "min_authors 5 cannot stand behind 2 posts"),
        (["channels=[unclosed"], "cannot be read as a value"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_when_saved(run: Run, raised: str, terms: list[str], words: str) -> None:
    code, _, err = run("alerts", "rules", "set", "mine", *terms)
    assert code == 1
    assert words in err
    assert [r["name"] for r in json.loads(run("alerts", "rules", "list", "--json")[1])["rules"]] == ["burst"]


def test_an_alert_is_acknowledged_snoozed_and_ended(run: Run, raised: str) -> None:
    assert "acknowledged" in run("alerts", "ack", raised)[1]
    assert "is snoozed until" in run("alerts", "snooze", raised, "--until", "2h")[1]
    assert "still to come" in run("alerts", "snooze", raised, "--until", "2016-01-01T00:00Z")[2]
    assert "no time zone" in run("alerts", "snooze", raised, "--until", "2030-01-01T00:00")[2]
    assert "is over: ended by hand" in run("alerts", "resolve", raised)[1]
    assert "over already" in run("alerts", "ack", raised)[2]
    assert "there is no alert cd" in run("alerts", "ack", "cd")[2]
    shown = json.loads(run("alerts", "show", raised, "--json")[1])
    assert [d["step"] for d in shown["deliveries"]] == ["firing", "resolved"]


def test_a_frame_is_muted_and_unmuted(run: Run, raised: str) -> None:
    assert "Muted staged-theatrics until" in run("alerts", "mute", "--frame", FRAME, "--until", "2d")[1]
    assert "muted: staged-theatrics until" in run("alerts", "rules", "list")[1]
    assert "Speaking of staged-theatrics again" in run("alerts", "unmute", "--frame", FRAME)[1]
    assert "It was not muted" in run("alerts", "unmute", "--frame", FRAME)[1]
    assert "there is no frame x" in run("alerts", "mute", "--frame", "x")[2]
    assert "there is no feed 9" in run("alerts", "mute", "--feed", "9")[2]
    assert "name one of them" in run("alerts", "mute")[2]


def test_quiet_hours_of_a_channel(run: Run, raised: str, store: Store) -> None:
    assert run("channels", "quiet", "team", "22:00-07:00 Europe/Berlin")[0] == 0
    with store.transaction() as tx:
        assert deliveries.list_channels(tx)[0]["quiet"] == "22:00-07:00 Europe/Berlin"
    assert "should look like" in run("channels", "quiet", "team", "late")[2]
    assert run("channels", "quiet", "team", "none")[0] == 0


def test_a_length_and_a_time_are_moments() -> None:
    assert moment("90m", NOW) == NOW + timedelta(minutes=90)
    assert moment("2030-01-01T00:00+02:00", NOW).utcoffset() == timedelta(hours=2)
