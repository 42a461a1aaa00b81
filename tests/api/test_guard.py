"""Who may read what: the token, the hosts of an open house, and a start that would stand open to others."""

import pytest
from starlette.testclient import TestClient

from schemas.errors import PermanentError, Reason
from services import serve
from services.settings import Settings

TOKEN = "a-long-secret-ключ"
RIGHT = b"Bearer " + TOKEN.encode()
WRONG = [
    None,
    b"",
    b"Bearer",
    b"Bearer ",
    b"Bearer wrong",
    RIGHT + b"x",
    RIGHT[:-1],
    TOKEN.encode(),
    b"Basic " + TOKEN.encode(),
    b"\xff\xfe",
]
PATHS = ["/api/v1/frames", "/api/v1/openapi.json", "/api/v1/nothing", "/api"]


@pytest.fixture(scope="module")
def guarded(palmyra):
    with TestClient(serve.create_app(Settings(database_url=palmyra, api_token=TOKEN, api_host="0.0.0.0"))) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("given", WRONG)
def test_a_wrong_token_is_401_everywhere(guarded, path, given):
    answer = guarded.get(path, headers={} if given is None else {b"Authorization": given})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["status"] == 401
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer "])
def test_the_right_token_opens(guarded, scheme):
    headers = {b"Authorization": scheme + TOKEN.encode()}
    assert guarded.get("/api/v1/frames", headers=headers).status_code == 200
    assert guarded.get("/api/v1/nothing", headers=headers).status_code == 404


def test_probes_need_no_token(guarded):
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "", "example.org", "localhost.example.org"])
def test_open_to_others_without_a_token_does_not_start(host):
    with pytest.raises(PermanentError) as caught:
        serve.create_app(Settings(database_url="postgresql://nowhere/x", api_host=host))
    assert caught.value.reason is Reason.BAD_CONFIG
    assert "FRAMEWATCH_API_TOKEN" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8787", 200), ("localhost", 200), ("[::1]:9", 200), ("console.example.org", 200),
        ("evil.example.com", 421), ("127.0.0.1.evil.example.com", 421), ("", 421), ("[", 421), ("[::1", 421),
    ],
)  # fmt: skip
def test_an_open_house_answers_only_under_its_own_names(palmyra, host, status):
    conf = Settings(database_url=palmyra, public_url="https://console.example.org/")
    with TestClient(serve.create_app(conf), base_url="http://127.0.0.1") as client:
        assert client.get("/healthz", headers={"Host": host}).status_code == status
