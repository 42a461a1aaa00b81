"""Every command that tells something has --json: JSON and nothing else, in one convention, without a secret."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest

from services import demo
from services.cli import cli, main
from services.store import deliveries, feeds, rules, tokens
from services.store.pool import Store
from tests.api import seeded
from tests.cli.test_commands import RSS
from tests.conftest import named
from tests.console import watching

DONE = "it says that it is done, by its exit status too, and nothing that was not asked for"
TELL_NOTHING = {
    "up": "it runs until it is stopped, and `status --json` tells of it", "label judge": "a talk, key by key",
    **dict.fromkeys(
        ("feeds remove", "feeds set-state", "alerts ack", "alerts mute", "alerts resolve", "alerts rules remove",
         "alerts snooze", "alerts unmute", "digest remove", "channels add", "channels quiet", "channels remove",
         "tokens revoke"), DONE),
}  # fmt: skip
"""Commands that have nothing to tell a program, and why."""
OWN_FORM = {
    "classify": "JSON lines", "label export": "JSON lines", "codebook schema": "JSON Schema", "codebook export": "YAML",
    "label examples": "YAML", "feeds export": "OPML or CSV", "detect": "CSV",
}  # fmt: skip
"""Commands whose output is a file for programs as it is."""
LINES = {"feeds check", "feeds parse"}
"""One JSON object a line: posts, as everywhere."""
MAPS = {
    "addresses", "processes", "stages", "langs", "by_language", "macro_f1_by_language", "frames", "scores", "stances",
    "config", "options", "cursor", "intake", "dropped", "deliveries", "kinds", "waiting", "terms",
}  # fmt: skip
"""Fields that hold a map from names that are somebody's: of frames, languages, feeds' options, fields of a channel."""
SECRET = "s3cret"
"""In every secret of the house below."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
Run = Callable[..., tuple[int, str, str]]


