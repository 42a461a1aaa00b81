"""Compares the frozen evidence of an alert with what stored data says now, field by field, in words. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.analysis.naming import language

Bundle = Mapping[str, Any]
_COUNTS = {
    "posts": "posts", "texts": "distinct texts", "units": "independent voices", "authors": "authors",
    "publishers": "publishers",
}  # fmt: skip
_TALLIES = {"sources": ("source", "posts from"), "languages": ("lang", "posts in"), "links": ("url", "posts that name")}
_POSTS = {"first_carriers": "first carriers", "typical": "typical posts"}


def differences(frozen: Bundle, fresh: Bundle, fates: Mapping[int, str]) -> list[dict[str, Any]]:
    """What differs: rows of field, then, now, told.

    `fresh` has counts, scored, sources, languages, links, first_carriers and typical as they are now; `fates` says
    what became of posts by number, in words.
    """
    found = []
    for name, word in _COUNTS.items():
        then, now = frozen["counts"][name], fresh["counts"][name]
        if then != now:
            found.append(_row(f"counts.{name}", then, now, f"{word}: {then} when it fired, {now} now"))
    if frozen.get("scored", fresh["scored"]) != fresh["scored"]:
        then, now = frozen["scored"], fresh["scored"]
        found.append(_row("scored", then, now, f"posts of any frame in the same time: {then} then, {now} now"))
    for name, (key, word) in _TALLIES.items():
        found += _tally(name, key, word, (frozen[name], fresh[name]))
    for name, word in _POSTS.items():
        found += _posts(name, word, (frozen[name], fresh[name]), fates)
    return found


def _tally(name: str, key: str, word: str, both: tuple[Sequence[Bundle], Sequence[Bundle]]) -> list[dict[str, Any]]:
    then, now = ({r[key]: r["posts"] for r in rows} for rows in both)
    said = language if key == "lang" else str
    return [
        _row(
            f"{name}.{k}",
            then.get(k, 0),
            now.get(k, 0),
            f"{word} {said(k)}: {then.get(k, 0)} then, {now.get(k, 0)} now",
        )
        for k in dict.fromkeys([*then, *now])
        if then.get(k, 0) != now.get(k, 0)
    ]


def _posts(
    name: str, word: str, both: tuple[Sequence[Bundle], Sequence[Bundle]], fates: Mapping[int, str]
) -> list[dict[str, Any]]:
    then, now = ({r["post_id"]: r for r in rows} for rows in both)
    found = []
    for post_id in then:
        if post_id not in now:
            why = fates.get(post_id, "others now come before it")
            found.append(_row(f"{name}.{post_id}", "named", "not named", f"post {post_id} of the {word}: {why}"))
        elif then[post_id].get("text") != now[post_id].get("text"):
            why = fates.get(post_id, "its text differs")
            found.append(_row(f"{name}.{post_id}.text", "as it was", "differs", f"post {post_id} of the {word}: {why}"))
    for post_id in now:
        if post_id not in then:
            why = fates.get(post_id, "it takes the place of another")
            found.append(_row(f"{name}.{post_id}", "not named", "named", f"post {post_id} among the {word}: {why}"))
    return found


def _row(field: str, then: Any, now: Any, told: str) -> dict[str, Any]:
    return {"field": field, "then": then, "now": now, "told": told}
