"""Mattermost (and Rocket.Chat, which reads the same) by an incoming webhook; every piece of Markdown is escaped."""

from services.channels.brief import Brief, mark
from services.channels.chat import Address, Chat
from services.channels.over_http import Request
from services.channels.wording import no_markdown

Config = Address
"""`url`: the webhook's address, https://chat.example.org/hooks/…"""


class Mattermost(Chat):
    """One Mattermost channel."""

    def request(self, config: Address, told: Brief) -> Request:
        """A message with a coloured attachment: https://developers.mattermost.com/integrate/reference/message-attachments."""
        rows = [*map(no_markdown, told.lines), *(no_markdown(mark(quote)) for quote in told.quotes)]
        attachment = {
            "color": told.colour,
            "text": "\n\n".join(row.replace("\n", "\n\n") for row in rows),
            "fallback": no_markdown(told.title),
            "title": "Open in framewatch" if told.page else "",
            "title_link": told.page,
            "footer": f"framewatch · {told.message_id}",
        }
        body = {"text": no_markdown(f"{told.word}: {told.title}"), "attachments": [attachment]}
        return Request(config.url.get_secret_value(), body)
