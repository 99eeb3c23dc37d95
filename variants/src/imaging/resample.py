"""Rows of an original, as they arrive → pictures of the wanted sizes.

Every target is filled from overlapping bands, so that no more than a few hundred rows of the original and one
band of the intermediate picture exist at a time. The result equals one resize of the whole picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple, Protocol

from PIL import Image

from imaging import kernels
from imaging.errors import UnreadableImage
from imaging.geometry import Box, Size, area
from imaging.planes import Picture, Planes, as_image
from imaging.source import CUT_SHORT

if TYPE_CHECKING:
    import vfa_kernels

REACH = 3.0  # support of the LANCZOS kernel, in pixels of the coarser grid
GAP = 3.0  # box averages leave a picture at least so many times larger than the target
WINDOW = 1 << 20  # bytes of the (averaged) original in one band, overlap apart

STRIP = 1 << 19  # bytes of the original's pixels in one strip
_BAND = 256
_LANES, _LANED = 4, "RGBX"


class Treatment(Protocol):
    """Conversions of rows before and after they are resized."""

    def before(self, strip: Image.Image) -> Image.Image:
        """Rows of the original in a mode that can be averaged."""

    def after(self, band: Image.Image) -> Image.Image:
        """Rows of a target as they are to be stored."""

    def keeps(self, mode: str) -> bool:
        """Whether `after` changes nothing in rows of this mode."""


class _Untreated:
    def before(self, strip: Image.Image) -> Image.Image:
        return strip

    after = before

    def keeps(self, _: str) -> bool:
        return True


UNTREATED: Treatment = _Untreated()


class Target(NamedTuple):
    """A part of the original, and the size it is to have."""

    box: Box
    size: Size


class _Piece(NamedTuple):
    top: int
    image: Image.Image

    @property
    def bottom(self) -> int:
        return self.top + self.image.height


class Resampler:
    """Fills one target from the strips of an original, top to bottom."""

    def __init__(
        self,
        source: Size,
        target: Target,
        treatment: Treatment = UNTREATED,
        kernel: Image.Resampling = Image.Resampling.LANCZOS,
    ) -> None:
        self._kernel = kernel
        self._source = source
        self._size = target.size
        self._treatment = treatment
        box = target.box
        scale_x = (box.right - box.left) / target.size.width
        scale_y = (box.bottom - box.top) / target.size.height
        self._factor = (max(1, int(scale_x / GAP)), max(1, int(scale_y / GAP)))
        factor_x, factor_y = self._factor
        self._left, self._right = 0, source.width
        if self._factor != (1, 1):
            left = max(0, floor(box.left - REACH * max(1.0, scale_x)))
            self._left = left - left % factor_x
            self._right = min(source.width, ceil(box.right + REACH * max(1.0, scale_x)) + factor_x)
        # From here on coordinates are in pixels of the averaged picture.
        self._span = ((box.left - self._left) / factor_x, (box.right - self._left) / factor_x)
        self._top = box.top / factor_y
        self._scale = scale_y / factor_y
        self._reach = REACH * max(1.0, self._scale)
        self._rows = ceil(source.height / factor_y)
        self._seen = 0  # rows of the original
        self._carry: Image.Image | None = None
        self._pieces: list[_Piece] = []
        self._averaged = 0
        self._width = ceil((self._right - self._left) / factor_x)
        self._next = 0
        self._out: Image.Image | None = None
        self._resizer: vfa_kernels.Resizer | None = None

    def feed(self, strip: Image.Image) -> None:
        """Take the next rows of the original."""
        if self._out is None and self._treatment is UNTREATED:
            # Allocated before anything that will be freed, so that no gap stays below it.
            self._out = Image.new(strip.mode, self._size, None)
        self._seen += strip.height
        if kernels.resizes(strip.mode):
            for image in self._average(strip):
                self._push(image)
            return
        for image in self._average(strip):
            self._pieces.append(_Piece(self._averaged, image))
            self._averaged += image.height
        self._emit()
        self._forget(self._needed(self._next + 1)[0] if self._next < self._size.height else self._rows)

    def finished(self) -> Image.Image:
        """The target, once every row has been fed.

        Raises:
            UnreadableImage: Rows are missing.
        """
        if self._out is None or self._next < self._size.height:
            raise UnreadableImage(CUT_SHORT)
        return self._out

    def _push(self, image: Image.Image) -> None:
        """Resize rows of the averaged picture by the kernel."""
        if self._resizer is None:
            left, right = self._span
            size = Size(image.width, self._rows)
            box = Box(left, self._top, right, self._top + self._size.height * self._scale)
            self._resizer = kernels.resizer(
                size, _inside(box, size), self._size, self._kernel, kernels.CHANNELS[image.mode]
            )
        for part in slices(image):
            self._resizer.push(part.tobytes())
            rows = self._resizer.take()
            if rows:
                height = len(rows) // (self._size.width * kernels.CHANNELS[image.mode])
                band = Image.frombuffer(image.mode, (self._size.width, height), rows, "raw", image.mode, 0, 1)
                self._paste(self._treatment.after(band))

    def _paste(self, band: Image.Image) -> None:
        if self._out is None:
            self._out = Image.new(band.mode, self._size, None)
        self._out.paste(band, (0, self._next))
        self._next += band.height

    def _average(self, strip: Image.Image) -> Iterator[Image.Image]:
        if self._factor == (1, 1):
            yield strip
            return
        top, rows, factor_y = 0, strip.height, self._factor[1]
        if self._carry is not None:
            top = min(rows, factor_y - self._carry.height)
            self._carry = stacked([self._carry, self._columns(strip, 0, top)])
            if self._carry.height < factor_y and not self._last:
                return
            yield self._carry.reduce(self._factor)
            self._carry = None
        bottom = rows if self._last else rows - (rows - top) % factor_y
        if top < bottom:
            yield strip.reduce(self._factor, box=(self._left, top, self._right, bottom))
        if bottom < rows:
            self._carry = self._columns(strip, bottom, rows)

    def _columns(self, strip: Image.Image, top: int, bottom: int) -> Image.Image:
        return strip.crop((self._left, top, self._right, bottom))

    @property
    def _last(self) -> bool:
        return self._seen >= self._source.height

    def _emit(self) -> None:
        if not self._pieces:
            return
        row = self._width * (1 if self._pieces[-1].image.mode == "L" else 4)
        step = max(1, int(max(16, WINDOW // row) / self._scale))
        while self._next < self._size.height:
            end = min(self._size.height, self._next + step)
            last = self._needed(end)[1]
            if last > self._averaged and not self._last:
                return
            self._band(end)

    def _needed(self, end: int) -> tuple[int, int]:
        """Rows of the averaged picture that the target's rows from the next to `end` depend on."""
        first = floor(self._top + (self._next + 0.5) * self._scale - self._reach)
        last = ceil(self._top + (end - 0.5) * self._scale + self._reach)
        return max(0, first), min(self._rows, last)

    def _band(self, end: int) -> None:
        first, last = self._needed(end)
        self._forget(first)
        window = self._window(first, last)
        offset = self._top - window.top
        box = (self._span[0], offset + self._next * self._scale, self._span[1], offset + end * self._scale)
        size = Size(self._size.width, end - self._next)
        inside = _inside(Box(*box), Size(*window.image.size))
        self._paste(self._treatment.after(resized(window.image, size, self._kernel, inside)))

    def _forget(self, first: int) -> None:
        """Free the rows above."""
        while self._pieces and self._pieces[0].bottom <= first:
            self._pieces.pop(0)

    def _window(self, first: int, last: int) -> _Piece:
        parts = [piece for piece in self._pieces if piece.bottom > first and piece.top < last]
        if len(parts) == 1:
            return parts[0]
        top = max(first, parts[0].top)
        head = parts[0].image.crop((0, top - parts[0].top, parts[0].image.width, parts[0].image.height))
        return _Piece(top, stacked([head, *(piece.image for piece in parts[1:])]))


