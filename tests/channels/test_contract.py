"""What every kind of channel must do, whatever it carries notices with."""

import json
import logging
import traceback
from dataclasses import replace

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from schemas.records import Notice
from services.channels import CHANNELS, channel_for, check_config, redact
from tests.channels.conftest import RIGS
from tests.channels.notices import NOTICES, SENT_AT, alert_data, digest_data, post

URL = "https://watch.example/"
ODD = "<script>alert(1)</script>\r\nBcc: all@example.org\r\n=HYPERLINK %0d%0a ‮עברית 😀\x00 \ud800 end"


def channel(rig, kind, **more):
    return channel_for(kind, rig.config | more, rig.poster, public_url=URL)


def send(rig, kind, notice, **more):
    channel(rig, kind, **more).send(notice, sent_at=SENT_AT)


def test_every_kind_has_a_rig():
    assert set(RIGS) == set(CHANNELS)


@pytest.mark.parametrize("what", sorted(NOTICES))
def test_hands_every_kind_of_notice_over(rig, kind, what):
    send(rig, kind, NOTICES[what])
    assert len(rig.texts()) == 1
    words = {"alert": "Staged theatrics", "digest": "Россия винит США", "test": "team"}
    assert words[what] in rig.texts()[0]


def test_a_repeat_carries_the_same_id(rig, kind):
    rig.says("later")
    with pytest.raises(TransientError):
        send(rig, kind, NOTICES["alert"])
    rig.says("ok")
    send(rig, kind, NOTICES["alert"])
    send(rig, kind, replace(NOTICES["alert"], message_id="another"))
    first, second, other = rig.ids()
    assert first == second != other
    assert "n-alert-1" in first


def test_later_is_transient_and_never_is_permanent(rig, kind):
    rig.says("later")
    with pytest.raises(TransientError) as later:
        send(rig, kind, NOTICES["digest"])
    rig.says("never")
    with pytest.raises(PermanentError) as never:
        send(rig, kind, NOTICES["digest"])
    assert (later.value.reason, never.value.reason) == (Reason.SERVER_ERROR, Reason.REFUSED)


def test_nobody_there_is_transient(rig, kind):
    with pytest.raises(TransientError) as caught:
        send(rig, kind, NOTICES["test"], **rig.nobody)
    assert caught.value.reason == Reason.UNREACHABLE


def test_silence_is_a_timeout(rig, kind):
    with pytest.raises(TransientError) as caught:
        send(rig, kind, NOTICES["test"], **rig.silent)
    assert caught.value.reason == Reason.TIMEOUT


@pytest.mark.parametrize("what", ["alert", "digest", "test"])
def test_odd_text_arrives_as_text(rig, kind, what):
    strange = post(9, ODD, author=ODD, url="javascript:alert(1)", lang=ODD, source=ODD)
    frame = {"id": "x", "title": ODD, "description": ODD}
    data = {
        "alert": alert_data(
            frame=frame, reason=ODD, first_carriers=[strange], typical=[{**strange, "score": 0.5}],
            links=[{"url": ODD, "posts": 1}], alert_id=ODD, rule=ODD, model=ODD,
        ),
        "digest": digest_data(digest=ODD, gaps=[{"feed": ODD, "from": ODD, "until": ODD}]),
        "test": {"channel": ODD},
    }[what]  # fmt: skip
    send(rig, kind, Notice(ODD, what, ODD, data))
    send(rig, kind, Notice(ODD, what, ODD, data))
    assert "\ufffd" in rig.texts()[0]
    assert rig.ids()[0] == rig.ids()[1]
    assert rig.ids()[0].isascii()
    assert rig.ids()[0].isprintable()


def test_secrets_stay_out_of_errors_reprs_and_logs(rig, kind, caplog):
    caplog.set_level(logging.DEBUG, logger="services")
    said = [repr(channel(rig, kind)), repr(channel(rig, kind).__dict__), str(redact(kind, rig.config))]
    for config in (rig.nobody, rig.silent):
        with pytest.raises(TransientError) as caught:
            send(rig, kind, NOTICES["test"], **config)
        said += ["".join(traceback.format_exception(caught.value)), repr(caught.value.args)]
    for how in ("later", "never"):
        rig.says(how)
        with pytest.raises((TransientError, PermanentError)) as caught:
            send(rig, kind, NOTICES["test"])
        said += ["".join(traceback.format_exception(caught.value)), repr(caught.value.args)]
    said += [record.getMessage() for record in caplog.records if record.name.startswith("services")]
    assert [secret for secret in rig.secrets if any(secret in text for text in said)] == []


def test_a_checked_config_is_json_and_checks_again(rig, kind):
    saved = check_config(kind, rig.config)
    assert check_config(kind, json.loads(json.dumps(saved))) == saved
    assert set(rig.config) <= set(saved)
    channel_for(kind, saved, rig.poster, public_url="")


def test_what_is_wrong_with_a_config_is_named_without_its_values(rig, kind):
    names = list(check_config(kind, rig.config))
    for name in names:
        wrong = {"nested": rig.secrets[0]}
        with pytest.raises(PermanentError) as caught:
            check_config(kind, {**rig.config, name: wrong})
        assert caught.value.reason == Reason.BAD_CONFIG
        assert name in str(caught.value)
        assert rig.secrets[0] not in "".join(traceback.format_exception(caught.value))


def test_unknown_keys_are_refused_and_the_known_ones_named(rig, kind):
    with pytest.raises(PermanentError, match=f"colour is not a field; known are: .*{next(iter(rig.config))}"):
        check_config(kind, {**rig.config, "colour": "red"})
    with pytest.raises(PermanentError) as caught:
        check_config(kind, {**rig.config, f"x {rig.secrets[0]}": "red"})
    assert rig.secrets[0] not in str(caught.value)


def test_a_missing_field_is_named(rig, kind):
    with pytest.raises(PermanentError, match=" is missing"):
        check_config(kind, {})


def test_redacting_hides_secrets_and_what_it_does_not_know(rig, kind):
    shown = redact(kind, {**rig.config, "pasword": rig.secrets[0]})
    assert set(shown) == {*rig.config, "pasword"}
    assert not any(secret in str(shown) for secret in rig.secrets)
    assert redact("pigeon", {"loft": "x"}) == {"loft": "***"}


def test_an_unknown_kind_is_named():
    with pytest.raises(PermanentError, match="'pigeon' is not a kind of channel; known are: mail, webhook") as caught:
        check_config("pigeon", {})
    assert caught.value.reason == Reason.UNKNOWN_KIND
