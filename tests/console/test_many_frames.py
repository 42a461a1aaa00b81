"""The first page of a house with hundreds of frames: what moves is drawn, the others are in a table, nobody is lost."""

import re
from datetime import timedelta

import httpx
import pytest
from playwright.sync_api import expect
from starlette.testclient import TestClient

from services.analysis import drawing
from services.serve import create_app
from services.settings import Settings
from services.store import codebooks, feeds
from tests.api import seeded
from tests.console.looking import SCHEMES, SIZES, grave, opened, too_wide

BOOK, FRAMES = "atlas", 180
WHO = (
    "Europe",
    "Washington",
    "Moscow",
    "Ankara",
    "Tehran",
    "Brussels",
    "the United Nations",
    "the press",
    "the rebels",
)
WHAT = ("is to blame", "has lost", "hides the truth about what happened to the convoy and the people in it", "won")
VERDICTS = """insert into verdicts select %(version)s, 'f' || f, h, n, n, 2.0, 7, .2, 1,
case when f %% 30 = 7 and h > %(now)s::timestamptz - interval '30 hours' and n > 3 then 'burst' else 'ok' end
from (select f, h, (f * extract(hour from h)::int) %% 5 + (case when f %% 30 = 7 then 2 else 0 end) as n
      from generate_series(1, %(frames)s) f,
      generate_series(%(now)s::timestamptz - interval '5 days', %(now)s::timestamptz - interval '1 hour', '1 hour') h) t"""
POINTS = """insert into trend_points select %(version)s, 'f' || f, %(now)s::timestamptz - interval '3 hours', 'jsonl', 'en', f %% 7, 1, 1
from generate_series(1, %(frames)s) f where f %% 7 > 0
union all select %(version)s, '*', %(now)s::timestamptz - interval '3 hours', 'jsonl', 'en', 900, 0, 0"""


def titled(i):
    return f"{WHO[i % len(WHO)]} {WHAT[i % len(WHAT)]} ({i})"


@pytest.fixture(scope="module")
def many(house):
    """A second codebook of many frames, six of which burst."""
    with house.store.transaction() as tx:
        now = feeds.present(tx, seeded.NOW).replace(minute=0, second=0, microsecond=0)
        about = {"title": "Atlas", "body": "", "state": "current", "now": now - timedelta(days=20)}
        version, _ = codebooks.add_codebook(tx, codebook=BOOK, **about)
        told = [{"id": f"f{i}", "title": titled(i), "description": "What it says."} for i in range(1, FRAMES + 1)]
        codebooks.add_frames(tx, version, told)
        for query in (VERDICTS, POINTS):
            tx.execute(query, {"version": version, "frames": FRAMES, "now": now})
    return house


def linked(html):
    return re.findall(r'<a class="open" href="/frames/([^"]+)"', html)


def test_every_frame_is_drawn_or_in_the_table(many):
    html = httpx.get(many.address).text
    charts, table = html.split('<table class="others">')
    table = table.split("</table>")[0]
    above, below = linked(charts), linked(table)
    assert len(above) == charts.count('<figure class="chart"') <= drawing.MOST
    assert len(above) >= drawing.LEAST
    assert sorted(above + below) == sorted(
        [f"{BOOK}/f{i}" for i in range(1, FRAMES + 1)] + [f"palmyra-2016/{f}" for f in eight(many)]
    )
    assert {f"{BOOK}/f{i}" for i in range(7, FRAMES + 1, 30)} <= set(above), "what burst within the week is drawn"
    assert html.count("<svg") == len(above) + 2
    titles = re.findall(r'<a class="open" [^>]+>([^<]+)<', table)
    assert titles == sorted(titles, key=str.casefold)
    assert f"{len(below)} more frames" in html
    row = table[table.index(f'{BOOK}/f5"') :]
    assert '<td class="n">5</td><td class="n">0.56%</td>' in row[: row.index("</tr>")]


def eight(house):
    with house.store.transaction() as tx:
        return [f["frame"] for f in codebooks.list_frames(tx) if f["codebook"] == "palmyra-2016"]


def test_of_those_that_move_beyond_what_is_drawn_the_table_tells_first(many, monkeypatch):
    monkeypatch.setattr(drawing, "MOST", 3)
    monkeypatch.setattr(drawing, "LEAST", 2)
    html = httpx.get(many.address).text
    charts, table = html.split('<table class="others">')
    assert len(linked(charts)) == 3
    assert len(linked(charts) + linked(table)) == FRAMES + 8
    moving = {f"{BOOK}/f{i}" for i in range(7, FRAMES + 1, 30)} - set(linked(charts))
    assert moving
    first = linked(table)[: len(moving) + 8]
    assert moving <= set(first)
    assert "those that move first" in html


def test_a_frame_is_found_by_the_keyboard(browser, many):
    with opened(browser) as page:
        page.clock.install()
        page.goto(many.address)
        page.keyboard.press("/")
        field = page.get_by_label("Find a frame")
        expect(field).to_be_focused()
        page.keyboard.type("ankara WON")
        shown = page.locator("[data-frame]:visible")
        wanted = [titled(i) for i in range(1, FRAMES + 1) if "Ankara won" in titled(i)]
        expect(shown).to_have_count(len(wanted))
        expect(page.locator(".sift [role=status]")).to_have_text(f"{len(wanted)} of {FRAMES + 8} frames")
        field.evaluate("e => e.blur()")
        page.clock.run_for(31_000)
        page.wait_for_timeout(300)
        expect(shown).to_have_count(len(wanted))
        expect(field).to_have_value("ankara WON")
        assert grave(page) == []
        page.keyboard.press("j")
        page.keyboard.press("j")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("h1").inner_text() in wanted


def test_without_a_script_all_are_there_and_nothing_that_needs_one(browser, many):
    with opened(browser, script=False) as page:
        page.goto(many.address)
        expect(page.locator("[data-frame]:visible")).to_have_count(FRAMES + 8)
        expect(page.locator(".sift")).to_be_hidden()


def test_few_frames_are_all_drawn(palmyra):
    with TestClient(create_app(Settings(database_url=palmyra)), base_url="http://127.0.0.1:8787") as client:
        html = client.get("/").text
    assert html.count('<figure class="chart"') == 8
    assert "data-sift" not in html
    assert "more frame" not in html


def test_the_page_of_many_frames_is_accessible_and_fits(browser, many, screens):
    with opened(browser) as page:
        page.goto(many.address)
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(60)
                assert too_wide(page) <= 0, f"at {width}"
                page.screenshot(path=screens / f"now-many-{width}-{scheme}.png", full_page=True)
                if (width, scheme) in ((1440, "light"), (390, "dark")):
                    assert grave(page) == [], f"at {width} in {scheme}"