def resample(
    strips: Iterable[Image.Image], source: Size, targets: Sequence[Target], treatment: Treatment
) -> list[Image.Image]:
    """Every target, from the strips of one original of size `source`, top to bottom.

    Raises:
        UnreadableImage: Rows are missing.
    """
    resamplers = [Resampler(source, target, treatment) for target in targets]
    for strip in strips:
        ready = treatment.before(strip)
        for resampler in resamplers:
            resampler.feed(ready)
    return [resampler.finished() for resampler in resamplers]


def treated(picture: Image.Image, treatment: Treatment) -> Image.Image:
    """A picture that has its final size, converted a band at a time."""
    if treatment.keeps(picture.mode):
        return picture
    out: Image.Image | None = None
    for top, strip in zip(range(0, picture.height, _BAND), slices(picture, _BAND), strict=True):
        band = treatment.after(treatment.before(strip))
        if out is None:
            out = Image.new(band.mode, picture.size, None)
        out.paste(band, (0, top))
    return out or picture


def shrunk(picture: Picture, size: Size) -> Picture:
    """A finished picture, reduced by a factor of about two.

    Pillow's HAMMING is as sharp as its BICUBIC for such a factor (by Pillow's documentation) and twice as
    fast.
    """
    if not kernels.resizes(picture.mode):
        return as_image(picture).resize(size, Image.Resampling.HAMMING)
    if isinstance(picture, Planes):
        return Planes(size, [_shrunk_plane(plane, picture.size, size) for plane in picture.planes])
    resampler = Resampler(Size(*picture.size), Target(Box(0, 0, *picture.size), size))
    resampler.feed(picture)
    return resampler.finished()


