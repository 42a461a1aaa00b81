"""What a person does in a browser: charts, keys, judging, acting on an alert, exploring; and hostile posts that stay text."""

import json
import re

import pytest
from playwright.sync_api import expect

from services.store import alerts, labels
from tests.console.looking import grave, opened, too_wide
from tests.console.watching import FRAME, HOSTILE

pytestmark = pytest.mark.browser
PAGE = f"/frames/palmyra-2016/{FRAME}"


def test_a_chart_is_read_by_keys_and_zoomed(browser, house):
    with opened(browser) as page:
        page.goto(house.address + PAGE)
        plot = page.locator(".plot")
        plot.focus()
        expect(page.locator(".plot canvas")).to_have_count(1)
        plot.press("End")
        expect(page.locator(".reading")).to_contain_text(re.compile(r"12 Dec 2016 \d\d:00 UTC"))
        plot.press("ArrowLeft")
        expect(page.locator(".reading")).to_contain_text("the past explains")
        read = set()
        for _ in range(230):
            plot.press("ArrowLeft")
            read |= {word for word in ("burst", "not heard: unknown") if word in page.locator(".reading").inner_text()}
            if len(read) == 2:
                break
        assert read == {"burst", "not heard: unknown"}, "bursts and gaps are read out as such"
        plot.press("+")
        plot.press("0")


def test_what_nobody_listened_to_is_read_as_unknown_and_other_times_are_a_key_away(browser, house):
    with opened(browser) as page:
        page.goto(house.address + PAGE)
        page.keyboard.press("[")
        expect(page).to_have_url(re.compile(r"until=2016-11-2\d"))
        expect(page.locator(".legend")).to_contain_text("nobody listened")
        page.locator(".plot").focus()
        page.locator(".plot").press("Home")
        expect(page.locator(".reading")).to_contain_text("nobody listened: unknown")
        page.locator(".plot").evaluate("plot => plot.blur()")
        page.get_by_role("link", name="now", exact=True).click()
        expect(page.locator(".reading")).to_contain_text("Point at a bar")


def test_a_long_title_of_a_frame_pushes_no_page_aside(browser, house):
    with opened(browser, width=390) as page:
        for path in ("/alerts", "/posts"):
            page.goto(house.address + path)
            page.locator("select").nth(-1 if path == "/alerts" else 0).evaluate(
                "select => select.options[0].textContent = 'A title that goes on and on '.repeat(8)"
            )
            assert too_wide(page) <= 0


def test_a_chart_is_read_by_pointing(browser, house):
    with opened(browser) as page:
        page.goto(house.address + PAGE)
        expect(page.locator(".reading")).to_contain_text("Point at a bar")
        box = page.locator(".plot .u-over").bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        expect(page.locator(".reading")).to_contain_text("UTC")


def test_without_a_script_everything_is_there(browser, house):
    with opened(browser, script=False) as page:
        page.goto(house.address + PAGE)
        assert page.locator("figure.tall > svg").is_visible()
        page.locator("figure.tall summary").click()
        assert page.locator("figure.tall table tbody tr").count() > 5
        page.goto(house.address + "/judge")
        page.get_by_role("button", name="Unsure").click()
        assert page.locator("h1").is_visible()


def test_an_alert_on_paper_is_evidence(browser, house, screens):
    with opened(browser, scheme="dark") as page:
        page.goto(f"{house.address}/alerts/{house.alert_id}")
        page.emulate_media(media="print")
        for gone in (".top nav", ".actions", ".plot", ".reading", "main details"):
            expect(page.locator(gone).first).to_be_hidden()
        expect(page.locator("figure.tall > svg")).to_be_visible()
        expect(page.locator(".printed")).to_contain_text("Printed")
        expect(page.locator("ol.steps")).to_be_visible()
        expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
        told = page.locator("a.away").first.evaluate("a => getComputedStyle(a, '::after').content")
        assert told.startswith('"https://'), "the address of a post stands on the paper"
        page.pdf(path=screens / "alert.pdf", format="A4")


