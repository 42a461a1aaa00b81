"""A Telegram channel through an account of the operator's own (MTProto), by Telethon, which is an extra.

Telethon opens its connections itself; here each one is made by the Fetcher, so that it goes nowhere else than any other
does. Each fetch connects, asks and hangs up. A channel's number is kept in the cursor: asking for it by name is what
Telegram forbids soonest. Must not join, write, or mark anything as read.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any

from schemas.errors import FramewatchError, PermanentError, Reason, TransientError
from schemas.records import Feed, FetchedPost, Page
from services.fetch import Fetcher
from services.sources.base import Means
from services.sources.reading import make_post

TOTAL = timedelta(seconds=40)
PAGE = 100
"""Messages that one answer of messages.getHistory holds at most (https://core.telegram.org/api/offsets)."""
LOOK_BACK = 20
"""So many of the messages already known are read again, for edits."""
_LOGIN = "Log in again with Telethon and set FRAMEWATCH_TELEGRAM_SESSION to the new StringSession."


def fetch_channel(means: Means, name: str, feed: Feed) -> Page:
    """The next page of the channel `name`, oldest message first; of one never read before, the newest page.

    Raises PermanentError: NO_CREDENTIALS, BAD_CONFIG, BAD_ADDRESS, NO_ACCESS, BLOCKED_ADDRESS. Raises TransientError:
    RATE_LIMITED for as long as Telegram says, NOT_FOUND, UNREACHABLE, TIMEOUT, REFUSED.
    """
    return _run(means, lambda client: _read(client, name, feed.cursor))


def _run(means: Means, talk: Callable[[Any], Coroutine[Any, Any, Page]]) -> Page:
    client_of = _load(means)

    async def whole() -> Page:
        client = client_of()
        try:
            await client.connect()
            return await talk(client)
        finally:
            # What hanging up has to say cannot matter any more.
            with contextlib.suppress(Exception):
                await client.disconnect()

    async def in_time() -> Page:
        return await asyncio.wait_for(whole(), TOTAL.total_seconds())

    try:
        return asyncio.run(in_time())
    except FramewatchError:
        raise
    except Exception as error:
        raise _worded(error) from error


def post_of(message: Any, name: str, names: Mapping[int, str]) -> FetchedPost | str | None:
    """A message as a post, why it is none (`no_text`), or None for a notice and for a hole.

    `names` are the public names of the channels that the answer speaks of, by number.
    """
    from telethon.tl import types

    if not isinstance(message, types.Message):
        return None
    return make_post(
        f"{name}/{message.id}",
        "\n".join(filter(None, (message.message, *_poll(message.media)))),
        published=message.date or "",
        url=f"https://t.me/{name}/{message.id}",
        author=name,
        repost_of=_origin(message.fwd_from, names),
    )


async def _read(client: Any, name: str, cursor: Mapping[str, Any]) -> Page:
    mine = cursor if cursor.get("name") == name else {}
    last, number, access = (n if isinstance(n, int) else 0 for n in (mine.get(k) for k in ("last", "channel", "hash")))
    last = max(last, 0)
    peer = (number, access) if number > 0 and access else await _resolve(client, name)
    since = await _history(client, peer, offset_id=last + 1, add_offset=-PAGE, min_id=last) if last else None
    full = since is not None and len(since.messages) >= PAGE
    answers = [since] if since else []
    if not full:
        answers.append(
            await _history(client, peer, offset_id=last + 1 if last else 0, limit=LOOK_BACK if last else PAGE)
        )
    page, newest = _page(answers, name)
    kept = {"name": name, "last": max(last, newest), "channel": peer[0], "hash": peer[1]}
    return Page(posts=page.posts, dropped=page.dropped, cursor=kept, more=full and newest > last)


async def _history(client: Any, peer: tuple[int, int], *, limit: int = PAGE, **where: int) -> Any:
    from telethon.tl import functions, types

    offsets = {"offset_id": 0, "add_offset": 0, "min_id": 0, "max_id": 0, "hash": 0, **where}
    request = functions.messages.GetHistoryRequest(
        peer=types.InputPeerChannel(*peer), offset_date=None, limit=limit, **offsets
    )
    return await client(request)


async def _resolve(client: Any, name: str) -> tuple[int, int]:
    from telethon.tl import functions, types

    answer = await client(functions.contacts.ResolveUsernameRequest(name))
    for chat in answer.chats:
        if isinstance(chat, types.Channel) and chat.access_hash is not None:
            return chat.id, chat.access_hash
    raise PermanentError(Reason.BAD_ADDRESS, f"@{name} is a person, a bot or a small group, not a channel.")


def _page(answers: list[Any], name: str) -> tuple[Page, int]:
    dropped: dict[str, int] = {}
    posts: dict[int, FetchedPost] = {}
    newest = 0
    for answer in answers:
        names = {chat.id: public for chat in answer.chats if (public := _public_name(chat))}
        for message in answer.messages:
            newest = max(newest, message.id)
            post = post_of(message, name, names)
            if isinstance(post, str):
                dropped[post] = dropped.get(post, 0) + 1
            elif post:
                posts[message.id] = post
    return Page(posts=tuple(posts[n] for n in sorted(posts)), dropped=dropped), newest


def _origin(forward: Any, names: Mapping[int, str]) -> str:
    origin = names.get(getattr(getattr(forward, "from_id", None), "channel_id", 0), "")
    number = getattr(forward, "channel_post", None)
    return f"{origin.lower()}/{number}" if number and origin else ""


def _public_name(chat: Any) -> str:
    others = [u.username for u in getattr(chat, "usernames", None) or [] if u.active]
    return getattr(chat, "username", None) or next(iter(others), "")


def _poll(media: Any) -> list[str]:
    poll = getattr(media, "poll", None)
    if poll is None:
        return []
    return [getattr(said, "text", said) for said in (poll.question, *(answer.text for answer in poll.answers))]


def _load(means: Means) -> Callable[[], Any]:
    key, remedy = means.key, "It is one of the three that an own Telegram account needs (https://my.telegram.org)."
    number, secret = key("telegram_api_id", remedy).strip(), key("telegram_api_hash", remedy).strip()
    session = key("telegram_session", remedy).strip()
    if not number.isascii() or not number.isdigit():
        raise PermanentError(Reason.BAD_CONFIG, "FRAMEWATCH_TELEGRAM_API_ID must be the number my.telegram.org shows.")
    try:
        from telethon import TelegramClient
        from telethon.sessions import StringSession
    except ImportError:
        raise PermanentError(
            Reason.BAD_CONFIG,
            "Telegram credentials are set, but the extra that uses them is not installed: pip install "
            "'framewatch[telegram]'. Without them, public previews are read.",
        ) from None
    try:
        StringSession(session)
    except Exception:  # noqa: BLE001 - another's reading of what a person pasted
        raise PermanentError(Reason.NO_CREDENTIALS, f"FRAMEWATCH_TELEGRAM_SESSION is no session. {_LOGIN}") from None
    settings = {"receive_updates": False, "auto_reconnect": False, "connection_retries": 1, "request_retries": 2}
    settings |= {
        "raise_last_call_error": True,
        "flood_sleep_threshold": 0,
        "timeout": 10,
        "connection": guarded(means.fetcher),
    }
    return lambda: TelegramClient(StringSession(session), int(number), secret, **settings)


def guarded(fetcher: Fetcher) -> Any:
    """Telethon's plain connection, to addresses that `fetcher` may reach and over sockets that it opened."""
    from telethon.network.connection import ConnectionTcpFull

    class Guarded(ConnectionTcpFull):  # type: ignore[misc]
        # Telethon takes the socket of a proxy as it is; so ours is handed in as one.
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "proxy": ("guarded",)})

        async def _proxy_connect(self, timeout: float | None = None, local_addr: Any = None) -> Any:  # noqa: ARG002
            wait = timedelta(seconds=timeout or 10)
            opened = await asyncio.to_thread(fetcher.connect, self._ip, self._port, timeout=wait)
            opened.settimeout(0)
            return opened

    return Guarded


