"""Hubs: asked once, confirmed, renewed; what they tell has the feed fetched."""

import hmac
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs

import pytest
from fastapi.testclient import TestClient

from services.api import create_api
from services.sources.rss import websub as words
from tests.stages.conftest import World, page, post
from workers.runtime import Hubs
from workers.stages.collect import collect
from workers.stages.subscribe import subscribe

HUB = {"hub": "https://hub.example.org/", "topic": "https://example.org/feed"}


class Hub:
    """A hub that remembers what it was asked."""

    def __init__(self, status: int = 202) -> None:
        self.asked: list[dict[str, str]] = []
        self.status = status

    def means(self) -> Hubs:
        made = iter(f"word-{n}" for n in range(100))

        def request(topic: str, token: str, secret: str) -> bytes:
            callback = f"https://here.example.org/websub/{token}"
            return words.request_body("subscribe", topic=topic, callback=callback, secret=secret)

        def asked(address: str, body: bytes, headers: object) -> int:
            assert address == HUB["hub"]
            self.asked.append({name: value[0] for name, value in parse_qs(body.decode()).items()})
            return self.status

        return Hubs(request, asked, lambda: next(made))

    def token(self) -> str:
        return self.asked[-1]["hub.callback"].rpartition("/")[2]


@pytest.fixture
def fed(world: World) -> World:
    world.add_feed()
    world.due()
    world.source.pages = [page(post(1), cursor=HUB)]
    collect(world.rt)
    return world


def web(world: World) -> TestClient:
    return TestClient(create_api(world.store, now=world.clock, intake=lambda: world.rt.intake, token="t0ken"))


def question(hub: Hub, **changes: str) -> dict[str, str]:
    asked = {"hub.mode": "subscribe", "hub.topic": HUB["topic"], "hub.challenge": "c-1", "hub.lease_seconds": "86400"}
    return asked | {f"hub.{k}": v for k, v in changes.items()}


def confirmed(world: World) -> tuple[Hub, TestClient]:
    hub, client = Hub(), web(world)
    assert subscribe(replace(world.rt, hubs=hub.means())).rows == 1
    answer = client.get(f"/websub/{hub.token()}", params=question(hub))
    assert (answer.status_code, answer.text) == (200, "c-1")
    return hub, client


def test_a_hub_is_asked_once_and_again_before_its_promise_ends(fed: World) -> None:
    hub, _ = confirmed(fed)
    rt = replace(fed.rt, hubs=hub.means())
    assert subscribe(rt).rows == 0
    fed.clock.forward(hours=19)
    assert subscribe(rt).rows == 0
    fed.clock.forward(hours=1)
    assert subscribe(rt).rows == 1
    assert hub.asked[0] == hub.asked[1], "the same callback and secret"


def test_without_a_public_address_nobody_is_asked(fed: World) -> None:
    assert subscribe(fed.rt).rows == 0


def test_a_hub_that_does_not_confirm_is_asked_less_and_less(fed: World) -> None:
    hub = Hub(status=500)
    rt = replace(fed.rt, hubs=hub.means())
    waits = []
    for _ in range(3):
        assert subscribe(rt).failures == 1
        waits.append(fed.one("select ask_at from websub") - fed.clock())
        fed.clock.at = fed.one("select ask_at from websub")
    assert waits == [timedelta(hours=n) for n in (1, 2, 4)]


@pytest.mark.parametrize(
    "changes", [{"topic": "https://example.org/other"}, {"mode": "unsubscribe"}, {"challenge": ""}]
)
def test_a_question_about_what_we_did_not_ask_is_not_found(fed: World, changes: dict[str, str]) -> None:
    hub = Hub()
    subscribe(replace(fed.rt, hubs=hub.means()))
    assert web(fed).get(f"/websub/{hub.token()}", params=question(hub, **changes)).status_code == 404
    assert fed.one("select state from websub") == "asked"


def test_news_that_is_signed_has_the_feed_fetched_and_other_news_does_not(fed: World) -> None:
    hub, client = confirmed(fed)
    fed.rows("update feeds set next_fetch_at = now() + interval '9 hours' returning 1")
    before = fed.one("select next_fetch_at from feeds")
    for signature in ("", "sha256=" + "0" * 64):
        answer = client.post(f"/websub/{hub.token()}", content=b"<rss/>", headers={"X-Hub-Signature": signature})
        assert answer.status_code == 202
    assert fed.one("select next_fetch_at from feeds") == before
    right = hmac.new(hub.asked[-1]["hub.secret"].encode(), b"<rss/>", sha256).hexdigest()
    client.post(f"/websub/{hub.token()}", content=b"<rss/>", headers={"X-Hub-Signature": f"sha256={right}"})
    assert fed.one("select next_fetch_at from feeds") == fed.clock()


def test_a_word_that_was_never_given_is_not_found(fed: World) -> None:
    client = web(fed)
    assert client.get("/websub/guess", params=question(Hub())).status_code == 404
    assert client.post("/websub/guess", content=b"x").status_code == 404


def test_a_hub_that_refuses_is_left_alone_for_a_day(fed: World) -> None:
    hub, client = confirmed(fed)
    client.get(f"/websub/{hub.token()}", params={"hub.mode": "denied", "hub.topic": HUB["topic"]})
    assert fed.one("select state from websub") == "denied"
    assert fed.one("select ask_at from websub") == fed.clock() + timedelta(days=1)
