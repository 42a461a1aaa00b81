"""The pages as a reader gets them: what moves, what is unknown, hostile text as text, and who may look."""

import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from services.analysis import budget
from services.serve import create_app
from services.settings import Settings
from services.store import alerts, calibrations, feeds
from services.store.pool import Store
from tests.api import seeded

HERE = "http://127.0.0.1:8787"
OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> {{ 7777*7777 }} שלום مرحبا \u202e"
TOKEN = "a-long-secret"


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *a) for a in attrs]

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def reader(palmyra):
    with TestClient(create_app(Settings(database_url=palmyra)), base_url=HERE) as client:
        yield client


@pytest.fixture
def web(database_url):
    with TestClient(create_app(Settings(database_url=database_url)), base_url=HERE) as client:
        yield client


@pytest.fixture(scope="module")
def alert_id(palmyra):
    store = Store(palmyra, size=1)
    with store.transaction() as tx:
        found = alerts.list_alerts(tx, limit=1, frame="staged-theatrics")[0]["alert_id"]
    store.close()
    return found


def test_the_first_page_says_what_moves_and_what_was_not_heard(reader):
    answer = reader.get("/")
    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.tags.count("svg") == 1 + 8 + 1, "our mark, a chart a frame, and the coverage strip"
    assert page.tags.count("table") == 8 + 1 + 1, "one a chart, the strip's, and the keys"
    assert ("rect", "class", "gap") in page.attributes
    assert "18 hours not heard" in page.text
    assert re.search(r"<h1>[^<]+(now|on alert|in a burst)\.</h1>", answer.text), "the news in one sentence"
    assert "codebook palmyra-2016 v1" in page.text
    assert "14 Dec 2016 23:54" in page.text


def test_the_first_page_says_how_the_budget_is_kept(web, store):
    found = {"holds_from": seeded.NOW, "made_at": seeded.NOW, "budget": 1.0, "series": 8, "days": 28, "asked": 7e-4,
             "accepted": 2e-4, "alarms": 12, "held": 2, "found": budget.to_json(budget.Held())}  # fmt: skip
    assert "false alarm a week" not in web.get("/").text, "nothing is known before the first replay"
    with store.transaction() as tx:
        calibrations.add_calibration(tx, found)
    assert "would have told 0.5 alarms a week" in web.get("/").text


def test_each_chart_has_a_title_and_a_table(reader):
    html = reader.get("/").text
    for label in re.findall(r'svg [^>]+aria-labelledby="([^"]+)-title"', html):
        assert re.search(rf'<title id="{label}-title">(Voices an hour from|100%|9\d%) [^<]+</title>', html)
    assert html.count("<details>") == 8 + 1


def test_an_alert_tells_its_evidence(reader, alert_id):
    page = Page(reader.get(f"/alerts/{alert_id}").text)
    for words in ("Staged theatrics", "Times the usual", "95% interval", "Coverage", "First to carry it", "Typical posts",
                  "What happened next", "no channel", "Model labels", "Does it still stand?", alert_id):  # fmt: skip
        assert words in page.text
    assert page.attributes.count(("blockquote", "dir", "auto")) >= 5
    links = [v for tag, name, v in page.attributes if tag == "a" and name == "href" and v.startswith("http")]
    assert links
    assert ("a", "rel", "noopener noreferrer nofollow") in page.attributes


def test_a_frame_has_its_trend_alerts_and_posts(reader):
    page = Page(reader.get("/frames/palmyra-2016/staged-theatrics").text)
    assert page.tags.count("svg") == 2 + 9, "our mark, the trend, and a bar an item of the tallies"
    assert page.tags.count("blockquote") == 5 + 5 + 6
    assert "choreographed" in page.text
    assert any(v.startswith("/alerts/") for _, name, v in page.attributes if name == "href")
    assert reader.get("/frames/palmyra-2016/*").status_code == 200
    assert reader.get("/frames/palmyra-2016/nope").status_code == 404
    assert reader.get("/frames/palmyra-2016/%00").status_code == 404


def test_a_burst_that_goes_on_leads(web, store):
    seeded.seed_palmyra(store, "2016-12-12T15")
    page = Page(web.get("/").text)
    assert re.search(r"\n(.+) (is|are) on alert\.", page.text)
    assert "burst" in page.text
    assert "the evidence" in page.text
    with store.transaction() as tx:
        firing = alerts.list_alerts(tx, limit=1)[0]
    assert firing["state"] == "firing"
    assert "goes on" in Page(web.get(f"/alerts/{firing['alert_id']}").text).text


def test_when_live_feeds_take_over_the_replay_is_a_link_away(web, store):
    seeded.seed_palmyra(store, "2016-12-12T15")
    here = "/frames/palmyra-2016/staged-theatrics"
    assert "is kept" not in web.get("/").text
    with store.transaction() as tx:
        feeds.add_feed(tx, source="rss", address="https://example.org/", title="", now=seeded.NOW, interval_s=900)
    assert 'href="/frames/palmyra-2016/*?until=2016-12-12"' in web.get("/").text
    empty = web.get(here).text
    assert "Nothing of it was heard in this period" in empty
    (there,) = re.findall(r'<a href="(\?[^"]*until=2016-12-12)">', empty)
    shown = web.get(here + there).text
    assert "Nothing of it was heard" not in shown
    assert 'class="bursts" d="M' in shown
    alert = re.search(r'href="(/alerts/[0-9a-f]+)"', shown)[1]
    assert f'href="{here}?until=2016-12-1' in web.get(alert).text, "an alert leads to its frame as it was then"


def test_an_empty_house_says_what_to_do(web):
    page = Page(web.get("/").text)
    assert "No codebook is current yet." in page.text
    assert "framewatch feeds add URL" in page.text


