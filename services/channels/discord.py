"""Discord by a webhook; nobody can be called (`allowed_mentions` is empty) and every piece of Markdown is escaped."""

from services.channels.brief import Brief, mark
from services.channels.chat import Address, Chat
from services.channels.over_http import Request
from services.channels.wording import no_markdown

Config = Address
"""`url`: the webhook's address, https://discord.com/api/webhooks/…"""
_DESCRIPTION = 4000
_TITLE = 250


class Discord(Chat):
    """One Discord channel."""

    def request(self, config: Address, told: Brief) -> Request:
        """An embed, and a wait for the word that it stands: https://docs.discord.com/developers/resources/webhook."""
        url = config.url.get_secret_value()
        embed = {
            "title": no_markdown(f"{told.word}: {told.title}")[:_TITLE].rstrip("\\"),
            "description": _fitting([*told.lines, *map(mark, told.quotes)]),
            "color": int(told.colour.removeprefix("#"), 16),
            "footer": {"text": f"framewatch · {told.message_id}"},
        }
        body = {"embeds": [embed | ({"url": told.page} if told.page else {})], "allowed_mentions": {"parse": []}}
        return Request(url + ("&" if "?" in url else "?") + "wait=true", body)


def _fitting(rows: list[str]) -> str:
    """As many rows as a description may hold, each whole."""
    said = ""
    for row in map(no_markdown, rows):
        if len(said) + len(row) + 1 <= _DESCRIPTION:
            said += row + "\n"
    return said
