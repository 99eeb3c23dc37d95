"""HTTP byte for byte on one connection, for what no client library sends."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Wire:
    """A connection that stays open from one request to the next; what is sent goes out as it is."""

    def __init__(self, base: str, timeout: float = 20) -> None:
        self._host = urlsplit(base)
        self.connection = socket.create_connection((self._host.hostname, self._host.port), timeout=timeout)
        self._file = self.connection.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self.connection.close()

    def send(self, head: str, body: bytes = b"", length: int | None = None) -> None:
        """A request line with headers, a character a byte, and a body whose Content-Length is `length`."""
        declared = len(body) if length is None else length
        lines = f"{head}\r\nHost: {self._host.netloc}\r\nContent-Length: {declared}\r\n\r\n"
        self.connection.sendall(lines.encode("latin-1") + body)

    def ask(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        """The answer to a request: status, headers, body."""
        self.send(head, body)
        return self.receive()

    def receive(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer; raises ConnectionError when the other side has closed instead."""
        line = self._file.readline()
        if not line:
            raise ConnectionResetError("closed without an answer")
        headers: dict[str, str] = {}
        while (entry := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = entry.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers, self._body(headers)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._file.read(int(headers.get("content-length", 0)))
        parts = []
        while size := int(self._file.readline(), 16):
            parts.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return b"".join(parts)
