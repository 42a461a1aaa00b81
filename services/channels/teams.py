"""Microsoft Teams by a workflow ("when a webhook request is received"), as text runs of a card: they know no markup."""

from typing import Any

from services.channels.brief import Brief, mark
from services.channels.chat import Address, Chat
from services.channels.over_http import Request

Config = Address
"""`url`: the workflow's address, https://….logic.azure.com/workflows/… or https://….powerplatform.com/…"""


class Teams(Chat):
    """One Teams channel or chat. A 202 says that the workflow took it; what the workflow does then is not told."""

    def request(self, config: Address, told: Brief) -> Request:
        """One card: https://learn.microsoft.com/connectors/teams (about 28 KB at most)."""
        mood = "attention" if told.urgent else "default"
        body = [
            _run(f"{told.word}: {told.title}", weight="bolder", size="medium", color=mood),
            *map(_run, told.lines),
            *(_run(mark(quote), subtle=True) for quote in told.quotes),
            _run(f"framewatch · {told.message_id}", subtle=True, size="small"),
        ]
        content = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": body,
            "actions": _open(told.page),
            "msteams": {"width": "Full"},
        }
        card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
        return Request(config.url.get_secret_value(), {"type": "message", "attachments": [card]})


def _run(text: str, *, subtle: bool = False, **style: str) -> dict[str, Any]:
    # Cards replace {{DATE(…)}} and ${…} wherever they stand.
    text = text.replace("{{", "{\u200b{").replace("${", "$\u200b{")
    return {
        "type": "RichTextBlock",
        "inlines": [{"type": "TextRun", "text": text or " ", "isSubtle": subtle, **style}],
    }


def _open(page: str) -> list[dict[str, str]]:
    return [{"type": "Action.OpenUrl", "title": "Open in framewatch", "url": page}] if page else []
