"""Jetstream's frames: read, sorted out and made into pages, a second on one core, beside nothing but json.loads."""

import json
import statistics
import sys
import threading
import time
from pathlib import Path

from websockets.sync.server import serve

from services.fetch import Fetcher
from services.sources.bluesky.address import matcher
from services.sources.bluesky.events import Batch, Wanted, read_frame

GOAL = 5_000
"""Events a second; all of Bluesky's posts, deletes and accounts are some hundreds."""
FRAMES = 20_000
ROUNDS = 7
WORDS = [f"слово{n}" for n in range(10)] + [f"word{n}" for n in range(10)]


def own_frames():
    """Frames of version 2 as its lexicon words them, with texts of the usual length; for want of recorded ones."""
    for n in range(FRAMES):
        record = {
            "$type": "app.bsky.feed.post",
            "createdAt": "2026-11-22T12:00:00.000Z",
            "langs": ["en"],
            "text": f"Post number {n} says what posts say, and Ψ of it. " * (1 + n % 5),
            "facets": [{"features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "x"}], "index": {"byteEnd": 9}}],
            "reply": {"root": {"cid": "b" * 59, "uri": f"at://did:plc:{n:024}/app.bsky.feed.post/3k"}},
        }
        payload = {
            "$type": "network.bsky.jetstream.subscribeEvents#commit",
            "seq": n,
            "did": f"did:plc:{n % 999:024}",
            "time": "2026-11-22T12:00:00.123456Z",
            "rev": "3l3qo2vutsw2b",
            "operation": "delete" if n % 10 == 9 else "create",
            "rkey": f"3l3q{n}",
            "collection": "app.bsky.feed.post",
            "cid": "b" * 59,
        }
        if n % 10 != 9:
            payload["record"] = record
        yield json.dumps({"$type": "message", "payload": payload}, ensure_ascii=False)


def recorded_frames(path):
    """The frames of a file, one a line, as often as it takes."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return (lines * (FRAMES // len(lines) + 1))[:FRAMES]


def plain(frames):
    for frame in frames:
        json.loads(frame)


def paged(frames, wanted):
    batch, found = Batch(wanted), 0
    for frame in frames:
        batch.add(read_frame(frame))
        if len(batch) >= 500:
            found += len(batch.posts)
            batch = Batch(wanted)
    return found + len(batch.posts)


def rates(frames, ways):
    """Events a second of processor time: the median of rounds in which every way has its turn."""
    measured = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begun = time.process_time()
            way(frames)
            measured[name].append(len(frames) / (time.process_time() - begun))
    return {name: statistics.median(values) for name, values in measured.items()}


def over_the_wire(frames, wanted):
    """Events a second of our processor time, through a real WebSocket; the server is a process of its own."""
    import multiprocessing

    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(frames, theirs), daemon=True)
    process.start()
    port = mine.recv()
    batch, count = Batch(wanted), 0
    with Fetcher(allow_networks=f"127.0.0.1:{port}").websocket(f"ws://127.0.0.1:{port}") as stream:
        begun, clock = time.process_time(), time.monotonic()
        while count < len(frames) and (frame := stream.receive(10)) is not None:
            batch.add(read_frame(frame))
            count += 1
            if len(batch) >= 500:
                batch = Batch(wanted)
        spent, waited = time.process_time() - begun, time.monotonic() - clock
    process.terminate()
    return count / spent, count / waited


def _serve(frames, pipe):
    def talk(connection):
        for frame in frames:
            connection.send(frame)
        for _ in connection:
            pass

    with serve(talk, "127.0.0.1", 0, compression=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        pipe.send(server.socket.getsockname()[1])
        pipe.recv()


def show(name, frames):
    size = sum(len(f.encode()) for f in frames) / len(frames)
    print(f"{name}: {len(frames):,} frames of {size:,.0f} bytes; the median of {ROUNDS} rounds side by side")
    words = Wanted(words=matcher(WORDS))
    everything = rates(
        frames,
        {
            "json.loads alone": plain,
            "pages of all posts": lambda f: paged(f, Wanted()),
            f"pages of posts with one of {len(WORDS)} words": lambda f: paged(f, words),
        },
    )
    for way, rate in everything.items():
        print(f"  {way:40} {rate:10,.0f}/s  {rate / everything['json.loads alone']:5.2f} × json.loads")
    for label, wanted in (("all posts", Wanted()), ("words", words)):
        spent, waited = over_the_wire(frames, wanted)
        verdict = "reached" if spent >= GOAL else "missed"
        print(
            f"  through a WebSocket, {label:20} {spent:10,.0f}/s of processor time (goal {GOAL:,}: {verdict}), {waited:,.0f}/s by the clock"
        )


if __name__ == "__main__":
    show("worded here", [*own_frames()])
    for path in sys.argv[1:]:
        show(path, recorded_frames(path))
