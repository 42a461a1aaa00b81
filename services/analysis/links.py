"""Normalises web addresses, so that one page has one address. Pure; it must not fetch or resolve anything.

Every function takes any `str` at all and never raises.
"""

import re
from urllib.parse import SplitResult, quote, unquote_plus, urlsplit, urlunsplit

MAX_LINK_BYTES = 2000
"""Longest address kept, in UTF-8 bytes; longer ones are dropped, as a cut address leads nowhere."""

_TRACKING = re.compile(
    r"utm_\w*|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|yclid|ysclid|msclkid|twclid|ttclid|li_fat_id|igshid|igsh|"
    r"mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok|ref_src|ref_url|vero_id|oly_anon_id|oly_enc_id|s_cid|cmpid|wt_mc|_ga|_gl|"
    r"at_(?:campaign|medium)\w*|fb_(?:action_ids|action_types|ref|source)|srsltid|ns_(?:campaign|source|mchannel)",
    re.IGNORECASE,
)
_AMP_PARAMETER = re.compile(
    r"amp(?:=(?:1|true|yes)?)?|outputtype=amp|amp_(?:js_v|gsa|ct|tf|latest_update_time)(?:=.*)?|usqp=mq.*",
    re.IGNORECASE,
)
# https://developers.google.com/amp/cache/overview: content type, perhaps `s` for https, then the address.
_AMP_CACHE = re.compile(r"(?:[\w-]+\.)?cdn\.ampproject\.org|(?:[\w-]+\.)?bing-amp\.com", re.IGNORECASE)
_AMP_CACHED = re.compile(r"/(?:wp/)?[cv]/(s/)?(?=[^/?#]+\.)")
_AMP_VIEWER = re.compile(r"(?:www\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?", re.IGNORECASE)
_AMP_VIEWED = re.compile(r"/amp/(s/)?(?=[^/?#]+\.)")
_AMP_ENDING = re.compile(r"(?<=[^/.])\.amp(?=(?:\.html?)?\Z)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]")
_UNQUOTED = re.compile(r"[\s<>\"^`{|}]")


def web_link(url: str) -> str:
    """`url` as a reader can follow it: http(s) with a host, no name and password, blanks quoted, no control
    characters; "" for anything else (`javascript:` above all)."""
    parts = _split(url)
    return "" if parts is None else _join(parts, parts.netloc.rpartition("@")[2])


def normalise_link(url: str) -> str:
    """The one address of a page: scheme and host lower-cased, default port, fragment, tracking parameters
    (utm_*, fbclid, gclid, …) dropped, AMP forms of a page undone; the other parameters stay in order. "" for what is
    no http(s) address. Normalising again changes nothing."""
    parts = _split(url)
    while parts is not None and (inner := _inside_amp(parts)):
        parts = _split(inner)
    if parts is None:
        return ""
    host, port = parts.hostname or "", parts.port
    host = f"[{host}]" if ":" in host else host
    netloc = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    kept = [p for p in parts.query.split("&") if p and not _TRACKING.fullmatch(unquote_plus(p.partition("=")[0]))]
    query = "&".join(p for p in kept if not _AMP_PARAMETER.fullmatch(p))
    return _join(parts._replace(path=_without_amp(parts.path or "/"), query=query, fragment=""), netloc)


def domain(url: str) -> str:
    """The host of an http(s) address, lower-cased, without a leading `www.`; "" when there is none."""
    parts = _split(url)
    return "" if parts is None else (parts.hostname or "").removeprefix("www.")


def _inside_amp(parts: SplitResult) -> str:
    """The address that a cache or viewer of AMP pages shows; "" for any other address."""
    for host, path in ((_AMP_CACHE, _AMP_CACHED), (_AMP_VIEWER, _AMP_VIEWED)):
        found = path.match(parts.path) if host.fullmatch(parts.hostname or "") else None
        if found:
            inner = ("https://" if found[1] else "http://") + parts.path[found.end() :]
            return urlunsplit(("", "", inner, parts.query, ""))
    return ""


def _without_amp(path: str) -> str:
    while True:
        bare = path.removesuffix("/")
        stem, slash = bare[:-4], path[len(bare) :]
        # Only behind what reads like an article's name: /guitars/amp may well be about one.
        if bare[-4:].lower() == "/amp" and re.search("[-0-9]", stem.rpartition("/")[2]):
            path = stem + slash
        elif found := _AMP_ENDING.search(path[-16:]):
            path = path[: len(path) - len(path[-16:]) + found.start()] + path[-16:][found.end() :]
        else:
            return path


def _split(url: str) -> SplitResult | None:
    text = url[: 2 * MAX_LINK_BYTES].strip()
    if _UNSAFE.search(text):
        return None
    text = _UNQUOTED.sub(lambda m: quote(m[0]), text)
    if len(text.encode()) > MAX_LINK_BYTES:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in _PORTS and "%" not in (parts.hostname or "%") and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _join(parts: SplitResult, netloc: str) -> str:
    return urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
