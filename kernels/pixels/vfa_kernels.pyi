"""Types of the module vfa_kernels; kernels/README.md describes it."""

from typing import Literal

from typing_extensions import Buffer

class Resizer:
    """Resizes a picture whose rows come one after the other, as Pillow's `Image.resize` does, to ±1 level.

    `size` and `out` are (width, height); `box` (left, top, right, bottom), in pixels of `size`, need not be
    whole. `kernel` is LANCZOS (1), BILINEAR (2) or BICUBIC (3) of Pillow's `Resampling`. Pixels have 1 to 4
    interleaved bytes.

    Raises:
        ValueError: a size, box, kernel or number of channels that there is not.
        MemoryError: there is no room.
    """

    def __new__(
        cls,
        size: tuple[int, int],
        box: tuple[float, float, float, float],
        out: tuple[int, int],
        kernel: int = 1,
        channels: int = 1,
    ) -> Resizer: ...
    def push(self, rows: Buffer) -> None:
        """Take the next rows, width × channels bytes each; ValueError: they are not whole, or too many."""

    def take(self, most: int = ...) -> bytes:
        """The rows that are made, from the top, once; `most` of them at most."""

    def take_into(self, to: Buffer, offset: int = 0) -> int:
        """The same into a writable buffer, from a byte on, as many as have room: how many."""

    @property
    def ready(self) -> int:
        """How many rows are made, and were not taken."""

    @property
    def missing(self) -> int:
        """How many rows of the source have not come."""

    @property
    def memory(self) -> int:
        """Bytes that it has taken."""

class JpegDecoder:
    """Decodes a baseline JPEG of one or three components in one scan, as its bytes come, to planes.

    Each component keeps the sampling it is stored with; `luma` (the first) and `chroma` (the others) say how
    far it is scaled down from there: 1, 2, 4, 8, or 0 for not at all wanted.
    """

    def __new__(cls, luma: int = 1, chroma: int = 1) -> JpegDecoder: ...
    def attach(self, component: int, resizer: Resizer) -> None:
        """Push the component's rows into `resizer` as they are decoded; twelve at most, before any row."""

    def feed(self, data: Buffer) -> None:
        """Give the next bytes, which are not copied; ValueError: those before are not read yet."""

    def end(self) -> None:
        """Say that no more bytes will come. A file with its end marker needs no such word."""

    def step(self) -> bool:
        """Decode the next row of units and push it into the resizers; False: feed more bytes, or all is done.

        Raises:
            ValueError: the header is broken, the file ends before its last row, or a resizer is for a plane
                of another size.
            NotImplementedError: not baseline Huffman with 8 bits, several scans, or rows of more than 3 MiB.
            MemoryError: there is no room.
        """

    def size(self, component: int) -> tuple[int, int]:
        """Width and height of a component's plane, scaled down; ValueError before the header is read."""

    def rows(self, component: int) -> bytes:
        """The rows of a component that the last step decoded."""

    @property
    def components(self) -> int:
        """How many, 0 before the header is read."""

    @property
    def done(self) -> bool:
        """Whether every row is decoded."""

    @property
    def row(self) -> int:
        """How many rows of the picture, at full scale, are decoded."""

    @property
    def damage(self) -> int | None:
        """The first row of units with damage that was passed over, at full scale."""

    @property
    def memory(self) -> int:
        """Bytes that it has taken."""

class JpegEncoder:
    """Writes a baseline JPEG with JFIF's colours and the standard tables: the bytes that Pillow would write.

    `size` is (width, height), `quality` 1 to 100, `halved` whether chroma is stored at half its size both
    ways. `form` is what comes: "grey"; "planes" of Y, Cb and Cr; "halved planes", chroma at half its size,
    rounded up; pixels as "RGB", or as "RGBX" with a fourth byte that means nothing.

    Raises:
        ValueError: a size, quality or form that there is not.
        MemoryError: there is no room.
    """

    def __new__(
        cls,
        size: tuple[int, int],
        quality: int,
        halved: bool = True,
        form: Literal["grey", "planes", "halved planes", "RGB", "RGBX"] = "planes",
    ) -> JpegEncoder: ...
    def push(self, *rows: Buffer) -> bytes:
        """Take the next rows, a buffer for each plane: the bytes written by now, at the last row all.

        ValueError: rows are not whole, too many, or of halved planes an odd number that is not the last.
        """

    @property
    def missing(self) -> int:
        """How many rows have not come."""

    @property
    def memory(self) -> int:
        """Bytes that it has taken."""

class Unfilter:
    """Undoes PNG's filters: rows of `length` bytes, pixels of `step` (1, 2, 3, 4, 6 or 8) bytes.

    Where a pixel has less than a byte, `step` is 1. ValueError: `length` is not of whole pixels.
    """

    def __new__(cls, length: int, step: int) -> Unfilter: ...
    def push(self, rows: Buffer) -> bytes:
        """The next rows, each behind its filter byte, as they are without.

        ValueError: they are not whole, or there is no such filter.
        """

def chroma_loss(cb: Buffer, cr: Buffer, size: tuple[int, int]) -> float:
    """Levels that halving these planes would cost: what `imaging.encode` compares with what is noticeable."""

def ycc_planes(rows: Buffer, channels: Literal[3, 4]) -> tuple[bytes, bytes, bytes]:
    """Y, Cb and Cr of RGB pixels, or of pixels with a fourth byte that means nothing; as libjpeg has them."""
