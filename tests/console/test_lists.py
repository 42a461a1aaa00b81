"""Posts as a list that pages both ways and keeps its filters, and the trend of a frame as a table that says the same."""

import csv
import io
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from services.console.pages import frames, lists
from services.serve import create_app
from services.settings import Settings
from services.store import trends
from tests.console.test_pages import HERE, Page

FRAME = "/frames/palmyra-2016/staged-theatrics"


@pytest.fixture(scope="module")
def reader(palmyra):
    with TestClient(create_app(Settings(database_url=palmyra)), base_url=HERE) as client:
        yield client


def numbers(html):
    return [int(n) for n in re.findall(r'class="open" href="/posts/(\d+)', html)]


def link(html, rel):
    found = re.search(rf'<a href="([^"]+)" rel="{rel}"', html)
    return found[1].replace("&amp;", "&") if found else None


@pytest.mark.parametrize("query", ["", "?of=staged-theatrics@palmyra-2016&days=30", "?lang=ru", "?q=palmyra+or+%D0%9F%D0%B0%D0%BB%D1%8C%D0%BC%D0%B8%D1%80%D0%B0"])  # fmt: skip
def test_pages_follow_each_other_both_ways(reader, query, monkeypatch):
    monkeypatch.setattr(lists, "LISTED", 11)
    pages, path = [], f"/posts{query}"
    while path:
        html = reader.get(path).text
        pages.append((path, numbers(html)))
        path = link(html, "next")
    told = [n for _, page in pages for n in page]
    assert len(pages) > 2
    assert len(told) == len(set(told)), "no post twice"
    assert all(len(page) == lists.LISTED for _, page in pages[:-1])
    back = link(reader.get(pages[2][0]).text, "prev")
    assert numbers(reader.get(back).text) == pages[0 if query.startswith("?q") else 1][1]
    assert numbers(reader.get(link(reader.get(pages[1][0]).text, "prev")).text) == pages[0][1]
    assert link(reader.get(pages[0][0]).text, "prev") is None


def test_languages_are_told_by_name_and_asked_for_by_tag(reader):
    """In the filter, beside each post, as parts of a trend and in tallies; the table of the same page keeps the tags."""
    told = reader.get("/posts?lang=ru").text
    assert re.findall(r'<option value="ru" selected>([^<]+)<', told) == ["Russian"]
    assert set(re.findall(r'· <bdi title="([^"]+)">([^<]+)</bdi>', told)) == {("ru", "Russian")}
    frame = reader.get(f"{FRAME}?by=lang&days=30").text
    assert {"English", "Russian", "Arabic"} <= set(re.findall(r"<h3><bdi>([^<]+)</bdi>", frame))
    assert '<span class="name"><bdi title="ar">Arabic</bdi>' in frame
    rows = csv.DictReader(io.StringIO(reader.get(f"{FRAME}.csv?by=lang&step=1d&days=30").text))
    assert {"en", "ru", "ar"} <= {row["lang"] for row in rows}


def test_the_address_keeps_the_filters(reader):
    html = reader.get("/posts?of=staged-theatrics@palmyra-2016&lang=en&days=30").text
    assert '<option value="staged-theatrics@palmyra-2016" selected>' in html
    assert '<option value="en" selected>English</option>' in html
    asked = parse_qs(urlsplit(link(html, "next") or "/posts?x=1").query)
    if "before" in asked:
        kept = {"frame": ["staged-theatrics"], "codebook": ["palmyra-2016"], "lang": ["en"], "days": ["30"]}
        assert kept.items() <= asked.items()
    told = Page(html).text
    assert "Posts that carry Staged theatrics" in told
    assert " · English" in told
    assert " · ru" not in told


@pytest.mark.parametrize("query", ["before=nonsense", "before=2016-12-12_5", "before=2016-12-12T10:00:00%2B00:00_x", "lang='--", "days=-1",
                                   "source=%00", "q=" + "x" * 3000, "q=%22%20or%20-", "of=@", "of=nope@nope"])  # fmt: skip
def test_what_is_not_in_its_form_breaks_nothing(reader, query):
    assert reader.get(f"/posts?{query}").status_code in (200, 404)


def test_nothing_found_says_so_and_leads_out(reader):
    told = reader.get("/posts?q=zzzunheardofzzz").text
    assert "No post of 14 days is like this" in told
    assert 'href="/posts"' in told


def test_posts_of_another_time_are_found(reader):
    html = reader.get("/posts?days=1&until=2016-12-11").text
    assert numbers(html)
    assert set(re.findall(r'<time datetime="(2016-12-\d\d)', html.partition("<main")[2])) == {"2016-12-11"}
    assert "until=2016-12-11" in (link(html, "next") or "")
    assert reader.get("/posts?until=2016-13-40").status_code == reader.get("/posts?until=9999-12-31").status_code == 200


def test_a_frame_is_seen_at_another_time(reader):
    html = reader.get(f"{FRAME}?days=3&until=2016-12-12").text
    assert "10 Dec 2016 00:00" in html
    assert "13 Dec 2016 00:00" in html
    assert "until=2016-12-09" in link(html, "prev")
    assert link(html, "next")
    days = {r["at"][:10] for r in rows(reader.get(f"{FRAME}.csv?days=3&until=2016-12-12"))}
    assert days == {"2016-12-10", "2016-12-11", "2016-12-12"}
    now = reader.get(f"{FRAME}?until=2026-01-01").text
    assert link(now, "next") is None
    assert "not now" not in now