def test_posts_are_paged_by_keys(browser, house):
    with opened(browser) as page:
        page.goto(f"{house.address}/posts?lang=en&days=30")
        first = page.locator("ol.posts .by").first.inner_text()
        page.keyboard.press("]")
        expect(page.locator("ol.posts .by").first).not_to_have_text(first)
        expect(page).to_have_url(re.compile("lang=en.*before="))
        page.keyboard.press("[")
        expect(page.locator("ol.posts .by").first).to_have_text(first)


def test_the_keyboard_is_enough(browser, house):
    with opened(browser) as page:
        page.goto(house.address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("?")
        expect(page.locator("dialog#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog#keys")).not_to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("j")
        second = page.locator("ol.frames [data-item]").nth(1)
        assert "at" in second.get_attribute("class").split()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid", "focus is seen"
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "/frames/palmyra-2016/" in page.url
        with page.expect_navigation():
            page.keyboard.press("s")
        assert "show=share" in page.url
        page.keyboard.press("g")
        with page.expect_navigation():
            page.keyboard.press("a")
        assert page.url.endswith("/alerts")


def test_a_share_is_read_beside_what_is_usual(browser, house):
    """With a cursor the range is told as shares, as they are drawn; not as voices."""
    with opened(browser) as page:
        page.goto(f"{house.address}{PAGE}?show=share&step=6h")
        page.locator(".plot").focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        said = page.locator(".reading").inner_text()
    assert re.search(r"\bshare [\d.]+%.*the past explains [\d.]+%.*usually at most [\d.]+%", said.replace("\n", " ")), (
        said
    )


def test_what_one_types_is_no_shortcut(browser, house):
    with opened(browser) as page:
        page.goto(house.address + "/explore")
        page.keyboard.press("/")
        page.keyboard.type("gn? jk")
        assert page.locator("#x-description").input_value() == "gn? jk"
        assert page.url.endswith("/explore")


def test_judging_takes_the_keyboard_alone(browser, house):
    with opened(browser) as page:
        page.goto(house.address + "/judge")
        for key in ("y", "n", "u", "y"):
            before = page.locator(".sample").inner_text()
            with page.expect_navigation():
                page.keyboard.press(key)
            assert page.locator(".sample").inner_text() != before
        with page.expect_navigation():
            page.keyboard.press("z")
    with house.store.transaction() as tx:
        given = [r["answer"] for r in labels.list_labels(tx, "palmyra-2016") if r["judge"] == "console"]
    assert sorted(given)[-3:] == ["unsure", "unsure", "yes"] or sorted(given) == ["no", "unsure", "yes"]


def test_an_alert_is_acted_on(browser, house):
    with opened(browser) as page:
        page.goto(f"{house.address}/alerts/{house.alert_id}")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator("p.said")).to_contain_text("Acknowledged")
        expect(page.locator("ol.steps")).to_contain_text("acknowledged by console")
        page.get_by_label("Snooze for").select_option("24")
        page.get_by_role("button", name="Snooze").click()
        expect(page.locator(".lead")).to_contain_text("snoozed until")
        expect(page.locator("ol.steps")).to_contain_text("snoozed by console until")
        with page.expect_download() as download:
            page.get_by_role("link", name="Export JSON").click()
        assert download.value.suggested_filename == f"alert-{house.alert_id}.json"
        with page.expect_download() as download:
            page.get_by_role("link", name="Export STIX").click()
        assert json.loads(download.value.path().read_text())["type"] == "bundle"
    with house.store.transaction() as tx:
        row = alerts.read_alert(tx, house.alert_id)
    assert row["acked_at"]
    assert row["snoozed_until"]


