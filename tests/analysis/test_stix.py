"""STIX bundles: valid to the validator and the library of OASIS, ids that never double, no name of anybody."""

import json
import re
from datetime import UTC, datetime

import pytest
import stix2
from stix2validator import ValidationOptions, validate_instance

from services.analysis.stix import bundle

T0 = datetime(2016, 12, 11, 18, tzinfo=UTC)
EXPECTED = {103, 202, 244}
"""Best practices that are not followed on purpose: random ids, incidents that use, kinds of accounts."""


def post(number, **more):
    about = {"text": f"post {number}", "lang": "ar", "source": "rss", "author": "4ab687b0", "score": 0.9}
    at = T0.isoformat()
    return {"post_id": number, "published_at": at, "url": f"https://example.org/{number}", **about, **more}


def alert(*posts, title="Staged theatrics", **more):
    counts = {"posts": 6, "texts": 6, "units": 6, "authors": 6, "publishers": 1, "share": 0.3}
    evidence = {
        "frame": {"id": "staged-theatrics", "title": title, "description": "The battle is told as a show."},
        "counts": counts, "expected": {"units": 0.1, "ratio": 60.0, "ratio_low": 20.0, "ratio_high": 130.0},
        "reason": f"{title}: 6 independent voices", "coverage": 1.0, "model": "e5", "codebook": {"id": "p", "version": 1},
        "first_carriers": list(posts[:2]), "typical": list(posts),
    }  # fmt: skip
    about = {
        "alert_id": "ab" * 10,
        "kind": "burst",
        "state": "firing",
        "onset": T0,
        "raised_at": T0,
        "resolved_at": None,
    }
    return {**about, "evidence": evidence, **more}


def of(told, kind):
    return [o for o in told["objects"] if o["type"] == kind]


def valid(told):
    found = validate_instance(json.loads(json.dumps(told)), ValidationOptions(version="2.1"))
    assert found.is_valid, [str(e) for e in found.errors]
    codes = {int(code) for w in found.warnings for code in re.findall(r"\{(\d+)\}", w)}
    assert codes <= EXPECTED, found.warnings
    return found


def test_a_bundle_is_valid_and_whole():
    told = bundle(alert(post(1), post(2), post(3)), ("T0023", "T0049.001"))
    valid(told)
    assert len(of(told, "observed-data")) == len(of(told, "note")) == len(of(told, "url")) == 3, "each post once"
    assert len(of(told, "user-account")) == 1
    assert {p["external_references"][0]["external_id"] for p in of(told, "attack-pattern")} == {"T0023", "T0049.001"}
    (incident,) = of(told, "incident")
    assert "60 times the usual (95 % interval 20 to 130)" in incident["description"]
    targets = {
        r["target_ref"].partition("--")[0] for r in of(told, "relationship") if r["source_ref"] == incident["id"]
    }
    assert targets == {"narrative", "attack-pattern"}
    names = {o["id"] for o in told["objects"]}
    refs = {ref for o in told["objects"] for k, v in o.items() if k.endswith(("_ref", "_refs")) for ref in ([v] if isinstance(v, str) else v)}  # fmt: skip
    assert refs <= names, "nothing refers to what is not there"


def test_the_library_of_oasis_reads_it_and_makes_the_same_ids():
    told = bundle(alert(post(1)), ("T0023",))
    for thing in told["objects"]:
        if thing["type"] in ("url", "user-account"):
            again = stix2.parse({k: v for k, v in thing.items() if k != "id"})
            assert again.id == thing["id"]
        elif thing["type"] not in ("narrative", "relationship", "report"):
            assert stix2.parse(thing, allow_custom=False)
    assert stix2.parse(told, allow_custom=True)


def test_the_same_alert_again_updates_and_another_does_not():
    first, over = bundle(alert(post(1))), bundle(alert(post(1), state="resolved", resolved_at=T0.replace(day=12)))
    assert {o["id"] for o in first["objects"]} == {o["id"] for o in over["objects"]}
    assert bundle(alert(post(1))) == first
    (before,), (after,) = of(first, "incident"), of(over, "incident")
    assert before["created"] == after["created"]
    assert before["modified"] < after["modified"]
    other = bundle(alert(post(1), alert_id="cd" * 10))
    shared = {o["id"].partition("--")[0] for o in other["objects"]} & {"incident", "report"}
    assert not {o["id"] for k in shared for o in of(other, k)} & {o["id"] for o in first["objects"]}
    assert of(other, "narrative") == of(first, "narrative"), "one narrative, whichever alert tells of it"


def test_a_narrative_has_the_id_that_opencti_gives_it():
    (told,) = of(bundle(alert(title="Staged theatrics ")), "narrative")
    assert told["id"] == "narrative--32d9398e-3e63-53bb-b9f8-fbacbba78e92"


@pytest.mark.parametrize("gone", [{"text": ""}, {"url": ""}, {"author": ""}, {"url": "", "author": ""}, {"lang": "und"}, {"url": "", "author": "", "text": ""}])  # fmt: skip
def test_what_a_post_lacks_breaks_nothing(gone):
    valid(bundle(alert(post(1, **gone))))


HOSTILE = "<script>alert(1)</script> \"'> {{7*7}} \u202e \U0001f600 \x07"


@pytest.mark.parametrize("lang", ["ar", "zh-Hant", "ru"])
def test_whatever_is_written_stays_valid_and_as_it_was(lang):
    told = bundle(alert(post(1, text=HOSTILE, lang=lang), title=HOSTILE))
    valid(told)
    assert of(told, "note")[0]["content"] == HOSTILE