def walked(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from walked(found, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(walked(cli))
TELLING = [name for name in COMMANDS if name not in TELL_NOTHING and name not in OWN_FORM]


@dataclass(frozen=True)
class Told:
    """What a house has to be asked about."""

    url: str
    home: Path
    alert: str
    post: int
    suggestion: int


@pytest.fixture(scope="module")
def told(postgres_url: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """A house in which every reading command finds something, and secrets wherever there can be one."""
    name = f"{template}_json"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"create database {name} template {template}")
    url, home = named(postgres_url, name), tmp_path_factory.mktemp("home")
    store = Store(url, size=2)
    watching.seed(store)
    now = seeded.NOW
    with store.transaction() as tx:
        feeds.add_feed(
            tx, source="rss", address="https://me:s3cret-password@example.org/x", title="", now=now, interval_s=900,
            options={"token": "s3cret-option"},
        )  # fmt: skip
        deliveries.add_channel(tx, "team", "slack", {"url": "https://hooks.slack.com/services/s3cret"})
        deliveries.add_digest(tx, "morning", schedule="0 7 * * *", timezone="Europe/Berlin", since=now)
        rules.set_rule(tx, "staged", {"frame": watching.FRAME, "min_posts": 8, "channels": ["team"]}, now)
        rules.add_mute(tx, frame="ruins-in-danger", feed_id=None, until=None, now=now, by="test")
        token = tokens.assemble(b"abcdef", "s3cret" + 37 * "x")
        tokens.add_token(tx, token, name="grafana", scopes=("read",), now=now, expires_at=None)
    found = watching._house("", store)
    store.close()
    home.joinpath("author.key").write_text("s3cret-key-of-the-authors")
    home.joinpath("book.yaml").write_text(demo.codebook_text())
    home.joinpath("feed.xml").write_bytes(RSS)
    outline = '<outline type="rss" xmlUrl="https://me:s3cret@example.org/list" text="One"/>'
    home.joinpath("list.opml").write_text(f"<opml version='2.0'><body>{outline}</body></opml>")
    posts = [
        {"id": p["id"], "text": p["text"], "lang": p["lang"], "frames": p["frames"]} for p in demo.posts()[290:340]
    ]
    home.joinpath("posts.jsonl").write_text("".join(json.dumps(p) + "\n" for p in posts))
    return Told(url, home, found.alert_id, found.arabic_id, found.suggestion_id)


ASKED: Mapping[str, Callable[[Told], list[str]]] = {
    "status": lambda t: [], "top": lambda t: [], "doctor": lambda t: [], "verify": lambda t: [],
    "feeds list": lambda t: [],
    "feeds parse": lambda t: [str(t.home / "feed.xml"), "--kind", "rss"],
    "codebook check": lambda t: [str(t.home / "book.yaml"), "--no-learn"],
    "codebook evaluate": lambda t: [str(t.home / "book.yaml"), "--posts", str(t.home / "posts.jsonl")],
    "codebook list": lambda t: [], "codebook log": lambda t: [], "codebook status": lambda t: [],
    "codebook preview": lambda t: [str(t.home / "book.yaml")],
    "codebook show": lambda t: ["palmyra-2016"],
    "label list": lambda t: [],
    "suggestions list": lambda t: [], "suggestions show": lambda t: [str(t.suggestion)],
    "trends": lambda t: [watching.FRAME, "--since", "2016-12-10T00:00Z", "--usual-share"],
    "alerts list": lambda t: [], "alerts show": lambda t: [t.alert], "alerts recheck": lambda t: [t.alert],
    "alerts dry-run": lambda t: ["--rule", "staged"], "alerts rules list": lambda t: [],
    "digest list": lambda t: [], "digest preview": lambda t: ["morning"], "digest readers": lambda t: ["morning"],
    "channels kinds": lambda t: [], "channels list": lambda t: [], "tokens list": lambda t: [],
    "why": lambda t: [str(t.post)], "posts list": lambda t: ["--frame", watching.FRAME],
    # Of those that change something, what leaves the house as it was or nobody else asks about.
    "migrate": lambda t: [], "feeds add": lambda t: ["https://me:s3cret-password@example.org/x"],
    "feeds import": lambda t: [str(t.home / "list.opml"), "--dry-run"],
    "codebook apply": lambda t: [str(t.home / "book.yaml")], "codebook import": lambda t: [str(t.home / "book.yaml")],
    "label import": lambda t: [str(t.home / "posts.jsonl")], "suggestions reopen": lambda t: [str(t.suggestion)],
    "alerts rules set": lambda t: ["staged", f"frame={watching.FRAME}", "min_posts=8", "channels=[team]"],
    "digest send": lambda t: ["morning"], "posts delete": lambda t: ["rss", "no-such-post"], "posts retry": lambda t: [],
    "channels retry": lambda t: [],
}  # fmt: skip
"""What each command that tells something is asked of the house."""
ELSEWHERE = {
    "feeds check": "test_commands: it needs a server", "label threshold": "test_label: it needs judges",
    "channels test": "test_channels: it needs a server", "replay": "test_demo: it needs a pipeline",
    "suggest": "stages/test_suggest_faces", "suggestions dismiss": "stages/test_suggest_faces",
    "suggestions adopt": "below", "tokens create": "below", "codebook rollback": "test_commands",
    "digest add": "test_commands",
}  # fmt: skip


@pytest.fixture
def run(told: Told, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    for name, value in {"HOME": str(told.home), "DATABASE_URL": told.url, "MODEL": "noop"}.items():
        monkeypatch.setenv(f"FRAMEWATCH_{name}", value)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(a) for a in arguments])
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


def not_json(word: str) -> None:
    raise AssertionError(f"{word} is no JSON")


def parsed(text: str) -> Any:
    """JSON as RFC 8259 has it: no NaN, no Infinity."""
    return json.loads(text, parse_constant=not_json)


def odd(value: Any, path: str = "", *, names: bool = True) -> Iterator[str]:
    """What is not in the convention: our names in snake_case, times in RFC 3339."""
    if isinstance(value, dict):
        for key, part in value.items():
            if names and not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)*", key):
                yield f"{path}.{key}: a name"
            yield from odd(part, f"{path}.{key}", names=key not in MAPS)
    elif isinstance(value, list):
        for part in value:
            yield from odd(part, f"{path}[]")
    elif isinstance(value, str) and TIME.match(value) and not RFC_3339.fullmatch(value) and len(value) < 40:
        yield f"{path}: {value} is a time of another form"


