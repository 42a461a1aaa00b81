"""Against a real Alertmanager: an alert is there once, goes when resolved, and our webhook body is like its own."""

import json
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import PermanentError, Reason
from services.channels import channel_for
from services.channels.labels import posted, webhook_v4
from tests.channels.conftest import Receiver, fetcher, free_port
from tests.channels.notices import NOTICES, SENT_AT, alert_data, digest_data
from tests.monitoring import find
from tests.waiting import wait

BINARY = find("prometheus-alertmanager") or find("alertmanager")
URL = "https://watch.example/"
real = pytest.mark.skipif(not BINARY, reason="no prometheus-alertmanager on PATH (Debian: prometheus-alertmanager)")


class Running:
    """One Alertmanager on this machine, asked over its own API."""

    def __init__(self, folder: Path, hook: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        settings = {
            "route": {"receiver": "hook", "group_by": ["alertname"], "group_wait": "1ms", "group_interval": "1ms"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": hook, "send_resolved": True}]}],
        }
        (folder / "am.yml").write_text(json.dumps(settings))
        self._log = (folder / "am.log").open("wb")
        self._process = subprocess.Popen(
            [str(BINARY), f"--config.file={folder}/am.yml", f"--storage.path={folder}/data", "--cluster.listen-address=",
             f"--web.listen-address={self.url.removeprefix('http://')}"],
            stdout=self._log, stderr=self._log,
        )  # fmt: skip
        until(lambda: self.ask("/-/ready"), OSError)

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            body = answer.read()
        return json.loads(body) if path.startswith("/api") else True

    def alerts(self, query: str = "") -> list[dict[str, Any]]:
        return self.ask("/api/v2/alerts" + query)

    def silence(self, label: str, value: str) -> None:
        body = {"matchers": [{"name": label, "value": value, "isRegex": False, "isEqual": True}], "startsAt":
                text(-60), "endsAt": text(3600), "createdBy": "test", "comment": "known"}  # fmt: skip
        request = urllib.request.Request(
            self.url + "/api/v2/silences", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()

    def send(self, notice, **more) -> None:
        channel_for("alertmanager", {"url": self.url}, fetcher(), public_url=URL).send(
            notice, sent_at=datetime.now(UTC)
        )

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


def text(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def until(found: Callable[[], Any], *errors: type[Exception]) -> Any:
    return wait(found, 30, 0.02, passing=errors)


@pytest.fixture
def alertmanager(tmp_path, receiver: Receiver):
    running = Running(tmp_path, receiver.base + "/hook")
    yield running
    running.stop()


def alert(**more):
    return replace(NOTICES["alert"], data=alert_data(**more))


@real
def test_an_alert_is_there_once_and_goes_when_it_is_over(alertmanager):
    alertmanager.send(alert())
    (one,) = alertmanager.alerts()
    assert one["labels"] == {
        "alertname": "FramewatchBurst", "severity": "warning", "frame": "staged", "codebook": "palmyra-2016",
        "rule": "burst", "alert_id": "a1b2c3",
    }  # fmt: skip
    assert one["annotations"]["summary"] == "Burst: Staged theatrics"
    assert "41 voices in 2 hours" in one["annotations"]["description"]
    assert one["generatorURL"] == "https://watch.example/alerts/a1b2c3"
    assert one["startsAt"] == "2016-12-11T14:00:00.000Z"
    assert one["status"]["state"] in ("active", "unprocessed")
    stands = datetime.fromisoformat(one["endsAt"]) - datetime.now(UTC)
    assert timedelta(days=6) < stands <= timedelta(days=7)

    alertmanager.send(alert())
    alertmanager.send(replace(alert(state="escalated", reason="Now 90 voices."), message_id="another"))
    (same,) = alertmanager.alerts()
    assert same["fingerprint"] == one["fingerprint"]
    assert same["annotations"]["summary"] == "Burst has grown: Staged theatrics"

    alertmanager.send(alert(alert_id="other"))
    assert len(alertmanager.alerts()) == 2
    alertmanager.send(alert(state="resolved"))
    until(lambda: [a["labels"]["alert_id"] for a in alertmanager.alerts()] == ["other"])


@real
def test_what_is_told_together_comes_apart_again(alertmanager):
    def told(state):
        others = [
            {**alert_data(alert_id=f"x{n}", state=state), "message_id": f"alert.x{n}.firing.am"} for n in range(3)
        ]
        return alert(
            state=state,
            together=[{k: v for k, v in o.items() if k not in ("sources", "typical", "links")} for o in others],
        )

    alertmanager.send(told("firing"))
    assert {a["labels"]["alert_id"] for a in alertmanager.alerts()} == {"a1b2c3", "x0", "x1", "x2"}
    body = webhook_v4(told("firing"), "", sent_at=SENT_AT)
    assert len(body["alerts"]) == 4
    assert "alert_id" not in body["commonLabels"]
    assert body["commonLabels"]["frame"] == "staged"
    alertmanager.send(told("resolved"))
    until(lambda: not alertmanager.alerts())


@real
def test_a_silence_there_keeps_an_escalation_quiet(alertmanager, receiver):
    alertmanager.silence("frame", "staged")
    alertmanager.send(alert())
    alertmanager.send(alert(frame={"id": "loud", "title": "Loud", "description": ""}, alert_id="z"))
    until(lambda: receiver.asked)
    until(lambda: [a for a in alertmanager.alerts("?silenced=true&active=false") if a["status"]["silencedBy"]])
    assert {a["labels"]["frame"] for got in receiver.asked for a in got.json["alerts"]} == {"loud"}


@real
def test_digests_tests_outages_and_odd_text_are_taken(alertmanager):
    odd = "a\r\nb\x00 \ud800 \u202e{{ .Labels }} 😀" * 50
    for notice in (
        NOTICES["digest"], NOTICES["test"], alert(kind="outage"), alert(kind="coordinated", alert_id="c"),
        alert(alert_id=odd, rule=odd, reason=odd, frame={"id": odd, "title": odd, "description": odd}),
        alert(alert_id="b", frame={"id": "", "title": "", "description": ""}, onset="no date", until=None),
        replace(NOTICES["digest"], data=digest_data(digest=odd)),
    ):  # fmt: skip
        alertmanager.send(notice)
    found = alertmanager.alerts()
    assert len(found) == 7
    assert {a["labels"]["severity"] for a in found} == {"info", "warning"}


@real
def test_a_test_of_an_address_without_alertmanager_is_refused(alertmanager):
    channel = channel_for("alertmanager", {"url": alertmanager.url + "/nowhere"}, fetcher(), public_url="")
    with pytest.raises(PermanentError) as caught:
        channel.send(NOTICES["test"], sent_at=SENT_AT)
    assert caught.value.reason == Reason.REFUSED


@real
def test_the_body_of_the_webhook_is_like_alertmanagers_own(alertmanager, receiver):
    alertmanager.send(alert())
    until(lambda: receiver.asked)
    theirs = receiver.asked[0].json
    channel = channel_for(
        "webhook", {"url": receiver.base + "/ours", "format": "alertmanager"}, fetcher(), public_url=URL
    )
    channel.send(alert(), sent_at=SENT_AT)
    channel.send(alert(state="resolved"), sent_at=SENT_AT)
    ours, over = (got.json for got in receiver.asked if got.path == "/ours")
    assert {k: type(v) for k, v in ours.items()} == {k: type(v) for k, v in theirs.items()}
    (mine,), (its,) = ours["alerts"], theirs["alerts"]
    assert {k: type(v) for k, v in mine.items()} == {k: type(v) for k, v in its.items()}
    assert (ours["version"], ours["status"], ours["groupKey"]) == (theirs["version"], "firing", theirs["groupKey"])
    assert (mine["labels"], mine["annotations"], mine["generatorURL"]) == (
        its["labels"],
        its["annotations"],
        its["generatorURL"],
    )
    assert (over["status"], over["alerts"][0]["status"]) == ("resolved", "resolved")
    assert over["alerts"][0]["endsAt"] == "2016-12-11T16:00:00.000Z"


def test_labels_stay_the_same_whatever_becomes_of_the_alert():
    later = SENT_AT + timedelta(days=3)
    states = [posted(alert(state=s, reason=s), URL, sent_at=later)[0] for s in ("firing", "escalated", "resolved")]
    assert states[0]["labels"] == states[1]["labels"] == states[2]["labels"]
    assert states[2]["endsAt"] == "2016-12-15T09:00:05.000Z"
    assert states[0]["endsAt"] == "2016-12-22T09:00:05.000Z"
