"""Every page at both widths and in both schemes: nothing on its console, no grave fault for axe, no sideways scrolling.

Pictures are kept in build/screens.
"""

import pytest

from tests.console import looking
from tests.console.looking import SCHEMES, SIZES, grave, opened, too_wide
from tests.console.watching import FRAME

pytestmark = pytest.mark.browser

PAGES = {
    "now": "/",
    "frame": f"/frames/palmyra-2016/{FRAME}",
    "frame-share": f"/frames/palmyra-2016/{FRAME}?show=share",
    "frame-by-language-share": f"/frames/palmyra-2016/{FRAME}?by=lang&show=share&days=7",
    "frame-everything": "/frames/palmyra-2016/*",
    "alerts": "/alerts",
    "posts": f"/posts?of={FRAME}@palmyra-2016",
    "alert": "/alerts/{alert}",
    "post": "/posts/{arabic}",
    "alike": "/posts/{arabic}/alike",
    "frame-then": f"/frames/palmyra-2016/{FRAME}?days=3&until=2016-12-11",
    "post-hostile": f"/posts/{{hostile}}?frame={FRAME}",
    "feeds": "/feeds",
    "explore": "/explore?description=The+battle+is+told+as+a+show",
    "judge": "/judge",
    "codebook": "/codebook",
    "suggestions": "/suggestions",
    "suggestion": "/suggestions/{suggestion}",
    "missing": "/nothing",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_accessible_and_fits(name, browser, house, screens):
    path = PAGES[name].format(
        alert=house.alert_id, arabic=house.arabic_id, hostile=house.hostile_id, suggestion=house.suggestion_id
    )
    with opened(browser, missing=name == "missing") as page:
        page.goto(house.address + path)
        assert page.title()
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                page.wait_for_timeout(60)  # the chart follows the window a frame later
                assert too_wide(page) <= 0, f"{name} at {width}"
                page.screenshot(path=screens / f"{name}-{width}-{scheme}.png", full_page=True)
                if (width, scheme) in ((1440, "light"), (390, "dark")):
                    assert grave(page) == [], f"{name} at {width} in {scheme}"


def test_axe_would_find_a_fault(browser, house):
    with opened(browser) as page:
        page.goto(house.address)
        page.evaluate(
            "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/icon.svg\">')"
        )
        assert any("image-alt" in fault for fault in looking.grave(page))