def test_hostile_text_is_text(web, store):
    body = {"codebook": {"id": "palmyra-2016", "version": 1}, "frame": {"title": HOSTILE}, "reason": HOSTILE}
    item = {"text": HOSTILE, "source": HOSTILE, "lang": '"><script>', "author": HOSTILE, "published_at": HOSTILE}
    version_id = seeded.add_codebook(store)
    with store.transaction() as tx:
        tx.execute("update frames set title = %(t)s, description = %(t)s", {"t": HOSTILE})
        tx.execute("update codebooks set title = %s", (HOSTILE,))
        feeds.add_feed(tx, source="rss", address="javascript:alert(1)", title=HOSTILE, now=seeded.NOW, interval_s=60)
        tx.execute("update feeds set failures = 3, last_error = %s", (HOSTILE,))
        evidence = {**body, "model": HOSTILE, "counts": {}, "expected": {}, "sources": [{"source": HOSTILE, "posts": 1}],
                    "links": [{"url": "javascript:alert(1)", "posts": 1}], "languages": [],
                    "first_carriers": [{**item, "url": "javascript:alert(1)"}], "typical": [item]}  # fmt: skip
        about = {"alert_id": "ab" * 10, "kind": "burst", "rule": HOSTILE, "frame": "liberators", "feed_id": None}
        times = {"onset": seeded.NOW - timedelta(hours=3), "last_bucket": seeded.NOW, "now": seeded.NOW}
        alerts.raise_alert(tx, {**about, **times, "version_id": version_id, "evidence": evidence})
    for path in ("/", "/frames/palmyra-2016/liberators", f"/alerts/{'ab' * 10}"):
        answer = web.get(path)
        page = Page(answer.text)
        assert answer.status_code == 200
        assert page.tags.count("script") <= 3
        assert "img" not in page.tags
        assert "60481729" not in page.text
        assert "<script>alert(1)</script>" in page.text, "shown as it was written"
        assert not any(str(value).startswith("javascript:") for _, _, value in page.attributes)


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nothing", "/static/console.css"])
def test_nothing_is_inline_and_nothing_comes_from_outside(reader, path):
    answer = reader.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    if answer.headers["content-type"].startswith("text/html"):
        page = Page(answer.text)
        assert answer.headers["cache-control"] == "no-store"
        assert "style" not in page.tags
        assert not [a for a in page.attributes if a[1] == "style" or a[1].startswith("on")]
        taken = [v for tag, name, v in page.attributes if (tag, name) in (("link", "href"), ("script", "src"))]
        assert taken
        assert all(v.startswith("/static/") for v in taken)
    else:
        assert "http" not in answer.text


def test_what_pages_name_is_shipped(reader):
    pages = ("/", "/frames/palmyra-2016/staged-theatrics", "/feeds")
    named = {v for p in pages for _, _, v in Page(reader.get(p).text).attributes if str(v).startswith("/static/")}
    assert len(named) >= 6
    for name in named:
        assert reader.get(name).status_code == 200
    assert reader.get("/static/../app.py").status_code == 404
    assert reader.get("/static/%2e%2e/app.py").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/alerts/nope", 404),
        ("/alerts/%00", 404),
        ("/alerts/" + "a" * 5000, 404),
        ("/alerts/%ED%A0%80", 404),
    ],
)
def test_a_page_that_is_not_there(reader, path, status):
    answer = reader.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert reader.post("/", headers=OURS).status_code == 405


@pytest.fixture
def guarded(palmyra):
    conf = Settings(database_url=palmyra, api_token=TOKEN, api_host="0.0.0.0")
    with TestClient(create_app(conf), base_url="https://watch.example.org", follow_redirects=False) as client:
        client.headers.update(OURS)
        yield client


def test_without_a_cookie_every_page_is_the_form(guarded, alert_id):
    for path in ("/", f"/alerts/{alert_id}", "/nothing"):
        answer = guarded.get(path)
        assert answer.status_code == 401
        assert "www-authenticate" in answer.headers
        assert "Staged theatrics" not in answer.text
        assert f'name="onward" value="{path}"' in answer.text
    assert guarded.get("/static/console.css").status_code == 200


def test_signing_in_sets_a_cookie_and_goes_on(guarded, alert_id):
    answer = guarded.post("/sign-in", data={"token": TOKEN, "onward": f"/alerts/{alert_id}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/alerts/{alert_id}")
    cookie = answer.headers["set-cookie"]
    assert TOKEN not in cookie
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax"))
    assert guarded.get("/").status_code == 200
    assert guarded.get("/api/v1/frames").status_code == 401, "the cookie is the console's alone"
    assert guarded.post("/sign-out").status_code == 303
    guarded.cookies.clear()
    assert guarded.get("/").status_code == 401


@pytest.mark.parametrize("body", [b"", b"token=wrong", b"token=", b"\xff\x00", b"token=" + b"x" * 100_000, b"&" * 100])
def test_a_wrong_token_is_401(guarded, body, monkeypatch):
    monkeypatch.setattr("services.console.sign_in.DELAY_S", 0)
    answer = guarded.post("/sign-in", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\n/x", ""]
)
def test_signing_in_never_leads_away(guarded, onward):
    answer = guarded.post("/sign-in", data={"token": TOKEN, "onward": onward})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("cookie", ["", "x", "9999999999.", "9999999999.abc", ".", "1.é", "²." + "0" * 64])
def test_a_forged_cookie_opens_nothing(guarded, cookie):
    assert guarded.get("/", headers={b"Cookie": b"framewatch=" + cookie.encode()}).status_code == 401


def test_a_header_opens_the_console_too(guarded):
    assert guarded.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    assert guarded.get("/", headers={"Authorization": "Bearer wrong"}).status_code == 401
