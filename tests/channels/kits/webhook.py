"""A receiver of Standard Webhooks."""

from tests.channels.kits import Kit

SECRET = "whsec_" + "c2VjcmV0LW9mLXR3ZW50eS1mb3VyLWJ5dGVz"
PATH = "/hooks/T0K3N-in-the-path"

KIT = Kit(
    config=lambda base: {"url": base + PATH, "secret": SECRET},
    secrets=(SECRET, SECRET.removeprefix("whsec_"), PATH),
    identity=lambda got: got.headers["webhook-id"],
    path=PATH,
    most=10**6,
    whole=True,
)
