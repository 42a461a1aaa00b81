"""Telegram's public preview of a channel (https://t.me/s/NAME) → its messages. Pure; must not fetch.

The page has no documentation. What is relied on: `data-post` names a message, `js-message_text` is its own text (a
quoted reply has another class), `service_message` marks a notice. A page that has none of what is known here is an
error, never a silent zero.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lxml import etree, html

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.records import FetchedPost, Page
from services.analysis.text import clean_line, html_to_text
from services.sources.reading import make_post

NAME = r"[A-Za-z][A-Za-z0-9_]{3,31}"
"""A public name on Telegram (https://core.telegram.org/method/account.checkUsername; bought ones have 4 characters)."""
MTPROTO = (
    "With an account of your own it can be read: set FRAMEWATCH_TELEGRAM_API_ID, FRAMEWATCH_TELEGRAM_API_HASH and "
    "FRAMEWATCH_TELEGRAM_SESSION."
)
_MESSAGE_ID = r"[1-9][0-9]{0,9}"
_DATA_POST = re.compile(rf"({NAME})/({_MESSAGE_ID})")
_PERMALINK = re.compile(rf"https?://(?:t|telegram)\.me/(?:s/)?({NAME})/({_MESSAGE_ID})(?:[/?#].*)?")
_KINDS = [
    "document",
    "game",
    "invoice",
    "location",
    "contact",
    "photo",
    "poll",
    "roundvideo",
    "sticker",
    "video",
    "voice",
]
"""What a message may be besides text (`tgme_widget_message_photo_wrap`, …)."""


def _class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


_MESSAGES = f"//*[@data-post][{_class('tgme_widget_message')}]"
_HISTORY = f"//*[{_class('tgme_channel_history')} or {_class('js-message_history')}]"
_TEXT = " or ".join(
    _class(name)
    for name in ("js-message_text", *(f"tgme_widget_message_poll_{n}" for n in ("question", "option_text")))
)
_REPLY = f"ancestor::*[{_class('tgme_widget_message_reply')}]"
# A text may stand inside another one of the same words: the outer one is taken.
_OWN_TEXT = f".//*[{_TEXT}][not({_REPLY})][not(ancestor::*[{_TEXT}])]"
_KNOWN = f"{_OWN_TEXT} | .//*[contains(@class, 'media_not_supported')] | " + " | ".join(
    f".//*[contains(@class, 'tgme_widget_message_{kind}')]" for kind in _KINDS
)
_OLDER = f"//a[@data-before][{_class('tme_messages_more')} or {_class('js-messages_more')}]"


@dataclass(frozen=True, slots=True)
class Preview:
    """One page of a channel's preview, oldest message first."""

    posts: tuple[FetchedPost, ...] = ()
    dropped: Counter[str] = field(default_factory=Counter)
    ids: tuple[int, ...] = ()
    """Every message on the page, also those that are no posts."""
    older: bool = False
    """Whether the page itself offers older messages."""
    title: str = ""

    def page(self) -> Page:
        """The posts as a page without a cursor."""
        return Page(posts=self.posts, dropped=dict(self.dropped), title=self.title)


def read_preview(body: bytes) -> Preview:
    """The messages on a preview page.

    Raises PermanentError: NOT_A_FEED for a page of somebody else, NO_ACCESS and BAD_ADDRESS for a name without
    preview. Raises TransientError: NOT_FOUND for a name nobody has, NOT_A_FEED when Telegram's page has changed.
    """
    tree = _tree(body)
    messages = tree.xpath(_MESSAGES)
    history = tree.xpath(_HISTORY)
    if not messages and not history:
        raise _no_preview(tree)
    if not messages and _plain(history[0]) and not _has(tree, "tme_no_messages_found"):
        raise changed("none of its messages can be recognised")
    preview = _collect(messages, older=bool(tree.xpath(_OLDER)), title=_said(tree, "tgme_channel_info_header_title"))
    if messages and not preview.posts and not any(_is_known(m) for m in messages):
        raise changed("none of its messages can be read")
    return preview


def is_missing(body: bytes) -> bool:
    """Whether the page of one message (`?embed=1`) says that there is no such message."""
    tree = _tree(body)
    return not tree.xpath("//*[@data-post]") and "post not found" in _said(tree, "tgme_widget_message_error").lower()


def changed(what: str) -> TransientError:
    """The error for a page that has drifted away from what is known here."""
    return TransientError(
        Reason.NOT_A_FEED,
        f"Telegram's page came, but {what}: its layout has probably changed. Nothing is lost yet: update framewatch, "
        f"and what was said since is read then. {MTPROTO}",
    )


def _tree(body: bytes) -> Any:
    # This parser stops at 256 levels; those that build trees as browsers do take minutes for a hostile megabyte.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        return html.document_fromstring(body.replace(b"\0", b""), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return html.Element("html")


def _collect(messages: list[Any], *, older: bool, title: str) -> Preview:
    posts: list[FetchedPost] = []
    dropped: Counter[str] = Counter()
    ids: list[int] = []
    for node in messages:
        named = _DATA_POST.fullmatch(node.get("data-post").strip())
        ids += [int(named[2])] if named else []
        if "service_message" in node.get("class").split():
            continue
        post = _post(node, named[1].lower(), int(named[2])) if named else "no_identity"
        if isinstance(post, str):
            dropped[post] += 1
        else:
            posts.append(post)
    return Preview(tuple(posts), dropped, tuple(ids), older, clean_line(title, limit_bytes=300))


def _post(node: Any, name: str, number: int) -> FetchedPost | str:
    # Of several times the last is the message's own; one inside a quotation would come before it.
    times = node.xpath(f".//time[@datetime][not({_REPLY})]/@datetime")
    return make_post(
        f"{name}/{number}",
        "\n".join(filter(None, (_plain(part) for part in node.xpath(_OWN_TEXT)))),
        published=str(times[-1]) if times else "",
        url=f"https://t.me/{name}/{number}",
        author=name,
        repost_of=_forwarded(node),
    )


def _forwarded(node: Any) -> str:
    for origin in node.xpath(f".//a[{_class('tgme_widget_message_forwarded_from_name')}]/@href"):
        if found := _PERMALINK.fullmatch(origin.strip()):
            return f"{found[1].lower()}/{found[2]}"
    return ""


def _is_known(node: Any) -> bool:
    return "service_message" in node.get("class").split() or bool(node.xpath(_KNOWN))


def _no_preview(tree: Any) -> FramewatchError:
    said = _said(tree, "tgme_page_extra").lower()
    if not tree.xpath("//*[contains(@class, 'tgme_')]"):
        what = "a web page that is not Telegram's" if tree.xpath("//title | //p | //div") else "something else"
        return PermanentError(
            Reason.NOT_A_FEED, f"This address answers with {what}. A channel's preview is at https://t.me/s/NAME."
        )
    if "subscriber" in said:
        return PermanentError(Reason.NO_ACCESS, f"This channel exists, but shows no preview on the web. {MTPROTO}")
    if "member" in said:
        return PermanentError(Reason.NO_ACCESS, f"This is a group; Telegram shows no preview of groups. {MTPROTO}")
    if _has(tree, "tgme_page_title"):
        return PermanentError(Reason.BAD_ADDRESS, "This name belongs to a person or a bot, not to a public channel.")
    if _has(tree, "tgme_page_icon") or _has(tree, "tgme_page_description"):
        return TransientError(
            Reason.NOT_FOUND, "Telegram knows no public channel of this name. Check the spelling, or whether it moved."
        )
    return changed("it holds neither messages nor a word on why")


def _has(tree: Any, name: str) -> bool:
    return bool(tree.xpath(f"//*[{_class(name)}]"))


def _said(tree: Any, name: str) -> str:
    found = tree.xpath(f"//*[{_class(name)}]")
    return _plain(found[0]) if found else ""


def _plain(node: Any) -> str:
    return html_to_text(etree.tostring(node, encoding="unicode", method="html", with_tail=False))