def rows(answer):
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_a_trend_is_downloaded_as_it_is_drawn(reader):
    html = reader.get(f"{FRAME}?days=7").text
    path = re.search(r'href="([^"]+\.csv[^"]*)" download', html)[1].replace("&amp;", "&")
    told = rows(reader.get(path))
    assert len(told) == 7 * 24 + 1
    assert {row["frame"] for row in told} == {"staged-theatrics"}
    points = reader.get("/api/v1/trends?frame=staged-theatrics&since=" + told[0]["at"]).json()["points"]
    assert [(r["at"], r["units"], r["state"]) for r in told] == [
        (p["at"], "" if p["units"] is None else str(p["units"]), p["state"] or "") for p in points
    ]
    assert any(
        row["units"] == "" and row["coverage"].startswith("0") for row in rows(reader.get(f"{FRAME}.csv?days=14"))
    ), "a gap is empty, not nought"


def test_a_split_trend_is_downloaded_part_by_part(reader):
    answer = reader.get(f"{FRAME}.csv?by=lang&step=1d&days=30")
    assert "trend-staged-theatrics-lang-1d-30d.csv" in answer.headers["content-disposition"]
    told = rows(answer)
    assert {"ar", "en", "ru"} <= {row["lang"] for row in told}
    whole = rows(reader.get(f"{FRAME}.csv?step=1d&days=30"))
    at = next(row["at"] for row in whole if row["posts"] not in ("", "0"))
    assert sum(int(r["posts"] or 0) for r in told if r["at"] == at) == int(
        next(r for r in whole if r["at"] == at)["posts"]
    )


def test_a_share_is_downloaded_with_what_would_have_been_usual(reader):
    assert "upper_share" not in rows(reader.get(f"{FRAME}.csv?days=7"))[0]
    for by in ("", "&by=lang"):
        told = rows(reader.get(f"{FRAME}.csv?days=7&show=share{by}"))
        known = [row for row in told if row["upper_share"]]
        assert known
        assert all(float(row["expected_share"]) <= float(row["upper_share"]) for row in known)
        assert not [row for row in told if row["coverage"].startswith("0.0") and row["upper_share"]], "a gap has none"


USUAL = [
    (
        "show=share",
        'class="band" d="M',
        "Usual range: up to the largest share that the four weeks before explain at such hours",
    ),
    ("show=share&days=7&by=lang", 'class="band" d="M', "Usual range: up to"),
    ("show=share&step=6h", 'class="band" d="M', "Usual range: up to"),
    ("show=share&step=1d", 'class="band" d="M', "explain on such weekdays, of so many posts"),
    ("show=share&step=15m&days=3", 'class="band" d=""', "No usual range: steps this short hold too few posts"),
    ("show=share&step=1w&days=30", 'class="band" d=""', "No usual range yet: 7 weeks, and a day after them,"),
    ("show=posts", 'class="band" d=""', "Of posts no usual range is known"),
    ("show=units&step=1d", 'class="band" d=""', "Of voices the usual range is known by the hour alone"),
    ("show=units&by=lang", 'class="band" d="M', "The usual range of voices is known of the whole frame alone"),
]


@pytest.mark.parametrize(("asked", "drawn", "said"), USUAL)
def test_a_chart_has_its_usual_range_or_says_why_not(reader, asked, drawn, said):
    html = reader.get(f"{FRAME}?{asked}").text
    first = html[html.index('<figure class="chart tall"') :]
    assert drawn in first[: first.index("</figure>")]
    assert said in html
    legend = html[html.index('class="legend"') :]
    ranged = drawn.endswith("M")
    assert ("usual range" in legend[: legend.index("</ul>")]) == ranged
    assert (">Usual, at most<" in first[: first.index("</figure>")]) == ranged, "and in the table"
    if "by=lang" in asked and "share" in asked:
        parts = re.findall(r'class="band" d="(M?)', first[first.index("multiples") :])
        assert parts.count("M") >= 2, "languages have a range of their own"


def test_a_table_of_nothing_is_missing(reader):
    assert reader.get("/frames/palmyra-2016/nope.csv").status_code == 404


NOTE = "too many posts to count their voices"


def test_where_voices_are_too_many_to_count_posts_are_drawn_and_it_says_so(reader, monkeypatch):
    few = reader.get(f"{FRAME}?step=6h&days=14").text
    monkeypatch.setattr(trends, "VOICES", 1)
    many = reader.get(f"{FRAME}?step=6h&days=14").text
    assert NOTE not in few
    assert NOTE in many
    assert "Most voices" in few
    assert "Most voices" not in many
    assert "Most posts" in many
    assert NOTE not in reader.get(f"{FRAME}?step=1h&days=14").text


@pytest.mark.parametrize(
    ("step", "days", "word"),
    [("5m", "1", "in 5 minutes"), ("15m", "1", "in 15 minutes"), ("1h", "14", "an hour"), ("6h", "14", "in 6 hours"),
     ("1d", "14", "a day"), ("1w", "30", "a week")],
)  # fmt: skip
def test_a_chart_says_how_long_its_steps_are(reader, step, days, word):
    assert step in frames.STEPS
    assert f"Most voices {word}<" in reader.get(f"{FRAME}?step={step}&days={days}&until=2016-12-13").text.replace(
        "</th>", "<"
    )
