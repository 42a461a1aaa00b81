"""The preview page of a public channel, as t.me serves it."""

from html import escape
from typing import Any

from tests.sources.kits import Kit

NAME = "palmyra_news"


def message(number: object, text: str | None, date: str | None, *, name: str = NAME, more: str = "") -> str:
    said = f'<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>' if text is not None else ""
    when = "" if date is None else f'<time datetime="{escape(str(date))}" class="time">12:00</time>'
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        '<div class="tgme_widget_message text_not_supported_wrap js-widget_message" '
        f'data-post="{name}/{number}"><div class="tgme_widget_message_user"><a href="https://t.me/{name}">'
        '<i class="tgme_widget_message_user_photo"></i></a></div><div class="tgme_widget_message_bubble">'
        '<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" '
        f'href="https://t.me/{name}"><span dir="auto">Palmyra News</span></a></div>{more}{said}'
        '<div class="tgme_widget_message_footer compact js-message_footer"><div class="tgme_widget_message_info short">'
        '<span class="tgme_widget_message_views">12.5K</span><span class="tgme_widget_message_meta">edited '
        f'<a class="tgme_widget_message_date" href="https://t.me/{name}/{number}">{when}</a></span>'
        "</div></div></div></div></div>"
    )


def page(messages: str, *, before: int = 0) -> bytes:
    older = (
        '<div class="tgme_widget_message_centered js-messages_more_wrap"><a href="/s/palmyra_news?before='
        f'{before}" class="tme_messages_more js-messages_more" data-before="{before}"></a></div>'
    )
    text = (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Palmyra News – Telegram</title></head>'
        '<body class="widget_frame_base tgme_webpreview"><header class="tgme_header"><div class="tgme_channel_info">'
        '<div class="tgme_channel_info_header_title"><span dir="auto">Palmyra News</span></div></div></header>'
        '<main class="tgme_main"><section class="tgme_channel_history js-message_history">'
        f"{older if before else ''}{messages}</section></main></body></html>"
    )
    return text.encode("utf-8", "surrogatepass")


def encode(posts: list[dict[str, Any]]) -> bytes:
    return page("".join(_encoded(post) for post in posts))


def _encoded(post: dict[str, Any]) -> str:
    number = escape(str(post.get("id") or "")).replace("id-", "10")
    return message(number, escape(str(post.get("text") or "")), post.get("published_at"))


KIT = Kit(
    encode,
    identity=f"{NAME}/10{{}}".format,
    url=f"https://t.me/{NAME}/10{{}}".format,
    author=NAME,
    address=f"https://t.me/s/{NAME}",
    options=lambda base: {"api": base},
    conditional=False,
    lacks=frozenset({"url", "author"}),
)
