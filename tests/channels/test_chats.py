"""What each chat is sent: text that stays text, nobody called, nothing linked but our own page, inside its limits."""

import html
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from schemas.errors import PermanentError, Reason
from schemas.records import Notice
from services.channels import channel_for, check_config, wording
from services.channels.brief import brief
from tests.channels.conftest import fetcher, free_port
from tests.channels.kits import KITS
from tests.channels.notices import NOTICES, SENT_AT, alert_data, digest_data, post

URL = "https://watch.example/"
MARKUP = (
    "<!channel> <@U123> <https://evil.example|bank> @here @everyone @channel @all *b* _i_ ~s~ `c` **bb** [x](http://e.example) "
    "![i](http://e.example/p.png) ||spoiler|| :smile: # h <b>x</b> {{DATE(2020)}} ${x} &lt;!here&gt; www.evil.example <at>you</at>"
)
CHATS = sorted(set(KITS) - {"mail", "webhook", "alertmanager", "apprise"})


def sent(kind, receiver, notice, **config):
    given = KITS[kind].config(receiver.base) | config
    channel_for(kind, given, fetcher(), public_url=URL).send(notice, sent_at=SENT_AT)
    return receiver.asked[-1]


def hostile(**more):
    frame = {"id": "x", "title": MARKUP, "description": MARKUP}
    data = alert_data(
        frame=frame, reason=MARKUP, typical=[post(1, MARKUP + "\n# head\n> quote\n- item\n1. one")], **more
    )
    return Notice("n-1", "alert", MARKUP, data)


@pytest.mark.parametrize("kind", CHATS)
def test_nobody_is_called_and_no_site_of_others_is_linked(receiver, kind):
    got = sent(kind, receiver, hostile())
    raw = got.body.decode()
    assert "@here" not in raw
    assert "@everyone" not in raw
    assert "http://e.example" not in raw
    assert "www.evil.example" not in raw
    assert "watch.example/alerts/a1b2c3" in raw
    assert "evil[.]example" in KITS[kind].text(got)


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (alert_data(), ["Burst", "Staged theatrics", "41 voices in 2 hours", "58 posts", "6.2 were expected", "99.6%", "nothing more"]),
        (alert_data(state="escalated", escalation={"why": "30 more voices joined"}), ["Burst has grown", "Told again because 30 more"]),
        (alert_data(state="resolved"), ["Burst over", ", over"]),
        ({"kind": "outage", "state": "firing", "alert_id": "o", "rule": "outage", "reason": "No answer for 3 h.",
          "frame": {"id": "f", "title": "Al-Masdar"}, "onset": "2016-12-11T14:00:00Z", "until": "2016-12-11T17:00:00Z"},
         ["Outage", "Al-Masdar", "No answer for 3 h.", "2016-12-11 14:00 UTC"]),
        (alert_data(kind="gap", state="resolved"), ["Gap over", ", over"]),
        (alert_data(kind="coordinated"), ["One text, many authors", "37 authors"]),
        (alert_data(together=[{**alert_data(reason=f"Reason {n}"), "message_id": f"m{n}"} for n in range(9)]),
         ["Also: Reason 0", "Also: Reason 5", "and 3 more alerts"]),
    ],
)  # fmt: skip
def test_every_kind_of_alert_has_its_words(receiver, kind, data, words):
    text = KITS[kind].text(sent(kind, receiver, Notice("n", "alert", "s", data)))
    assert [word for word in words if word not in text.replace("[.]", ".")] == []


@pytest.mark.parametrize("kind", CHATS)
def test_a_digest_and_a_test_have_theirs(receiver, kind):
    got = KITS[kind].text(
        sent(kind, receiver, Notice("n", "digest", "s", digest_data(frames=digest_data()["frames"] * 30)))
    )
    for word in (
        "Morning digest",
        "2,480 posts, of which 512",
        "97%",
        "300 posts, 12%",
        "Alert goes on: Staged theatrics, since",
        "and 48 more",
    ):
        assert word in got
    assert "this is a test of team" in KITS[kind].text(sent(kind, receiver, NOTICES["test"]))


