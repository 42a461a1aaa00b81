"""The digest as its reader gets it: sent to a real mail server, read back, opened in a real browser, and clipped nowhere."""

import re
from base64 import b64encode
from dataclasses import replace

import pytest
from playwright.sync_api import Browser

from services.channels import charts, rendering
from services.channels.mail import compose
from services.channels.rendering import render_all
from tests.channels.notices import NOTICES, SENT_AT, chart_data, digest_data, post
from tests.channels.test_mail import config, send
from tests.console.conftest import browser, screens
from tests.console.looking import grave, too_wide

__all__ = ["browser", "screens"]
PNG = b"\x89PNG\r\n\x1a\n"
DIGEST = replace(NOTICES["digest"], data=digest_data(leave="7-abcdefghijklmnopqrstuv"))
HTTPS, HTTP = "https://watch.example", "http://127.0.0.1:8787"


def got(serve_smtp, notice=DIGEST):
    box = serve_smtp()
    send(box.port, notice)
    return box.got[0], box.raw[0]


def many(number):
    """A digest of a very bad day."""
    frame = digest_data()["frames"][0]
    alert = digest_data()["alerts"][0]
    frames = [
        {**frame, "id": f"f{i}", "title": f"Frame number {i}, which has a title of some length"} for i in range(number)
    ]
    alerts = [
        {**alert, "alert_id": f"a{i}", "frame": f"f{i}", "typical": [post(i, "words " * 400)], "first": [post(-i - 1)]}
        for i in range(number)
    ]
    for late in frames[rendering_charts() :]:
        late.pop("chart")
    gaps = [{"feed": "x" * 300, "from": "2016-12-11T20:00:00Z", "until": "2016-12-11T21:00:00Z"}] * number
    return replace(DIGEST, data=digest_data(frames=frames, alerts=alerts, gaps=gaps))


def rendering_charts():
    from services.analysis.digest import CHARTS

    return CHARTS


def test_it_is_text_and_html_with_its_pictures_inside(serve_smtp):
    mail, raw = got(serve_smtp)
    assert not mail.defects
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    html = mail.get_body(("html",)).get_content()
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert picture.get_content().startswith(PNG)
    assert picture.get_content_disposition() == "inline"
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html
    assert picture.get_content() == charts.png(DIGEST.data["frames"][0]["chart"])
    assert len(raw) < 100_000
    assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_leaving_is_one_click_over_https_a_link_over_http_and_nothing_without_an_address():
    def headers(public_url, data=DIGEST.data):
        mail = compose(replace(DIGEST, data=data), _config(), public_url, sent_at=SENT_AT)
        return mail["List-Unsubscribe"], mail["List-Unsubscribe-Post"]

    token = DIGEST.data["leave"]
    assert headers(HTTPS) == (f"<{HTTPS}/leave/{token}>", "List-Unsubscribe=One-Click")
    assert headers(HTTP) == (f"<{HTTP}/leave/{token}>", None)
    assert headers("") == (None, None)
    assert headers(HTTPS, digest_data()) == (None, None)
    long = f"https://{'a-very-long-name.' * 8}example.org/framewatch"
    mail = compose(DIGEST, _config(), long, sent_at=SENT_AT)
    folded = re.search(rb"^List-Unsubscribe:(.*(?:\r?\n[ \t].*)*)", mail.as_bytes(), re.MULTILINE)
    assert folded
    assert re.sub(rb"\s", b"", folded[1]) == f"<{long}/leave/{token}>".encode(), "a long address is not encoded"


def _config():
    from services.channels.mail import Config

    return Config(**config(25))


@pytest.mark.parametrize("number", [30, 200])
def test_the_worst_day_is_one_mail_that_no_reader_clips(number):
    _, html, pictures = render_all(many(number), HTTPS)
    assert len(html.encode()) <= rendering.MOST_BYTES
    assert len(pictures) == rendering_charts()
    shown = html.count('class="badge burst"')
    assert shown == number or f"and {number - shown} more" in html
    raw = compose(many(number), _config(), HTTPS, sent_at=SENT_AT).as_bytes()
    assert len(raw) < 300_000


def test_a_style_sheet_is_not_needed():
    _, html, _ = render_all(DIGEST, HTTPS)
    bare = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    for wanted in ("max-width: 600px", "background: #c2410c", "border-left: 3px solid #cfc9bd"):
        assert wanted in bare.replace(":", ": ").replace(":  ", ": ")
    assert "prefers-color-scheme: dark" in html


def test_the_same_chart_is_the_same_picture_and_a_gap_is_no_nought():
    chart = chart_data()
    assert charts.png(chart) == charts.png(chart_data())
    heard = {**chart, "units": [0 if u is None else u for u in chart["units"]]}
    assert charts.png(heard) != charts.png(chart)
    assert 'fill="url(#gap)"' in charts.svg(chart)
    assert 'fill="url(#gap)"' not in charts.svg(heard)
    none = {**chart, "units": [], "expected": [], "upper": [], "burst": [], "new": 0}
    assert charts.png(none).startswith(PNG)
    assert "nothing was heard" in charts.alt("F", {**chart, "units": [None] * 168}, "UTC")


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [600, 390])
def test_it_can_be_read_in_a_browser(serve_smtp, browser: Browser, screens, width, scheme):
    mail, _ = got(serve_smtp)
    html = mail.get_body(("html",)).get_content()
    for part in mail.walk():
        if part.get_content_type() == "image/png":
            inside = b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", f"data:image/png;base64,{inside}")
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, device_scale_factor=2
    )
    page = context.new_page()
    page.set_content(html)
    shown = page.evaluate("[...document.images].map(i => [i.complete, i.naturalWidth, i.width, i.alt.length > 40])")
    assert [(a, b, d) for a, b, _, d in shown] == [(True, charts.WIDTH, True)]
    assert shown[0][2] <= min(width, charts.SHOWN[0])
    assert too_wide(page) == 0
    assert grave(page) == []
    page.screenshot(path=screens / f"digest-{width}-{scheme}.png", full_page=True)
    context.close()
