"""Alertmanager's API for clients: a list with one alert."""

from tests.channels.kits import Kit

TOKEN = "am-t0ken-4711"

KIT = Kit(
    config=lambda base: {"url": base + "/tenant-s3cret/", "token": TOKEN},
    secrets=(TOKEN, "tenant-s3cret"),
    identity=lambda got: got.json[0]["annotations"]["message_id"],
    path="/tenant-s3cret/api/v2/alerts",
)
