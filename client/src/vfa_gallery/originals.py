"""An original on this side: a path or bytes, read block by block."""

from __future__ import annotations

import io
import mimetypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from vfa_gallery.errors import FileProblem

BLOCK = 64 * 1024
HEAD = 16

Notice = Callable[[int], None]

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)


def content_type_of(name: str, head: bytes) -> str:
    """What a file is: by its first bytes, else by its name.

    >>> content_type_of("photo.png", b"\\xff\\xd8\\xff\\xe0")
    'image/jpeg'
    >>> content_type_of("notes.txt", b"Dear all")
    'text/plain'
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    for signature, content_type in _SIGNATURES:
        if head.startswith(signature):
            return content_type
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def printable(name: str) -> str:
    """A file's name as text that any gallery takes, whatever bytes it is made of.

    >>> printable("dusk\\udcff\\x07.jpg")
    'dusk__.jpg'
    """
    return "".join(each if each.isprintable() else "_" for each in name)


@dataclass(frozen=True, slots=True)
class Original:
    """What is to be uploaded: its name, size and content type, and a way to its bytes."""

    name: str
    size: int
    content_type: str
    open: Callable[[], BinaryIO]


def original_of(
    given: str | PathLike[str] | bytes, filename: str | None = None, content_type: str | None = None
) -> Original:
    """Look at a path or at bytes without reading more than its first bytes.

    >>> original_of(b"GIF89a;").content_type
    'image/gif'
    """
    opened: Callable[[], BinaryIO]
    if isinstance(given, bytes):
        name, size, opened = filename or "picture", len(given), lambda: io.BytesIO(given)
        head = given[:HEAD]
    else:
        path = Path(given)
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(HEAD)
        except OSError as error:
            raise file_problem(path, error) from error
        name, opened = filename or printable(path.name), lambda: _open(path)
    if not size:
        raise FileProblem(f"{name} is empty")
    return Original(name, size, content_type or content_type_of(name, head), opened)


def file_problem(path: Path, error: OSError) -> FileProblem:
    """What the system says of a file, with the file's name."""
    return FileProblem(f"{printable(str(path))}: {error.strerror or error}")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise file_problem(path, error) from error


class Body:
    """The bytes of an original on their way; `notice` is told how many are gone, and may raise to stop.

    Transports that stream read it in blocks; those that cannot, as a browser's XMLHttpRequest, take it as a
    buffer (which Python objects can be from 3.12 on).
    """

    def __init__(self, original: Original, file: BinaryIO, notice: Notice) -> None:
        self._original = original
        self._file = file
        self._notice = notice
        self._sent = 0

    def __len__(self) -> int:
        return self._original.size

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read(BLOCK):
            yield block

    def read(self, size: int = -1) -> bytes:
        left = self._original.size - self._sent
        try:
            block = self._file.read(left if size < 0 else min(size, left))
        except OSError as error:
            # Not an OSError any more, which transports take for a broken connection.
            raise FileProblem(f"{self._original.name}: {error.strerror or error}") from error
        self._sent += len(block)
        if left and not block:
            raise FileProblem(f"{self._original.name} became shorter while it was sent")
        self._notice(self._sent)
        return block

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.read())
