"""What a mail channel's config may hold, and how it is tidied."""

import pytest

from schemas.errors import PermanentError, Reason
from services.channels import check_config


def config(port, /, **more):
    base = {"to": "team@example.org", "sender": "watch@example.org", "host": "127.0.0.1", "security": "none"}
    return {**base, "port": port, **more}


@pytest.mark.parametrize("field", ["to", "sender"])
@pytest.mark.parametrize(
    "address",
    [
        "", "nobody", "a@b@c", "a@", "@b", "a b@example.org", "a@exa mple.org", "a@example.org>\r\nRCPT TO:<b@c.d",
        "x\r\nBcc: y <a@example.org>", "=?utf-8?q?x?= <a@example.org>", "ю@example.org", "a@пример.рф",
        "\ud800 <a@example.org>", "<script>@example.org", "a@example.org\x00",
    ],
)  # fmt: skip
def test_a_bad_address_is_refused_when_saved(field, address):
    with pytest.raises(PermanentError, match=f"mail channel: {field}: ") as caught:
        check_config("mail", {**config(25), field: address})
    assert caught.value.reason == Reason.BAD_CONFIG


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"to": []}, "to: "),
        ({"host": "mail host"}, "host: must be the name"),
        ({"host": "mail..example"}, "host: must be the name"),
        ({"host": "a\r\nb"}, "host: must be the name"),
        ({"port": 0}, "port: "),
        ({"port": 70000}, "port: "),
        ({"security": "maybe"}, "security: .*'starttls'"),
        ({"username": "watch"}, "username and password belong together"),
        ({"password": "hush"}, "username and password belong together"),
        ({"username": "watch", "password": "hüsh"}, "password: must be plain ASCII"),
        ({"username": "watch\r\n", "password": "hush\r\nQUIT"}, "password: must be plain ASCII"),
        ({"username": "watch", "password": "hush", "host": "mail.example"}, "security: must be starttls or tls"),
    ],
)
def test_a_bad_config_is_refused_when_saved(more, said):
    with pytest.raises(PermanentError, match=said) as caught:
        check_config("mail", config(25, **more))
    assert caught.value.reason == Reason.BAD_CONFIG
    assert "hush" not in str(caught.value)


def test_addresses_are_tidied():
    saved = check_config("mail", config(25, to="  a@example.org , Night shift <b@example.org>,, 'c'@example.org "))
    assert saved["to"] == ["a@example.org", "Night shift <b@example.org>", "'c'@example.org"]
    assert check_config("mail", config(25, to=saved["to"]))["to"] == saved["to"]
    assert check_config("mail", config(25, security="tls"))["security"] == "tls"


def test_encryption_is_the_default():
    saved = check_config("mail", {"to": "a@b.c", "sender": "a@b.c", "host": "mail.example"})
    assert saved["security"] == "starttls"