@pytest.mark.parametrize("name", TELLING)
def test_a_command_that_tells_something_has_json(name: str) -> None:
    found = next((o for o in COMMANDS[name].params if "--json" in o.opts), None)
    assert found is not None, f"{name} has no --json; where it tells nothing, say so in TELL_NOTHING"
    assert isinstance(found, click.Option)
    assert found.is_flag
    assert found.help
    assert name in ASKED or name in ELSEWHERE, f"say in ASKED what {name} is to be asked"


def test_the_lists_name_only_what_there_is() -> None:
    assert {*TELL_NOTHING, *OWN_FORM, *ASKED, *ELSEWHERE} <= set(COMMANDS)
    assert not TELL_NOTHING.keys() & OWN_FORM.keys()
    for name in (*TELL_NOTHING, *OWN_FORM):
        assert not [o for o in COMMANDS[name].params if "--json" in o.opts], f"{name} has --json after all"


def test_the_convention_is_really_asked_for() -> None:
    good = {"at": "2016-12-11T12:00:00Z", "scores": {"staged-theatrics": 0.9}, "days": [{"posts_before": 1}], "n": None}
    assert not list(odd(good))
    for bad in ({"publishedAt": 1}, {"a b": 1}, [{"scores": {"x-y": {"B": 1}}}], {"at": "2016-12-11T12:00"},
                {"at": "2016-12-11T12:00:00"}):  # fmt: skip
        assert list(odd(bad)), bad
    with pytest.raises(AssertionError, match="NaN"):
        parsed("[NaN]")


@pytest.mark.parametrize("name", ASKED)
def test_what_it_prints_is_json_in_one_convention_and_no_secret(name: str, run: Run, told: Told) -> None:
    code, out, err = run(*name.split(), *ASKED[name](told), "--json")
    assert code == 0 or name in ("status", "doctor", "verify"), err
    found = [parsed(line) for line in out.splitlines()] if name in LINES else [parsed(out)]
    assert found
    assert [told for value in found for told in odd(value)] == []
    assert SECRET not in out + err


@pytest.mark.parametrize("name", [name for name in ASKED if name not in LINES])
def test_people_are_told_the_same_without_a_secret_or_a_code(name: str, run: Run, told: Told) -> None:
    """Words for people: no secret, no bare tag of a language, nothing of Python's."""
    once = ["--once"] if name == "top" else []
    _, out, err = run(*name.split(), *ASKED[name](told), *once)
    assert out.strip() or err.strip()
    assert SECRET not in out + err
    assert not re.search(r"Traceback|\bNone\b|datetime\.|<[a-z_]+\.[A-Za-z.]+ object", out + err)
    assert not re.search(r"\b(ru|uk|und)\b", out), "languages are told by name"
    assert not re.search(r"\bunits?\b", out), "one word a thing"


def test_a_token_is_told_once_and_an_adopted_frame_whole(run: Run, told: Told) -> None:
    made = parsed(run("tokens", "create", "desk", "--json")[1])
    assert not list(odd(made))
    assert made["token"] not in run("tokens", "list", "--json")[1]
    adopted = parsed(run("suggestions", "adopt", str(told.suggestion), "--json")[1])
    assert not list(odd(adopted))
    assert adopted["frame"]["id"] in adopted["codebook"]
