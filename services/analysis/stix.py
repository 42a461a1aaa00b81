"""An alert as a STIX 2.1 bundle, for those who keep incidents in OpenCTI, MISP and the like. Pure.

Ids are made from what things are (UUIDv5): the same alert exported again updates and never doubles. The frame is a
`narrative` as OpenCTI has it, declared as an extension that others may leave out; all else is plain STIX 2.1
(https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html). Authors stay pseudonyms.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

from services.analysis.naming import many

Row = Mapping[str, Any]
Object = dict[str, Any]

OURS = uuid5(NAMESPACE_DNS, "framewatch")
CYBER_OBSERVABLES = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of ids that every producer makes alike (STIX 2.1, 2.9); OpenCTI makes those of narratives in it too."""
_MADE = "2000-01-01T00:00:00.000Z"
"""When the things that every bundle repeats were made: a constant, for the same id must always say the same."""


def bundle(alert: Row, techniques: Sequence[str] = ()) -> Object:
    """The bundle of an alert of a frame: its row with evidence, and the DISARM techniques that its frame serves."""
    evidence, title = alert["evidence"], alert["evidence"]["frame"]["title"]
    maker = {"created_by_ref": _id("identity", "framewatch")}
    about = {
        **maker,
        "created": _time(alert["raised_at"]),
        "modified": _time(alert["resolved_at"] or alert["raised_at"]),
    }
    narrative = _narrative(evidence["frame"], maker, about["created"])
    incident = {
        **_head("incident", alert["alert_id"], about), "name": f"{title}: {alert['kind']} of {alert['onset']:%d %b %Y}",
        "description": _told(evidence), "labels": [f"framewatch-{alert['kind']}", alert["state"]],
        "external_references": [{"source_name": "framewatch", "external_id": alert["alert_id"]}],
    }  # fmt: skip
    patterns = [_technique(t, maker) for t in techniques]
    uses = [_uses(incident, used, about) for used in (narrative, *patterns)]
    seen = [thing for post in _quoted(evidence) for thing in _observed(alert["alert_id"], post, incident, about)]
    things = [narrative, incident, *patterns, *uses, *seen]
    report = {
        **_head("report", alert["alert_id"], about), "name": incident["name"], "description": incident["description"],
        "published": about["created"], "report_types": ["observed-data"],
        "object_refs": list(dict.fromkeys(t["id"] for t in things)),
    }  # fmt: skip
    every = {t["id"]: t for t in (_maker(), _extension(maker), *things, report)}
    name = f"bundle--{uuid5(OURS, alert['alert_id'] + about['modified'])}"
    return {"type": "bundle", "id": name, "objects": list(every.values())}


def _id(kind: str, name: str) -> str:
    return f"{kind}--{uuid5(OURS, f'{kind} {name}')}"


def _observable(kind: str, told: Row, keys: Sequence[str] = ()) -> Object:
    """A thing that is what it says: its id is made from the contributing `keys`, else from all of it."""
    named = {k: told[k] for k in sorted(keys or told) if k in told}
    canonical = json.dumps(named, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(CYBER_OBSERVABLES, canonical)}", **told}


def _head(kind: str, name: str, about: Row) -> Object:
    return {"type": kind, "spec_version": "2.1", "id": _id(kind, name), **about}


def _maker() -> Object:
    about = {"created": _MADE, "modified": _MADE}
    return {**_head("identity", "framewatch", about), "name": "framewatch", "identity_class": "system"}


def _extension(maker: Row) -> Object:
    about = {**maker, "created": _MADE, "modified": _MADE}
    return {
        **_head("extension-definition", "narrative", about), "name": "narrative", "version": "1.0.0",
        "description": "A story that posts carry: name and description.", "schema": "https://docs.opencti.io",
        "extension_types": ["new-sdo"],
    }  # fmt: skip


def _narrative(frame: Row, maker: Row, modified: str) -> Object:
    canonical = json.dumps({"name": frame["title"].lower().strip()}, separators=(",", ":"), ensure_ascii=False)
    return {
        "type": "narrative", "spec_version": "2.1", "id": f"narrative--{uuid5(CYBER_OBSERVABLES, canonical)}", **maker,
        "created": _MADE, "modified": modified, "name": frame["title"], "description": frame["description"],
        "extensions": {_id("extension-definition", "narrative"): {"extension_type": "new-sdo"}},
    }  # fmt: skip


def _technique(technique: str, maker: Row) -> Object:
    about = {**maker, "created": _MADE, "modified": _MADE}
    named = [{"source_name": "DISARM", "external_id": technique}]
    return {**_head("attack-pattern", technique, about), "name": f"DISARM {technique}", "external_references": named}


def _uses(incident: Object, used: Object, about: Row) -> Object:
    head = _head("relationship", f"{incident['id']} {used['id']}", about)
    return {**head, "relationship_type": "uses", "source_ref": incident["id"], "target_ref": used["id"]}


def _quoted(evidence: Row) -> list[Row]:
    """The posts that the evidence quotes, each once, as they were published."""
    posts = {p["post_id"]: p for k in ("typical", "first_carriers") for p in evidence[k]}
    return sorted(posts.values(), key=lambda p: (str(p["published_at"]), p["post_id"]))


def _observed(alert_id: str, post: Row, incident: Object, about: Row) -> list[Object]:
    """Where a post stands, who published it (a pseudonym), that it was seen, and what it says."""
    found = []
    if post.get("url"):
        found.append(_observable("url", {"value": post["url"]}))
    if post.get("author"):
        account = {"user_id": post["author"], "account_type": post["source"]}
        found.append(_observable("user-account", account))
    name, at = f"{alert_id} {post['post_id']}", _time(post["published_at"])
    seen: list[Object] = []
    if found:
        refs = [f["id"] for f in found]
        counted = {"first_observed": at, "last_observed": at, "number_observed": 1, "object_refs": refs}
        seen.append({**_head("observed-data", name, about), **counted})
    if post.get("text"):
        # Importers know languages, but not every script or region that BCP 47 can add.
        known = (post.get("lang") or "und").partition("-")[0]
        lang = {} if known == "und" else {"lang": known}
        said = {"content": post["text"], "abstract": f"Post of {at}, quoted as evidence", **lang}
        seen.append({**_head("note", name, about), **said, "object_refs": [(seen or [incident])[0]["id"]]})
    return [*found, *seen]


def _told(evidence: Row) -> str:
    """Why it fired, with its figures."""
    counts, expected = evidence["counts"], evidence["expected"]
    told = [f"{evidence['reason'].rstrip('.')}."]
    if expected["ratio"]:
        interval = f"{expected['ratio_low']:.3g} to {expected['ratio_high']:.3g}"
        told.append(f"{min(expected['ratio'], 1000):.3g} times the usual (95 % interval {interval}).")
    words = {"posts": "post", "texts": "distinct text", "authors": "author"}
    told.append(f"{', '.join(many(counts[name], word) for name, word in words.items())}.")
    told.append(f"Coverage {evidence['coverage']:.0%}. Model {evidence['model']}.")
    book = evidence["codebook"]
    return " ".join([*told, f"Codebook {book['id']} v{book['version']}."])


def _time(at: Any) -> str:
    """RFC 3339 in UTC with milliseconds, as STIX wants it."""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return str(moment.astimezone(UTC).isoformat(timespec="milliseconds")).replace("+00:00", "Z")
