"""Slack by an incoming webhook. Text goes out with mrkdwn off and `&<>` escaped, so that nothing calls or links."""

from services.channels.brief import Brief, mark
from services.channels.chat import Address, Chat
from services.channels.over_http import Request

Config = Address
"""`url`: the webhook's address, https://hooks.slack.com/services/…"""


class Slack(Chat):
    """One Slack channel."""

    def request(self, config: Address, told: Brief) -> Request:
        """A message with a coloured attachment: https://docs.slack.dev/messaging/formatting-message-text."""
        rows = [*map(_safe, told.lines), "", *(_safe(mark(quote)) + "\n" for quote in told.quotes)]
        rows += [f"<{_safe(told.page)}>"] if told.page else []
        attachment = {
            "color": told.colour,
            "text": "\n".join(rows),
            "fallback": _safe(told.title),
            "footer": f"framewatch · {told.message_id}",
            "mrkdwn_in": [],
        }
        body = {
            "text": _safe(f"{told.word}: {told.title}"),
            "mrkdwn": False,
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "attachments": [attachment],
        }
        return Request(config.url.get_secret_value(), body)


def _safe(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