def test_slack_gets_three_characters_escaped_and_markdown_off(receiver):
    body = sent("slack", receiver, hostile()).json
    (attachment,) = body["attachments"]
    assert (body["mrkdwn"], attachment["mrkdwn_in"], body["unfurl_links"]) == (False, [], False)
    assert re.findall("<[^>]*>", body["text"] + attachment["text"]) == ["<https://watch.example/alerts/a1b2c3>"]
    assert "&lt;!channel&gt;" in body["text"]
    assert "&amp;lt;" in attachment["text"]
    assert attachment["color"] == "#9f2d20"


def test_discord_may_call_nobody_and_stays_inside_its_limits(receiver):
    long = Notice(
        "n",
        "alert",
        "s",
        alert_data(
            reason="*" * 5000, frame={"id": "x", "title": "_" * 900}, typical=[post(n, "~" * 999) for n in range(9)]
        ),
    )
    got = sent("discord", receiver, long)
    (embed,) = got.json["embeds"]
    assert got.json["allowed_mentions"] == {"parse": []}
    assert len(embed["title"]) <= 256
    assert len(embed["description"]) <= 4096
    assert not re.search(r"(?<!\\)(\\\\)*\\$", embed["title"])
    assert embed["color"] == 0x9F2D20
    assert embed["url"] == "https://watch.example/alerts/a1b2c3"
    assert (
        sent("discord", receiver, NOTICES["test"], url=receiver.base + "/x?thread_id=7").path
        == "/x?thread_id=7&wait=true"
    )


def test_teams_gets_text_runs_only(receiver):
    (card,) = sent("teams", receiver, hostile()).json["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert {block["type"] for block in card["content"]["body"]} == {"RichTextBlock"}
    assert {run["type"] for block in card["content"]["body"] for run in block["inlines"]} == {"TextRun"}
    assert "{{" not in str([run["text"] for block in card["content"]["body"] for run in block["inlines"]])
    assert [action["url"] for action in card["content"]["actions"]] == ["https://watch.example/alerts/a1b2c3"]


def test_ntfy_gets_plain_text_below_its_limit(receiver):
    rtl = "مسرحية متفق عليها " * 60
    notice = Notice("a.b", "alert", "s", alert_data(reason=rtl, typical=[post(n, rtl) for n in range(3)]))
    got = sent("ntfy", receiver, notice)
    assert len(got.json["message"].encode()) <= 4096
    assert got.headers["authorization"] == "Bearer tk_s3cretToken"
    assert (got.json["topic"], got.json["priority"]) == ("s3cret-topic", 4)
    assert got.json["click"] == "https://watch.example/alerts/a1b2c3"
    assert re.fullmatch("[-_A-Za-z0-9]{1,64}", got.json["sequence_id"])
    assert "markdown" not in got.json
    assert sent("ntfy", receiver, NOTICES["digest"]).json["priority"] == 3


def test_telegram_reads_no_markup_and_counts_as_we_do(receiver):
    emoji = "😀" * 3000
    notice = Notice("n", "alert", "s", alert_data(reason=emoji, typical=[post(n, emoji) for n in range(3)]))
    got = sent("telegram", receiver, notice).json
    assert len(got["text"].encode("utf-16-le")) // 2 <= 4096
    assert "parse_mode" not in got
    assert got["link_preview_options"] == {"is_disabled": True}
    assert got["chat_id"] == "-1001234567890"


def test_matrix_makes_one_event_of_every_try(receiver):
    first = sent("matrix", receiver, NOTICES["alert"])
    assert (first.method, first.headers["authorization"]) == ("PUT", "Bearer syt_s3cret_token")
    assert first.path.endswith("/m.room.message/n-alert-1")
    assert first.json["m.mentions"] == {}
    assert "formatted_body" not in first.json
    assert (first.json["msgtype"], sent("matrix", receiver, NOTICES["digest"]).json["msgtype"]) == (
        "m.text",
        "m.notice",
    )


@pytest.mark.parametrize(
    ("kind", "answer", "wait"),
    [
        ("telegram", b'{"ok":false,"error_code":429,"parameters":{"retry_after":35}}', 35),
        ("discord", b'{"message":"You are being rate limited.","retry_after":64.57,"global":false}', 64.57),
        ("matrix", b'{"errcode":"M_LIMIT_EXCEEDED","error":"Too many","retry_after_ms":2000}', 2),
        ("slack", b'{"retry_after": 1e300}', 86400),
        ("slack", b'{"retry_after": NaN}', None),
        ("slack", b'{"retry_after": -4, "parameters": 5}', None),
        ("slack", b'{"retry_after": "soon", "retry_after_ms": [1]}', None),
    ],
)
def test_a_wait_may_stand_in_the_body(receiver, kind, answer, wait):
    receiver.status, receiver.answer = 429, lambda got: answer
    with pytest.raises(Exception, match="429") as caught:
        sent(kind, receiver, NOTICES["test"])
    assert (caught.value.retry_after and caught.value.retry_after.total_seconds()) == wait


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        ("slack", {"url": "hooks.slack.com/x"}, "url: must be http"),
        ("telegram", {"token": "hush"}, "token: must be what @BotFather gave you"),
        ("telegram", {"chat": "my chat"}, "chat: must be the number"),
        ("ntfy", {"topic": "a/b"}, "topic: must be the topic alone"),
        ("matrix", {"room": "#lobby:example.org"}, "room: must be the room's own id"),
        ("matrix", {"token": ""}, "token: must be an access token"),
        ("alertmanager", {"token": "a b\r\nX: y"}, "token: must be plain ASCII"),
    ],
)
def test_what_is_missing_is_named_when_saved(kind, wrong, named):
    with pytest.raises(PermanentError, match=re.escape(named)) as caught:
        check_config(kind, KITS[kind].config("http://127.0.0.1:1") | wrong)
    assert "hush" not in str(caught.value)


