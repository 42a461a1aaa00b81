"""Tables of accounts: columns, delimiters, encodings, rows that cannot be used."""

from contextlib import suppress
from dataclasses import replace
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.analysis.accounts import read_accounts, write_accounts
from services.analysis.confidential import holds_key, is_secret, without_login, without_secrets
from services.analysis.listing import Listed, outline_of, with_outline

TABLE = """Platform;Handle;Name;Language;Tags;Comment
Telegram;@rian_ru;РИА «Новости», главное;ru;"state, agency";watch
Twitter;@bellingcat;Bellingcat;en;;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "windows-1251"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_are_found_whatever_the_program(encoding, delimiter, end):
    text = TABLE.replace("«Новости», главное", "Новости") if delimiter == "," else TABLE
    data = text.replace('"state, agency"', '"state| agency"' if delimiter == "," else "state# agency")
    read = read_accounts(data.replace(";", delimiter).replace("#", ",").replace("\n", end).encode(encoding))
    first, second = read.feeds
    assert (first.kind, first.address, first.line) == ("telegram", "@rian_ru", 2)
    assert first.title.startswith("РИА")
    attributes = outline_of(first.options)[0]
    assert attributes["language"] == "ru"
    assert attributes["category"] == "state,agency"
    assert (second.kind, second.title, second.options["outline"]) == (
        "x",
        "Bellingcat",
        {"attributes": {"language": "en"}},
    )
    assert "Comment" in read.notes[0]


def test_western_text_is_not_taken_for_russian():
    read = read_accounts("url,name\nhttps://e.org/f,Café Müller à Genève créée\n".encode("cp1252"))
    assert read.feeds[0].title == "Café Müller à Genève créée"


def test_a_bare_list_of_addresses_is_one():
    read = read_accounts(b"https://example.org/feed\n\nt.me/rian_ru\n@name@mastodon.social\n")
    assert [(f.address, f.line) for f in read.feeds] == [
        ("https://example.org/feed", 1),
        ("t.me/rian_ru", 3),
        ("@name@mastodon.social", 4),
    ]


def test_a_bad_row_is_told_with_its_line_and_the_others_are_read():
    text = 'sep=;\nkind;url;name;every;options\nrss;;nameless\nrss;https://a;"two\nlines";often\nrss;https://b;B;0,5\nrss;https://c;C;;[1]\n\n'
    read = read_accounts(text.encode())
    assert [(t.line, t.told.split(";")[0]) for t in read.troubles] == [
        (3, "no address"),
        (4, "'often' is no number of minutes between fetches"),
        (7, 'the options are no JSON object such as {"page": 500}'),
    ]
    assert [(f.address, f.interval_s, f.line) for f in read.feeds] == [("https://b", 30, 6)]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a,b\n1,2\n", b"name,comment\nx,y\n", b"\xff\xfe\x00"])
def test_a_table_without_addresses_is_refused_with_the_remedy(data):
    with pytest.raises(PermanentError, match="kind,address,title,tags") as caught:
        read_accounts(data)
    assert caught.value.reason is Reason.BAD_INPUT


characters = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
words = characters.map(lambda t: " ".join(normalize("NFC", t).split()))
plain = words.filter(lambda t: not t.startswith("'"))


@given(st.lists(st.builds(Listed, plain.filter(bool), st.sampled_from(["rss", "x", ""]), plain, st.integers(0, 9999).map(lambda n: n * 30),
                          st.dictionaries(st.sampled_from(["page", "api"]), words | st.integers(), max_size=2),
                          st.booleans(), st.sampled_from(["", "stream"])), min_size=1, max_size=4))  # fmt: skip
def test_what_is_written_is_read_again(feeds):
    back = [replace(f, line=0) for f in read_accounts(write_accounts(feeds)).feeds]
    assert back == feeds


def test_no_cell_is_a_formula_and_groups_become_tags():
    feed = Listed("@a", "x", "=1+1", 0, with_outline({}, {"category": "one"}, [{"text": "Syria"}, {"text": "one"}]))
    text = write_accounts([feed]).decode("utf-8-sig")
    assert "x,'@a,'=1+1,,\"one, Syria\"" in text
    assert outline_of(read_accounts(text.encode()).feeds[0].options)[0] == {"category": "one,Syria"}


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: f"url,name\n{t}".encode()))
def test_nothing_but_our_own_error_comes_out(data):
    with suppress(PermanentError):
        read_accounts(data)


def test_secrets_are_known_by_their_names():
    secret = [
        "token",
        "apiKey",
        "api_key",
        "X-Auth-Token",
        "password",
        "headers.authorization",
        "keys",
        "client_secret",
    ]
    assert all(map(is_secret, secret))
    assert not any(map(is_secret, ["keyword", "keywords", "page", "monkey", "author", "passage", "design", "api"]))
    kept, taken = without_secrets({"a": {"token": "t", "b": [{"key": 1, "c": "https://u:p@e.org/x"}]}, "page": 5})
    assert (kept, taken) == ({"a": {"b": [{"c": "https://e.org/x"}]}, "page": 5}, ["token", "key"])
    assert without_login("https://me:secret@e.org/a@b") == "https://e.org/a@b"
    assert holds_key("https://e.org/f?a=1&access_token=x")
    assert not holds_key("https://e.org/f?keyword=x")
