"""HTTP/1.1 on a bare asyncio protocol: cheap enough for thousands of requests per second, and able to break.

A library's server would not reset a connection in the middle of a body. What is answered is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    method: str
    path: str
    head: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """A header's value, "" without it. ``name`` in lower case."""
        lowered = self.head.lower()
        start = lowered.find(b"\r\n" + name + b":")
        if start < 0:
            return ""
        start += len(name) + 3
        end = self.head.find(b"\r\n", start)
        return self.head[start : end if end >= 0 else None].strip().decode("latin-1")


@dataclass(slots=True)
class Answer:
    """What goes over the wire, and how it ends: keep, close, reset, hang, or drip (a byte per ``pace_s``)."""

    wire: bytes
    ending: str = "keep"
    delay_s: float = 0.0
    pace_s: float = 0.05


def response(status: int, body: bytes, headers: bytes = b"", content_type: bytes = b"application/json") -> bytes:
    """A whole response. ``headers``: further lines, each ending in CRLF."""
    return b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status,
        _REASONS.get(status, b"Status"),
        content_type,
        len(body),
        headers,
        body,
    )


class HttpProtocol(asyncio.Protocol):
    """One connection: requests one after the other, each given to ``handle``."""

    def __init__(self, handle: Callable[[Request], Answer]):
        self._handle = handle
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        while not self._busy and self._transport is not None:
            request = self._parsed()
            if request is None:
                return
            try:
                answer = self._handle(request)
            except Exception:  # a mistake in a test's answer function must be seen, not hang the client
                answer = Answer(response(500, traceback.format_exc().encode(), content_type=b"text/plain"))
            if answer.delay_s > 0 or answer.ending != "keep":
                self._busy = True
                self._timer = asyncio.get_running_loop().call_later(answer.delay_s, self._send, answer)
            else:
                self._transport.write(answer.wire)

    def _send(self, answer: Answer) -> None:
        if self._transport is None:
            return
        if answer.ending == "hang":
            return
        if answer.ending == "drip":
            self._drip(answer.wire, answer.pace_s)
            return
        self._transport.write(answer.wire)
        if answer.ending == "close":
            self._transport.close()
        elif answer.ending == "reset":
            # Lets what is written arrive, then ends with RST instead of FIN.
            self._timer = asyncio.get_running_loop().call_later(0.01 if answer.wire else 0, self._reset)
        else:
            self._busy = False
            self._next()

    def _reset(self) -> None:
        if self._transport is not None:
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()

    def _drip(self, left: bytes, pace_s: float) -> None:
        if self._transport is None or not left:
            return
        self._transport.write(left[:1])
        self._timer = asyncio.get_running_loop().call_later(pace_s, self._drip, left[1:], pace_s)

    def _parsed(self) -> Request | None:
        """The next whole request in the buffer; None while there is none."""
        buffer = self._buffer
        if not buffer[:1].isalpha() and buffer:
            # A TLS handshake, as to a server that was given the wrong scheme: an answer that is no TLS.
            self._busy = True
            self._send(Answer(response(400, b"This is plain HTTP."), "close"))
            return None
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = buffer[:end]
        lowered = head.lower()
        start = lowered.find(b"\r\ncontent-length:")
        if start >= 0:
            stop = lowered.find(b"\r\n", start + 2)
            length = int(lowered[start + 17 : stop if stop >= 0 else None])
            if len(buffer) < end + 4 + length:
                return None
            body, self._buffer = buffer[end + 4 : end + 4 + length], buffer[end + 4 + length :]
        elif b"\r\ntransfer-encoding: chunked" in lowered:
            unchunked = _unchunked(buffer, end + 4)
            if unchunked is None:
                return None
            body, self._buffer = unchunked
        else:
            body, self._buffer = b"", buffer[end + 4 :]
        method, path, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
        return Request(method, path, head, body)


def _unchunked(buffer: bytes, place: int) -> tuple[bytes, bytes] | None:
    """A chunked body and what follows it; None while it is not whole."""
    parts = []
    while True:
        end = buffer.find(b"\r\n", place)
        if end < 0:
            return None
        size = int(buffer[place:end].split(b";")[0], 16)
        place = end + 2 + size + 2
        if len(buffer) < place:
            return None
        if size == 0:
            return b"".join(parts), buffer[place:]
        parts.append(buffer[end + 2 : end + 2 + size])