def _shrunk_plane(plane: bytearray, size: Size, target: Size) -> bytearray:
    resizer = kernels.resizer(size, Box(0, 0, *size), target, Image.Resampling.LANCZOS)
    resizer.push(plane)
    out = bytearray(area(target))
    resizer.take_into(out)
    return out


def stacked(images: list[Image.Image]) -> Image.Image:
    """The images below each other; all have one width and mode."""
    joined = Image.new(images[0].mode, (images[0].width, sum(image.height for image in images)), None)
    top = 0
    for image in images:
        joined.paste(image, (0, top))
        top += image.height
    return joined


def slices(image: Image.Image, rows: int = 0) -> Iterator[Image.Image]:
    """A picture in memory as strips of `rows` rows, by default of half a MiB."""
    rows = rows or max(1, STRIP // (4 * image.width))
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(image.height, top + rows)))


def _inside(box: Box, size: Size) -> Box:
    """The box, clipped to the picture: rounding, or a last incomplete average, may put it outside."""
    return Box(
        max(0.0, box.left),
        max(0.0, box.top),
        min(float(size.width), box.right),
        min(float(size.height), box.bottom),
    )


def resized(
    image: Image.Image, size: Size, kernel: Image.Resampling, box: tuple[float, float, float, float]
) -> Image.Image:
    """What `image.resize(size, kernel, box)` gives, faster where there is one channel.

    Pillow takes little longer for four channels than for one. So a grey picture is resized as if its parts
    were channels: four runs of its rows horizontally, then four neighboring columns vertically. Both passes
    and their rounding are Pillow's, in Pillow's order, so the result is the same to the bit.
    """
    if image.mode != "L":
        return image.resize(size, kernel, box)
    left, top, right, bottom = box
    reach = REACH * max(1.0, (bottom - top) / size.height) + 1
    first, last = max(0, floor(top - reach)), min(image.height, ceil(bottom + reach))
    across = _across(image, (first, last), size.width, kernel, (left, right))
    return _down(across, size, kernel, (top - first, bottom - first))


def _across(
    image: Image.Image,
    rows: tuple[int, int],
    width: int,
    kernel: Image.Resampling,
    span: tuple[float, float],
) -> Image.Image:
    """The rows first to last resized to `width`, with extra columns up to a whole number of lanes."""
    first, last = rows
    run = -(-(last - first) // _LANES)
    tops = [first + lane * run for lane in range(_LANES)]
    laned = Image.merge(_LANED, [image.crop((0, top, image.width, top + run)) for top in tops])
    laned = laned.resize((width, run), kernel, (span[0], 0, span[1], run))
    out = Image.new("L", (-(-width // _LANES) * _LANES, last - first))
    for lane in range(_LANES):
        out.paste(laned.getchannel(lane), (0, lane * run))
    return out


def _down(image: Image.Image, size: Size, kernel: Image.Resampling, span: tuple[float, float]) -> Image.Image:
    """All columns resized to the size's height, and the extra ones cut off."""
    width = image.width // _LANES
    laned = _seen_as(_LANED, Size(width, image.height), image)
    laned = laned.resize((width, size.height), kernel, (0, span[0], width, span[1]))
    return _seen_as("L", Size(image.width, size.height), laned).crop((0, 0, *size))


def _seen_as(mode: str, size: Size, image: Image.Image) -> Image.Image:
    return Image.frombuffer(mode, size, image.tobytes(), "raw", mode, 0, 1)