def test_another_site_changes_nothing(browser, house):
    with house.store.transaction() as tx:
        other = next(a["alert_id"] for a in alerts.list_alerts(tx, limit=9) if a["alert_id"] != house.alert_id)
        before = alerts.read_alert(tx, other)
    context = browser.new_context()
    page = context.new_page()
    page.set_content(
        f'<form method=post action="{house.address}/alerts/{other}/mute"><input name=hours value=""><button>x'
    )
    page.get_by_role("button").click()
    page.wait_for_load_state()
    assert "Not from here" in page.content()
    context.close()
    with house.store.transaction() as tx:
        assert alerts.read_alert(tx, other) == before
        assert tx.execute("select count(*) as n from mutes").fetchone()["n"] == 0


def test_hostile_posts_are_text_everywhere(browser, house):
    with opened(browser) as page:
        for path in (PAGE, f"/posts/{house.hostile_id}?frame={FRAME}"):
            page.goto(house.address + path)
            shown = page.locator("blockquote").filter(has_text="window.pwned").first
            assert shown.text_content() == HOSTILE
            assert page.evaluate("window.pwned") is None
            assert page.locator("main img, main script, main iframe").count() == 0
            assert not [
                h for h in page.locator("a").evaluate_all("all => all.map(a => a.protocol)") if h == "javascript:"
            ]


def test_the_words_of_a_post_come_after_the_page(browser, house):
    with opened(browser) as page:
        page.goto(f"{house.address}/posts/{house.arabic_id}")
        page.wait_for_selector("blockquote.marked")
        assert page.locator("[data-later]").count() == 0


def test_posts_from_right_to_left_are_shown_right(browser, house):
    with opened(browser) as page:
        page.goto(f"{house.address}/posts/{house.arabic_id}")
        quote = page.locator("blockquote[lang=ar]").first
        # The words that carried it come later and replace the quote: an element asked once may just have gone.
        expect(quote).to_have_css("direction", "rtl")
        expect(quote).to_have_css("border-right-width", "2px")


def test_exploring_shows_a_history(browser, house, screens):
    with opened(browser) as page:
        page.goto(house.address + "/explore")
        page.get_by_label("A description").fill("The battle is told as a show")
        page.get_by_label("A description").press("Control+Enter")
        expect(page.locator("h1")).to_contain_text("like this")
        expect(page.locator(".plot canvas")).to_have_count(1)
        page.screenshot(path=screens / "explore-found-1440-light.png", full_page=True)


def test_a_codebook_is_changed_line_by_line(browser, house, screens):
    with opened(browser, missing=True) as page:
        page.goto(house.address + "/codebook")
        text = page.locator("#c-text")
        right = text.input_value()
        text.fill(right.replace(f"id: {FRAME}", "id: Staged Theatrics"))
        text.press("Control+Enter")
        page.locator("[data-line]").first.click()
        chosen = text.evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)")
        assert "id: Staged Theatrics" in chosen, "the line of the mistake is selected"
        text.fill(right.replace("title: Staged theatrics", "title: A show"))
        page.get_by_role("button", name="Preview").click()
        page.wait_for_selector("h1:has-text('would change')")
        assert grave(page) == []
        page.screenshot(path=screens / "codebook-preview-1440-light.png", full_page=True)
        page.get_by_role("button", name="Apply").click()
        page.wait_for_selector("text=palmyra-2016 v2")


def test_the_first_page_stays_fresh_but_not_while_it_is_read(browser, house):
    with opened(browser) as page:
        page.clock.install()
        page.goto(house.address)
        page.evaluate("document.querySelector('h1').textContent = 'stale'")
        page.locator("details summary").first.click()
        page.clock.run_for(31_000)
        page.wait_for_timeout(300)
        assert page.locator("h1").inner_text() == "stale"
        page.locator("details summary").first.click()
        page.evaluate("document.activeElement.blur()")
        page.clock.run_for(31_000)
        page.wait_for_selector("h1:not(:has-text('stale'))")
