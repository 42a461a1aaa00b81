"""A small Telegram server for the tests: MTProto 2.0 over TCP (full), for a client whose key it knows already.

Written from https://core.telegram.org/mtproto/description; Telethon's own types serve as the schema.
"""

import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from zlib import crc32

from telethon.crypto import AES, AuthKey
from telethon.extensions import BinaryReader
from telethon.sessions import StringSession
from telethon.tl import TLRequest
from telethon.tl.core import MessageContainer
from telethon.tl.types import RpcError

from tests.waiting import ended

KEY = AuthKey(bytes(range(256)))


def session(port: int) -> str:
    """A StringSession that leads a client here."""
    made = StringSession()
    made.set_dc(2, "127.0.0.1", port)
    made.auth_key = KEY
    return made.save()


def _keys(msg_key: bytes, *, to_client: bool) -> tuple[bytes, bytes]:
    x = 8 if to_client else 0
    a = sha256(msg_key + KEY.key[x : x + 36]).digest()
    b = sha256(KEY.key[x + 40 : x + 76] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:32], b[:8] + a[8:24] + b[24:32]


def _opened(packet: bytes):
    """Session id, message id and content of what a client sent."""
    plain = AES.decrypt_ige(packet[24:], *_keys(packet[8:24], to_client=False))
    _salt, session_id, msg_id, _seq, length = struct.unpack("<qqqii", plain[:32])
    return session_id, msg_id, BinaryReader(plain[32 : 32 + length]).tgread_object()


def _sealed(session_id: int, body: bytes, number: int) -> bytes:
    msg_id = (int(time.time()) << 32) | (number << 2) | 1
    plain = struct.pack("<qqqii", 0, session_id, msg_id, 2 * number + 1, len(body)) + body
    plain += b"\0" * (-(len(plain) + 12) % 16 + 12)
    msg_key = sha256(KEY.key[96:128] + plain).digest()[8:24]
    return struct.pack("<Q", KEY.key_id) + msg_key + AES.encrypt_ige(plain, *_keys(msg_key, to_client=True))


def _requests(msg_id: int, content):
    """Every request in a message, out of its wrappings."""
    if isinstance(content, MessageContainer):
        for message in content.messages:
            yield from _requests(message.msg_id, message.obj)
        return
    while hasattr(content, "query") and content.query is not None:
        content = content.query
    if isinstance(content, TLRequest):  # and not an acknowledgement
        yield msg_id, content


@contextmanager
def telegram(answer):
    """A server that gives `answer(request)`, bytes of a TL object, to each request; yields its port and what was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[str] = []

    def talk(stream: socket.socket) -> None:
        sent = 0
        with stream, suppress(OSError, struct.error):
            stream.settimeout(10)
            while head := _exactly(stream, 8):
                packet = _exactly(stream, struct.unpack("<i", head[:4])[0] - 8)[:-4]
                session_id, msg_id, content = _opened(packet)
                for number, request in _requests(msg_id, content):
                    asked.append(type(request).__name__)
                    body = struct.pack("<Iq", 0xF35C6D01, number) + answer(request)  # rpc_result
                    data = _sealed(session_id, body, sent)
                    framed = struct.pack("<ii", len(data) + 12, sent) + data
                    stream.sendall(framed + struct.pack("<I", crc32(framed)))
                    sent += 1

    def accept() -> None:
        with suppress(OSError):
            while True:
                stream, _ = listener.accept()
                threading.Thread(target=talk, args=(stream,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        ended(thread)


def _exactly(stream: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            return b""
        data += piece
    return data


def rpc_error(code: int, words: str) -> bytes:
    """A refusal as Telegram words it."""
    return bytes(RpcError(code, words))