def _worded(error: Exception) -> Exception:
    """Telethon's failure in our words; what is none of them comes back as it is, for it is a bug."""
    from telethon import errors

    if isinstance(error, errors.FloodError):
        wait = timedelta(seconds=getattr(error, "seconds", 0) or 60)
        return TransientError(Reason.RATE_LIMITED, "Telegram asks this account for fewer questions.", wait)
    if isinstance(error, errors.UnauthorizedError | errors.AuthKeyError):
        return PermanentError(Reason.NO_CREDENTIALS, f"Telegram does not accept the session any more. {_LOGIN}")
    if isinstance(error, errors.ApiIdInvalidError):
        return PermanentError(Reason.NO_CREDENTIALS, "Telegram does not know this pair of api id and api hash.")
    if isinstance(error, errors.UsernameNotOccupiedError | errors.UsernameInvalidError):
        return TransientError(Reason.NOT_FOUND, "Telegram knows no channel of this name. Check the spelling.")
    if isinstance(error, errors.ChannelPrivateError):
        return PermanentError(Reason.NO_ACCESS, "This channel is private or has banned the account. Join it by hand.")
    if isinstance(error, errors.RPCError | errors.SecurityError | errors.TypeNotFoundError):
        return TransientError(Reason.REFUSED, f"Telegram refuses the question ({type(error).__name__}).")
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return TransientError(Reason.TIMEOUT, "Telegram did not answer in time. Usually it passes.")
    if isinstance(error, OSError | asyncio.IncompleteReadError):
        return TransientError(Reason.UNREACHABLE, "Telegram cannot be reached by MTProto. Does a firewall forbid it?")
    return error
