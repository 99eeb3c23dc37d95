"""Types of the module vfa_kernels; kernels/README.md describes it."""

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
