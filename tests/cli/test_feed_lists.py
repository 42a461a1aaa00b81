"""Lists of feeds in and out, and feeds whose kind follows from their address."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from services import demo
from services.analysis.opml import read_opml
from services.cli import main
from services.sources import SOURCES, read_address

Run = Callable[..., tuple[int, str, str]]

LIST = """<opml version="2.0" xmlns:their="urn:their"><body>
  <outline text="News" their:order="7">
    <outline text="One" type="rss" xmlUrl="https://example.org/one" their:folded="yes" language="ru"/>
    <outline text="Bad" type="rss" xmlUrl="two words"/>
    <outline text="Again" type="rss" xmlUrl="https://example.org/one"/>
  </outline>
</body></opml>"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], database_url: str) -> Run:
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["feeds", *(str(a) for a in arguments)])
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


def rows(run: Run) -> list[dict]:
    return json.loads(run("list", "--json")[1])


def told(row: dict) -> tuple:
    return tuple(row[name] for name in ("source", "address", "title", "interval_s", "options", "state", "mode"))


def test_good_rows_are_imported_and_bad_ones_named_with_their_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mine.opml"
    path.write_text(LIST)
    code, out, err = run("import", path, "--dry-run")
    assert (code, rows(run)) == (1, [])
    assert "Would add: rss https://example.org/one (One)" in out
    code, out, _ = run("import", path, "--dry-run", "--json")
    asked = json.loads(out)
    assert (code, asked["added"], asked["twice"], asked["refused"], rows(run)) == (1, 1, 1, 1, [])
    (listed,) = asked["feeds"]
    assert listed == {"source": "rss", "address": "https://example.org/one", "title": "One", "new": True}
    assert [t["line"] for t in asked["troubles"]] == [4]
    code, out, err = run("import", path)
    assert code == 1
    assert "Added 1; 0 already there; 1 named twice; 1 refused." in out
    assert f"{path}:4: 'two words' is no address of a feed" in err
    (row,) = rows(run)
    assert row["options"] == {
        "outline": {
            "attributes": {"{urn:their}folded": "yes", "language": "ru"},
            "groups": [{"text": "News", "{urn:their}order": "7"}],
        }
    }
    assert "Added 0; 1 already there" in run("import", path)[1]
    assert rows(run) == [row]


def test_a_list_changes_nothing_of_a_feed_that_is_there_but_what_lists_keep(run: Run, tmp_path: Path) -> None:
    run("add", "https://example.org/one", "--title", "Mine", "--option", "a=1", "--every", "5")
    path = tmp_path / "mine.opml"
    path.write_text(
        LIST.replace("their:folded", "xmlns:fw='urn:framewatch:feeds' fw:options='{\"a\": 2}' their:folded")
    )
    run("import", path)
    (row,) = rows(run)
    assert told(row)[2:4] == ("Mine", 300)
    assert row["options"]["a"] == 1
    assert row["options"]["outline"]["groups"] == [{"text": "News", "{urn:their}order": "7"}]


@pytest.mark.parametrize("ending", ["opml", "csv"])
def test_an_export_restores_every_feed_but_its_secrets(run: Run, tmp_path: Path, ending: str) -> None:
    run("add", "https://me:s3cret@example.org/a?q=1", "--title", "A & B", "--every", "7", "--option", "token=s3cret")
    run("add", "posts.jsonl.gz", "--option", "page=500", "--option", 'api="x"', "--option", "words=a b")
    run("add", "https://example.org/c?key=abc")
    run("set-state", "3", "paused")
    run("add", "press-office", "--kind", "push")
    before = rows(run)
    assert [row["mode"] for row in before] == ["poll", "poll", "poll", "push"]
    out = tmp_path / f"feeds.{ending}"
    code, _, err = run("export", "-o", out)
    assert code == 0
    assert "option token looks like a secret" in err
    assert "login" in err
    assert "looks like a key" in err
    assert b"s3cret" not in out.read_bytes()
    assert run("export", "--format", ending)[1].encode().replace(b"\r\n", b"\n") == out.read_bytes().replace(
        b"\r\n", b"\n"
    )
    for row in before:
        run("remove", row["feed_id"])
    assert run("import", out)[0] == 0
    after = rows(run)
    assert [told(row) for row in after[1:]] == [told(row) for row in before[1:]]
    assert told(after[0]) == ("rss", "https://example.org/a?q=1", "A & B", 420, {}, "enabled", "poll")


def test_a_table_of_accounts_is_imported(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_bytes("Платформа;Адрес;Название\nрадио;example.org;a\nweb;example.org/b;Газета\n".encode("cp1251"))
    code, _, err = run("import", path)
    assert code == 1
    assert f"{path}:2: " in err
    assert "is not a kind of source" in err
    assert [told(r)[:3] for r in rows(run)] == [("rss", "https://example.org/b", "Газета")]
    code, _, err = run("import", "nothing.opml")
    assert code == 1
    assert "there are the packs: palmyra-2016" in err
    (tmp_path / "list.opml").write_text("<!DOCTYPE x><opml/>")
    assert "DOCTYPE" in run("import", tmp_path / "list.opml")[2]


def test_every_codebook_has_a_pack_whose_feeds_this_version_can_hear(run: Run) -> None:
    assert demo.packs() == ["palmyra-2016"]
    pack = read_opml(demo.pack("palmyra-2016") or b"")
    assert (pack.troubles, pack.notes) == ((), ())
    assert {"rss", "telegram", "mastodon", "bluesky", "youtube", "gdelt"} <= {f.kind for f in pack.feeds}
    heard = [f for f in pack.feeds if f.kind in SOURCES]
    for feed in heard:
        assert read_address(feed.kind, feed.address), feed
    assert len({(f.kind, f.address) for f in pack.feeds}) == len(pack.feeds)
    assert b"none was fetched" in (demo.pack("palmyra-2016") or b"")
    out = run("import", "palmyra-2016")[1]
    assert f"Added {len(heard)};" in out


def test_kinds_are_guessed_and_addresses_kept_in_one_form(run: Run) -> None:
    code, out, _ = run("add", "feed://example.org/x", "posts.jsonl")
    assert code == 0
    assert "Added: https://example.org/x (rss)" in out
    assert "Added: posts.jsonl (jsonl)" in out
    assert "Already there" in run("add", "example.org/x")[1]
    run("add", "https://example.org/x", "--title", "Mine", "--option", "a=1")
    run("add", "https://example.org/x", "--option", "b=[2]")
    assert told(rows(run)[0])[2:5] == ("Mine", 900, {"a": 1, "b": [2]})
    for arguments, said in [
        (("@name",), "--kind KIND"),
        (("https://example.org/y", "two words"), "two words"),
        (("https://example.org/y", "--listen"), "cannot be heard by stream"),
        (("https://example.org/y", "--option", "page"), "--option page=500"),
        (("https://example.org/y", "--option", "outline=1"), "cannot be used"),
        (("https://example.org/y", "--option", 'a="\\u0000"'), "--option"),
    ]:
        code, _, err = run("add", *arguments)
        assert code == 1
        assert said in err
    assert len(rows(run)) == 2