def shown(markdown):
    page = MarkdownIt("commonmark", {"linkify": False}).enable("strikethrough").render(markdown)
    text = re.sub(r"<p>|</p>|<br ?/>", "", page)
    assert "<" not in text, page
    return html.unescape(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab1 \n\\`*_{}[]()#+-.!|~<>:&@=/\"'?$%,"), max_size=60))
def test_no_markdown_survives(text):
    text = "\n".join(row.strip() for row in text.splitlines() if row.strip())
    assert shown(wording.no_markdown(text)).split() == text.split()


@pytest.mark.parametrize(
    ("text", "tamed"),
    [("a@b", "a@\u200bb"), ("evil.example/x", "evil[.]example/x"), ("6.2 of 3.14", "6.2 of 3.14"), ("e.g. x", "e.g. x"),
     ("президент.рф", "президент[.]рф"), ("end. Next", "end. Next")],
)  # fmt: skip
def test_tame(text, tamed):
    assert wording.tame(text) == tamed


def test_a_brief_gives_up_posts_before_our_words():
    told = brief(NOTICES["alert"], URL)
    assert "nothing more" in told.text()
    short = told.text(limit=400)
    assert "nothing more" not in short
    assert "41 voices" in short
    assert short.endswith("Message n-alert-1")
    assert len(told.text(limit=200)) <= 260


def test_apprise_is_only_asked_for_services_whose_way_out_is_ours(receiver):
    pytest.importorskip("apprise")
    from services.channels import apprise

    plugins = apprise._plugins()
    for scheme, plugin in plugins.items():
        names = vars(__import__(plugin.__module__, fromlist=["x"]))
        assert isinstance(names["requests"], apprise._Requests), scheme
        assert not {"socket", "smtplib", "subprocess", "urllib", "httpx", "aiohttp", "websocket", "OAuth1"} & set(names)
    for url in ("mailto://u:p4ss@example.org", "syslog://", "json://127.0.0.1/", "exec://ls", "gotify://"):
        with pytest.raises(PermanentError, match="url: ") as caught:
            check_config("apprise", {"url": url})
        assert caught.value.reason == Reason.BAD_CONFIG
        assert "p4ss" not in str(caught.value)


def test_apprise_asks_nothing_when_it_cannot_be_reached():
    pytest.importorskip("apprise")
    config = {"url": f"gotify://127.0.0.1:{free_port()}/s3cret-token-x"}
    with pytest.raises(Exception, match="unreachable"):
        channel_for("apprise", config, fetcher(), public_url="").send(NOTICES["test"], sent_at=SENT_AT)


def test_without_apprise_the_way_to_get_it_is_named(monkeypatch):
    from services.channels import apprise

    apprise._plugins.cache_clear()
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(PermanentError, match=r"pip install 'framewatch\[apprise\]'") as caught:
        check_config("apprise", {"url": "gotify://push.example/s3cret-token-x"})
    assert "s3cret" not in str(caught.value)
    apprise._plugins.cache_clear()
