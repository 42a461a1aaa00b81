"""What a Mastodon feed may be, how people write it, and the paths behind it. Pure; must not fetch."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, unquote, urlencode, urlsplit

from schemas.errors import PermanentError, Reason

What = Literal["tag", "public", "list", "account"]
_HOST = re.compile(
    r"(?:[a-z0-9\u00a1-\uffff](?:[a-z0-9\u00a1-\uffff.-]*[a-z0-9\u00a1-\uffff])?|\[[0-9a-f:.]+\])(?::\d{1,5})?"
)
_SHORT = re.compile(r"([#@])([^@/\s]+)@([^@/\s]+)")
_PATH = re.compile(
    r"/(?:web/|deck/)?(?:(?:timelines/)?(?:tags?|hashtag)/(?P<tag>[^/]+)|(?P<public>public(?:/(?:local|remote))?)"
    r"|lists/(?P<list>[\w-]{1,64})|(?:@|users/|accounts/@)(?P<account>[^/@]+(?:@[^/@]+)?))(?:/with_replies)?/?"
)
_TAG = re.compile(r"[\w·・\u200c]{1,200}")
_ACCOUNT = re.compile(r"[\w.-]{1,100}(?:@[\w.:-]{1,250})?", re.ASCII)
_MAX_ADDRESS = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """One timeline of one server."""

    base: str
    """`https://host`, without a slash."""
    what: What
    name: str
    """The tag, the list's id, the account, or `public`, `public/local`, `public/remote`."""

    @property
    def host(self) -> str:
        """The host, with its port if it has one, in lower case."""
        return self.base.partition("://")[2]

    @property
    def address(self) -> str:
        """The one form that is stored."""
        name = quote(self.name, safe="@/")
        return f"{self.base}/" + {"tag": "tags/", "list": "lists/", "account": "@", "public": ""}[self.what] + name

    @property
    def title(self) -> str:
        """What a list of feeds calls it."""
        return {"tag": f"#{self.name}", "account": f"@{self.name}"}.get(self.what, self.name) + f" on {self.host}"

    def posts(self, account_id: str = "") -> str:
        """The address of its posts, without paging; an account is asked for by its id on this server."""
        path, query = {
            "tag": (f"timelines/tag/{quote(self.name, safe='')}", {}),
            "list": (f"timelines/list/{quote(self.name, safe='')}", {}),
            "account": (f"accounts/{quote(account_id, safe='')}/statuses", {}),
            "public": ("timelines/public", self._side()),
        }[self.what]
        return f"{self.base}/api/v1/{path}?{urlencode({**query, 'limit': 40})}"

    def stream(self) -> str:
        """The path and query of its stream. Raises PermanentError(BAD_CONFIG) for an account: it has none."""
        if self.what == "account":
            raise PermanentError(
                Reason.BAD_CONFIG,
                f"{self.address}: an account cannot be listened to, only asked. Set its mode to poll.",
            )
        path = {"tag": f"hashtag?{urlencode({'tag': self.name})}", "list": f"list?{urlencode({'list': self.name})}"}
        return "/api/v1/streaming/" + path.get(self.what, self.name)

    def _side(self) -> dict[str, str]:
        side = self.name.partition("/")[2]
        return {side: "true"} if side else {}


def read_place(address: str) -> Place:
    """The timeline that `address` means. Raises PermanentError(BAD_ADDRESS) that shows the forms there are."""
    text = address.strip()
    if short := _SHORT.fullmatch(text):
        mark, name, host = short.groups()
        text = f"https://{host}/" + ("tags/" if mark == "#" else "@") + name
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
    except ValueError:
        raise _bad(address) from None
    host, path = parts.netloc.lower(), _PATH.fullmatch(unquote(parts.path))
    usable = len(text) <= _MAX_ADDRESS and parts.scheme in ("http", "https")
    if not usable or not path or not _HOST.fullmatch(host):
        raise _bad(address)
    return _place(address, f"{parts.scheme}://{host}", {k: v for k, v in path.groupdict().items() if v})


def read_address(address: str) -> str:
    """The canonical form of `address`. Raises PermanentError(BAD_ADDRESS)."""
    return read_place(address).address


def _place(address: str, base: str, found: dict[str, str]) -> Place:
    ((what, name),) = found.items()
    if what == "tag" and _TAG.fullmatch(name):
        return Place(base, "tag", name.lower())
    if what == "account" and _ACCOUNT.fullmatch(name):
        own = name.lower().removesuffix("@" + base.partition("://")[2])
        return Place(base, "account", own)
    if what == "public":
        return Place(base, "public", name)
    if what == "list":
        return Place(base, "list", name)
    raise _bad(address)


def _bad(address: str) -> PermanentError:
    return PermanentError(
        Reason.BAD_ADDRESS,
        f"{address[:200]!r} is no Mastodon feed. These are: #tag@host, @user@host, https://host/tags/tag, "
        "https://host/@user, https://host/public, https://host/public/local, https://host/public/remote, "
        "https://host/lists/123 (your own list, with a token).",
    )
