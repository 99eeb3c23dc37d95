"""What is kept of a JPEG's APPn segments: the colour coding, the first EXIF block, the first ICC profile."""

from __future__ import annotations

from enum import StrEnum

from imaging.exif import orientation_of
from imaging.jpeg_segments import ADOBE, APP0, APP1, APP2, Component

_MOST_PROFILE = 4 << 20


class Coding(StrEnum):
    """What the components are, by Pillow's names for a decoder."""

    GREY = "L"
    YCC = "YCbCr"
    RGB = "RGB"
    CMYK = "CMYK"
    YCCK = "YCbCrK"


class Metadata:
    """Collected segment by segment."""

    def __init__(self) -> None:
        self._jfif = False
        self._adobe: int | None = None
        self._exif: bytes | None = None
        self._profile: dict[int, bytes] = {}

    def note(self, marker: int, data: bytes) -> None:
        """Take what is wanted from one segment."""
        if marker == APP0 and data.startswith(b"JFIF\0") and len(data) >= 14:
            self._jfif = True
        elif marker == APP1 and data.startswith(b"Exif\0\0") and self._exif is None:
            self._exif = data
        elif marker == APP2 and data.startswith(b"ICC_PROFILE\0") and len(data) > 14:
            if sum(map(len, self._profile.values())) < _MOST_PROFILE:
                self._profile.setdefault(data[12], data[14:])
        elif marker == ADOBE and data.startswith(b"Adobe") and len(data) >= 12:
            self._adobe = data[11]

    @property
    def orientation(self) -> int:
        """By the first EXIF block, 1-8."""
        return orientation_of(self._exif) if self._exif else 1

    @property
    def profile(self) -> bytes | None:
        """The first ICC profile, put together."""
        return b"".join(self._profile[key] for key in sorted(self._profile)) or None

    def coding(self, components: tuple[Component, ...]) -> Coding:
        """By the rules of libjpeg-turbo, which are those of the browsers."""
        if len(components) == 1:
            return Coding.GREY
        if len(components) == 4:
            return Coding.CMYK if self._adobe in (None, 0) else Coding.YCCK
        if self._jfif:
            return Coding.YCC
        if self._adobe is not None:
            return Coding.RGB if self._adobe == 0 else Coding.YCC
        return Coding.RGB if tuple(part.name for part in components) == tuple(b"RGB") else Coding.YCC
