"""A Gotify server, asked by Apprise's plugin over our way out."""

from tests.channels.kits import Kit

KIT = Kit(
    config=lambda base: {"url": base.replace("http://", "gotify://") + "/s3cret-token-x"},
    secrets=("s3cret-token-x",),
    identity=lambda got: got.json["message"].rpartition("Message ")[2],
    path="/message",
    needs="apprise",
)
