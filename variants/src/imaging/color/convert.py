"""Colors of rows: any of Pillow's modes to one that can be averaged, transparency onto the background,
profiles and inks to sRGB."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable

from PIL import Image, ImageColor, ImageFilter

from imaging.color.cmyk import inks_to_rgb
from imaging.color.icc import Profile, Transform, read_profile

GRID = 25  # points along each axis of a colour table
NOTICEABLE = 2.5 / 255  # a profile that moves no colour by more than this is sRGB by another name
_KEPT = 12

Conversion = Callable[[Image.Image], Image.Image]


class Colours:
    """The conversions of one original's rows, before and after they are resized."""

    def __init__(self, profile: bytes | None, background: str) -> None:
        self._background = ImageColor.getrgb(background)
        # The tables outlive the picture. Allocated before its pixels, they do not fragment the heap.
        self._conversions = {channels: conversion(profile, channels) for channels in (1, 3, 4)}

    def before(self, strip: Image.Image) -> Image.Image:
        """Rows that can be averaged: transparency is composited first, or edges would get a fringe."""
        strip = workable(strip)
        return self._flattened(strip) if strip.mode in ("LA", "RGBA") else strip

    def after(self, band: Image.Image) -> Image.Image:
        """Rows in L, RGB or YCbCr that mean sRGB."""
        return self._conversion(band.mode)(band)

    def keeps(self, mode: str) -> bool:
        """Whether `after` changes nothing in rows of this mode."""
        return self._conversion(mode) is _unchanged

    def _conversion(self, mode: str) -> Conversion:
        return self._conversions[{"L": 1, "CMYK": 4}.get(mode, 3)]

    def _flattened(self, strip: Image.Image) -> Image.Image:
        ground = Image.new("RGB", strip.size, self._background)
        ground.paste(strip.convert("RGB"), mask=strip.getchannel("A"))
        return ground


_conversions: dict[tuple[bytes, int], Conversion] = {}


def conversion(data: bytes | None, channels: int) -> Conversion:
    """The function from pictures of so many channels with this profile to sRGB; the last few are cached."""
    key = (hashlib.sha256(data).digest() if data else b"", channels)
    if key not in _conversions:
        while len(_conversions) >= _KEPT:
            _conversions.pop(next(iter(_conversions)))
        try:
            _conversions[key] = _conversion_of(read_profile(data) if data else None, channels)
        except (ArithmeticError, ValueError):  # a profile with impossible numbers
            _conversions[key] = _conversion_of(None, channels)
    return _conversions[key]


def _conversion_of(profile: Profile | None, channels: int) -> Conversion:
    if channels == 4:
        return inks_to_rgb(profile.transform if profile and profile.channels == 4 else None)
    if profile is None or profile.channels == 4 or _is_srgb(profile):
        return _unchanged
    if channels == 1 or profile.channels == 1:
        return _levels(profile) if channels == 1 else _unchanged
    table = ImageFilter.Color3DLUT(GRID, colour_table(profile.transform, GRID), _copy_table=False)
    return lambda picture: picture.convert("RGB").filter(table)


def _unchanged(picture: Image.Image) -> Image.Image:
    return picture


def _levels(profile: Profile) -> Conversion:
    """For grey pictures, whose profile may be a grey one or an RGB one."""
    levels = [round(255 * profile.transform([value / 255] * profile.channels)[1]) for value in range(256)]
    return lambda picture: picture.point(levels)


def _is_srgb(profile: Profile) -> bool:
    steps = (0.0, 0.1, 0.3, 0.6, 1.0)
    if profile.channels == 1:
        return all(abs(profile.transform([v])[1] - v) <= NOTICEABLE for v in steps)
    colours = [(r, g, b) for r in steps for g in steps for b in steps]
    return all(
        abs(out - value) <= NOTICEABLE
        for colour in colours
        for out, value in zip(profile.transform(colour), colour, strict=True)
    )


def colour_table(transform: Transform, size: int) -> array[float]:
    """The transform at `size`³ points of a grid, the first channel varying fastest; 3 numbers a point."""
    axis = [step / (size - 1) for step in range(size)]
    return array("f", (value for b in axis for g in axis for r in axis for value in transform((r, g, b))))


def workable(strip: Image.Image) -> Image.Image:
    """The rows as L, LA, RGB, RGBA, CMYK or YCbCr, at 8 bits, transparency as alpha."""
    if strip.mode.startswith("I"):
        # 65535 must become 255; converting alone would clip at 255.
        strip = strip.convert("I").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    elif strip.mode == "1":
        strip = strip.convert("L")
    elif strip.mode == "RGBX":
        strip = strip.convert("RGB")
    elif strip.mode == "RGBa":
        strip = strip.convert("RGBA")
    if strip.mode == "PA" or "transparency" in strip.info:
        return strip.convert("LA" if strip.mode == "L" else "RGBA")
    return strip.convert("RGB") if strip.mode == "P" else strip
