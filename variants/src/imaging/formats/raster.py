"""Pillow's decoders, fed with bytes as they arrive or given a small file."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image

from imaging.errors import UnreadableImage
from imaging.geometry import Size

# heap.py decides how large a picture may be.
Image.MAX_IMAGE_PIXELS = None
# Loaded with the first picture, Pillow's modules would be allocated above its pixels and fragment the heap.
Image.preinit()
# OverflowError: an offset beyond the range of a pointer, which happens with 32 bits.
_DAMAGE = (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, OverflowError, struct.error)

BROKEN = "The picture cannot be read: the file is broken."


class Raster:
    """A picture that fills while its compressed bytes are fed in."""

    def __init__(self, mode: str, size: Size, codec: str, args: tuple[Any, ...]) -> None:
        self.image = Image.new(mode, size, None)
        # The interface that Pillow's own ImageFile.load drives; a file object would have to block.
        self._decoder = Image._getdecoder(mode, codec, args)
        self._decoder.setimage(self.image.im, (0, 0, *size))
        self._held = b""
        self.done = False

    @property
    def waiting(self) -> bool:
        """Whether bytes were fed that the decoder cannot use before more are fed."""
        return bool(self._held)

    def feed(self, data: bytes) -> None:
        """Decode as much as the bytes allow.

        Raises:
            UnreadableImage: They are damaged.
        """
        if self.done:
            return
        if self._held:
            data = self._held + data
        try:
            consumed, error = self._decoder.decode(data)
        except (OSError, ValueError) as problem:
            raise UnreadableImage(BROKEN) from problem
        if error < 0:
            raise UnreadableImage(BROKEN)
        self.done = consumed < 0
        self._held = b"" if self.done else data[consumed:]
        if self.done:
            self._decoder.cleanup()


def opened(file: BytesIO, kind: str) -> Image.Image:
    """A file of the one kind named; damage in it raises UnreadableImage."""
    with quietly():
        return Image.open(file, formats=[kind])


def loaded(file: BytesIO, kind: str) -> Image.Image:
    """The same, with its pixels."""
    with quietly():
        picture = Image.open(file, formats=[kind])
        picture.load()
        return picture


@contextmanager
def quietly() -> Iterator[None]:
    """Translate the errors that Pillow raises for damaged files to UnreadableImage, and print no warnings."""
    with warnings.catch_warnings(action="ignore"):
        try:
            yield
        except _DAMAGE as error:
            raise UnreadableImage(BROKEN) from error
