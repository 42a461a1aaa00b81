"""Nostr relays for the tests: a small one whose manners can be chosen, and the real one of nostr-sdk."""

import asyncio
import json
from contextlib import contextmanager

from websockets.sync.client import connect

from tests.fetch.sockets import serve_sockets


def matches(event, wanted):
    tags = {tag[1] for tag in event["tags"] if tag[0] == "t"}
    return (
        event["kind"] in wanted["kinds"]
        and wanted.get("since", 0) <= event["created_at"] <= wanted.get("until", 1 << 62)
        and ("authors" not in wanted or event["pubkey"] in wanted["authors"])
        and ("#t" not in wanted or not tags.isdisjoint(wanted["#t"]))
    )


@contextmanager
def small_relay(events, most=500, live=()):
    """A relay that keeps to NIP-01, gives at most `most` events a filter, and sends `live` behind a second EOSE.

    `.questions` are the filters it was asked.
    """
    questions = []

    def talk(connection):
        for frame in connection:
            message = json.loads(frame)
            if message[0] != "REQ":
                continue
            questions.append(message[2:])
            for wanted in message[2:]:
                found = sorted((e for e in events if matches(e, wanted)), key=lambda e: -e["created_at"])
                for event in found[: min(most, wanted["limit"])]:
                    connection.send(json.dumps(["EVENT", message[1], event]))
            connection.send(json.dumps(["EOSE", message[1]]))
            if len(message) > 3:
                for event in live:
                    connection.send(json.dumps(["EVENT", message[1], event]))

    with serve_sockets(talk) as server:
        server.questions = questions
        yield server


def saying(*frames):
    """A relay that answers every question with these frames (`SUB` stands for the question's name), and waits."""

    def talk(connection):
        for received in connection:
            message = json.loads(received)
            if message[0] == "REQ":
                for frame in frames:
                    told = frame if isinstance(frame, bytes | str) else json.dumps(frame)
                    connection.send(told.replace("SUB", message[1]) if isinstance(told, str) else told)

    return serve_sockets(talk)


class RealRelay:
    """The relay of rust-nostr, running in this process."""

    def __init__(self, url):
        self.url = url
        self.allowed = url.removeprefix("ws://").rstrip("/")

    def publish(self, *events):
        """Publish events; the relay's answers, in order."""
        with connect(self.url) as socket:
            for event in events:
                socket.send(json.dumps(["EVENT", event]))
            return [json.loads(socket.recv(10))[2:] for _ in events]


@contextmanager
def real_relay(sdk, *, most=500, members_only=False):
    builder = sdk.LocalRelayBuilder().addr("127.0.0.1").max_filter_limit(most)
    builder = builder.rate_limit(sdk.RateLimit(max_reqs=100_000, notes_per_minute=100_000))
    if members_only:
        builder = builder.nip42(sdk.LocalRelayBuilderNip42(mode=sdk.LocalRelayBuilderNip42Mode.READ))
    relay = builder.build()

    async def start():
        await relay.run()
        return str(await relay.url())

    try:
        yield RealRelay(asyncio.run(start()))
    finally:
        relay.shutdown()
