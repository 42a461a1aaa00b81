"""framewatch channels: refused when saved, never shown again, and a test that says what came of it."""

import json
from collections.abc import Callable

import pytest

from services.cli import main
from tests.fetch.servers import reply, serve

Run = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("house")


@pytest.fixture
def house(tmp_path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("FRAMEWATCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FRAMEWATCH_DATABASE_URL", database_url)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["channels", *arguments])
        out, err = capfd.readouterr()
        return int(stopped.value.code or 0), out, err

    return call


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("team", "mail", "to=team@example.org"), "host is missing"),
        (("team", "slack"), "url is missing"),
        (("team", "telegram", "chat=-5"), "token is missing"),
        (("team", "webhook", "url=hooks.s3cret.example"), "url: must be http://host/"),
        (("team", "webhook", "s3cret"), "each part must be FIELD=VALUE; webhook takes: url=… [secret=…]"),
        (("team", "webhook", "url=http://10.0.0.1/s3cret"), "FRAMEWATCH_ALLOW_NETWORKS"),
        (("team", "alertmanager", "url=http://localhost:9093"), "FRAMEWATCH_ALLOW_NETWORKS"),
        (("team", "mail", "to=a@example.org", "sender=b@example.org", "host=192.168.1.9"), "192.168.1.9"),
        (("team", "webhook", "url=http://169.254.169.254/s3cret"), "was not contacted"),
        (("the team\r\nX: y", "webhook", "url=https://example.org/"), "cannot be a channel's name"),
    ],
)
def test_what_cannot_work_is_refused_when_saved(run: Run, given: tuple[str, ...], said: str) -> None:
    code, _, err = run("add", *given)
    assert code == 1
    assert said in err
    assert "s3cret" not in err
    assert "No channel yet" in run("list")[2]


def test_secrets_go_in_and_never_come_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda prompt: "tk_s3cret")
    code, out, err = run("add", "phone", "ntfy", "topic=s3cret-topic", "token=-")
    assert code == 0
    code, listed, _ = run("list")
    assert "phone" in listed
    assert "••••••" in listed
    assert "s3cret" not in out + err + listed
    assert run("remove", "phone")[0] == 0
    assert run("remove", "phone")[0] == 1
    assert run("test", "phone")[2].endswith("framewatch channels list\n")
    assert "ntfy          topic=… [url=…] [token=…]" in run("kinds")[1]


def test_a_name_nobody_knows_yet_is_saved_with_a_warning(run: Run) -> None:
    code, out, err = run("add", "hook", "webhook", "url=https://nobody.invalid/hook?key=s3cret")
    assert (code, "Added hook" in out) == (0, True)
    assert "Saved, but: The name nobody.invalid" in err
    assert "s3cret" not in out + err + run("list")[1]


def test_a_test_says_what_came_of_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(reply(200, b"ok")) as good, serve(reply(410)) as gone, serve(reply(503)) as busy:
        monkeypatch.setenv("FRAMEWATCH_ALLOW_NETWORKS", "127.0.0.1")
        for name, server in (("good", good), ("gone", gone), ("busy", busy)):
            assert run("add", name, "slack", f"url={server.url}/services/s3cret")[0] == 0
        code, out, _ = run("test", "good")
        assert (code, out) == (0, "Sent through good: slack took the test message. Look whether it is there.\n")
        assert "this is a test of good" in good.requests[0]
        code, out, _ = run("test", "good", "--json")
        told = json.loads(out)
        assert (code, told["channel"], told["kind"]) == (0, "good", "slack")
        assert told["message_id"].startswith("test.")
        assert run("test", "gone", "--json")[1] == ""
        code, _, err = run("test", "gone")
        assert code == 1
        assert "remove this channel. Until that is mended, no alert arrives there." in err
        code, _, busy_err = run("test", "busy")
        assert code == 1
        assert "answered 503 An alert would be tried again by itself." in busy_err
        assert "s3cret" not in err + busy_err
