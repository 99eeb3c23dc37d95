"""The file to upload: a path, bytes, an open file or a URL, read in blocks."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

from vfa_gallery.errors import FileProblem
from vfa_gallery.limits import CONTENT_TYPES, check_content_type, check_filename, check_size

BLOCK = 64 * 1024
HEAD = 16
# A file that cannot be read twice is kept in memory up to this size, and on disk above it.
SPOOL = 1 << 20
UNKNOWN = "application/octet-stream"

Notice = Callable[[int], None]
Source = str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO
# Writes what is at a URL into a file.
Fetch = Callable[[str, BinaryIO], object]

# TIFF 6.0 and BigTIFF begin with II or MM for the order of bytes, and 42 or 43.
_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
)


def picture_type(head: bytes) -> str | None:
    """The content type of a picture by its first 16 bytes; None for what no gallery accepts.

    >>> picture_type(b"RIFF....WEBPVP8 "), picture_type(b"BM6...")
    ('image/webp', None)
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)


def looks_like_picture(path: Path) -> bool:
    """Whether a file is a picture by its first bytes, or claims to be one by its name.

    Raises:
        OSError: the file cannot be read.
    """
    if path.suffix.lower() in {suffix for suffixes in CONTENT_TYPES.values() for suffix in suffixes}:
        return True
    with path.open("rb") as file:
        return picture_type(file.read(HEAD)) is not None


def printable(name: str) -> str:
    """A file's name as text that any gallery accepts, whatever bytes it is made of.

    >>> printable("dusk\\udcff\\x07.jpg")
    'dusk__.jpg'
    """
    return "".join(each if each.isprintable() else "_" for each in name)


@dataclass(frozen=True, slots=True)
class Original:
    """A file to upload: its name, size in bytes and content type; `open` gives its bytes, again each time."""

    name: str
    size: int
    content_type: str
    open: Callable[[], AbstractContextManager[BinaryIO]]


@contextmanager
def opened(
    source: Source,
    filename: str | None,
    content_type: str | None,
    *,
    most: int | None,
    fetch: Fetch,
) -> Iterator[Original]:
    """The original behind a source, checked as far as that is possible without the gallery.

    `most` is the largest size in bytes. A URL, and a file that cannot be read twice, is copied to a temporary
    file.

    Raises:
        FileProblem: the file is empty or cannot be read.
        TooLarge, UnsupportedType: a gallery would refuse it.
        InvalidRequest: the name is too long or not printable.
        Unreachable, GalleryError: what is at a URL cannot be fetched.
    """
    with tempfile.SpooledTemporaryFile(SPOOL) as spool:
        original = _original_of(source, filename, content_type, cast(BinaryIO, spool), most, fetch)
        check_filename(original.name)
        if not original.size:
            raise FileProblem(f"{original.name} is empty")
        check_size(original.name, original.size, most)
        check_content_type(original.name, original.content_type)
        yield original


def _original_of(
    source: Source,
    filename: str | None,
    content_type: str | None,
    spool: BinaryIO,
    most: int | None,
    fetch: Fetch,
) -> Original:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        kind = content_type or picture_type(data[:HEAD]) or UNKNOWN
        return Original(filename or "picture", len(data), kind, lambda: io.BytesIO(data))
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        name = filename or printable(unquote(urlsplit(source).path.rpartition("/")[2])) or "picture"
        fetch(source, cast(BinaryIO, _Bounded(spool, name, most)))
        spool.seek(0)
        return _of_file(spool, name, content_type)
    if isinstance(source, str | PathLike):
        return _of_path(Path(source), filename, content_type)
    named = getattr(source, "name", None)
    name = filename or (printable(Path(named).name) if isinstance(named, str) else "") or "picture"
    if not source.seekable():
        _copy(source, _Bounded(spool, name, most))
        spool.seek(0)
        source = spool
    return _of_file(source, name, content_type)


def _of_path(path: Path, filename: str | None, content_type: str | None) -> Original:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise file_problem(path, error) from error
    name = filename or printable(path.name)
    return Original(name, size, content_type or picture_type(head) or UNKNOWN, lambda: _open(path))


def _of_file(file: BinaryIO, name: str, content_type: str | None) -> Original:
    """An open file from where it stands; it stays open."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    head = file.read(HEAD)
    if not isinstance(head, bytes):
        raise TypeError("open the file in binary mode: open(path, 'rb')")

    def again() -> AbstractContextManager[BinaryIO]:
        file.seek(start)
        return nullcontext(file)

    return Original(name, size, content_type or picture_type(head) or UNKNOWN, again)


class _Bounded(io.RawIOBase):
    """Writes into another file, up to a size."""

    def __init__(self, file: BinaryIO, name: str, most: int | None) -> None:
        self._file = file
        self._name = name
        self._most = most

    def write(self, data: bytes) -> int:  # type: ignore[override]
        check_size(self._name, self._file.tell() + len(data), self._most)
        return self._file.write(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _copy(source: BinaryIO, target: io.RawIOBase) -> None:
    while block := source.read(BLOCK):
        target.write(block)


def file_problem(path: Path, error: OSError) -> FileProblem:
    """A FileProblem with the file's name and the system's reason."""
    return FileProblem(f"{printable(str(path))}: {error.strerror or error}")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise file_problem(path, error) from error


class Body:
    """The bytes of an original being sent; `notice` is called with their number, and may raise to stop.

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
            # Transports take an OSError for a broken connection.
            raise FileProblem(f"{self._original.name}: {error.strerror or error}") from error
        self._sent += len(block)
        if left and not block:
            raise FileProblem(f"{self._original.name} became shorter while it was sent")
        self._notice(self._sent)
        return block

    def __buffer__(self, flags: int) -> memoryview:
        return memoryview(self.read())
