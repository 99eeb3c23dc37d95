"""Paintings for the page's tests and pictures: abstract, made from numbers, and pleasant to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating[Any]]
Colour = tuple[int, int, int]
Painter = Callable[[np.random.Generator, Floats, Floats], Floats]

PALETTES: tuple[tuple[Colour, ...], ...] = (
    ((20, 33, 61), (58, 90, 120), (214, 158, 96), (240, 214, 170), (180, 66, 50)),
    ((244, 241, 222), (224, 122, 95), (61, 64, 91), (129, 178, 154), (242, 204, 143)),
    ((13, 27, 42), (65, 90, 119), (119, 141, 169), (224, 225, 221), (255, 183, 3)),
    ((38, 70, 83), (42, 157, 143), (233, 196, 106), (244, 162, 97), (231, 111, 81)),
    ((45, 32, 38), (112, 62, 72), (196, 120, 100), (238, 206, 172), (92, 122, 118)),
)


def _waves(rng: np.random.Generator, along: Floats, octaves: int, first: float) -> Floats:
    """A smooth random line in about [-1, 1]."""
    parts = [
        np.sin(along * first * 1.9**octave * 2 * np.pi + rng.uniform(0, 6.3)) / 1.7**octave
        for octave in range(octaves)
    ]
    return np.asarray(np.sum(parts, axis=0) / 2.2)


def _mix(low: Floats, high: Floats, share: Floats) -> Floats:
    return low + (high - low) * np.clip(share, 0, 1)[..., None]


def _colours(rng: np.random.Generator) -> Floats:
    return np.array(PALETTES[rng.integers(len(PALETTES))], dtype=np.float64)


def _hills(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    colours = _colours(rng)
    sky = _mix(np.broadcast_to(colours[3], (*x.shape, 3)), colours[1], 1 - y * 1.6)
    sun = np.hypot(x - rng.uniform(0.25, 0.75) * x.max(), y - rng.uniform(0.22, 0.4))
    canvas = _mix(sky, colours[2] * 0.5 + 127, (0.11 - sun) * 260)
    layers = 7
    for layer in range(layers):
        depth = layer / (layers - 1)
        crest = 0.42 + 0.5 * depth + (0.05 + 0.04 * depth) * _waves(rng, x[0] * (1 + depth), 6, 0.7)
        colour = colours[1] * (1 - depth) + colours[0] * depth
        veil = np.clip((y - crest[None, :]) / 0.25, 0, 1) * (1 - depth) * 0.55
        canvas = _mix(
            canvas, _mix(np.broadcast_to(colour, canvas.shape), colours[3], veil), (y - crest[None, :]) * 700
        )
    return canvas


def _field(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    colours = rng.permutation(_colours(rng))
    canvas = np.broadcast_to(colours[0], (*x.shape, 3)).copy()
    edges = np.sort(rng.uniform(0.2, 0.8, 2))
    tops, bottoms = (0.07, edges[0], edges[1]), (edges[0] - 0.03, edges[1] - 0.03, 0.93)
    for top, bottom, colour in zip(tops, bottoms, colours[1:4], strict=True):
        ragged = 0.008 * _waves(rng, x * 3 + y, 6, 1.3)
        inside = np.minimum.reduce(
            [x - 0.08 + ragged, x.max() - 0.08 - x + ragged, y - top + ragged, bottom - y + ragged]
        )
        cloudy = 0.82 + 0.14 * _waves(rng, x * 1.3 - y * 0.8, 5, 1.1)
        canvas = _mix(canvas, np.broadcast_to(colour, canvas.shape), np.clip(inside * 55, 0, 1) * cloudy)
    return canvas


def _circles(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    colours = _colours(rng)
    canvas = np.broadcast_to(colours[3], (*x.shape, 3)).copy()
    for _ in range(9):
        centre, radius = (rng.uniform(0, x.max()), rng.uniform(0, 1)), rng.uniform(0.12, 0.42)
        distance = np.hypot(x - centre[0], y - centre[1])
        rings, first = rng.integers(3, 6), rng.integers(5)
        half = np.sin(np.arctan2(y - centre[1], x - centre[0]) - rng.uniform(0, 6.3)) > 0
        for ring in range(rings):
            reach = radius * (1 - ring / rings)
            colour = np.where(half[..., None], colours[(first + ring) % 5], colours[(first + ring + 2) % 5])
            canvas = _mix(canvas, colour, (reach - distance) * 600)
    return canvas


def _dunes(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    colours = _colours(rng)
    canvas = _mix(np.broadcast_to(colours[2], (*x.shape, 3)), colours[3], 1 - y)
    for layer in range(11):
        crest = layer / 10 + 0.07 * _waves(rng, x + 0.25 * y, 4, 0.55)
        shade = np.clip((y - crest) * 5, 0, 1)
        colour = colours[(0, 4, 2, 1)[layer % 4]]
        canvas = _mix(
            canvas, _mix(np.broadcast_to(colour, canvas.shape), colours[3], shade), (y - crest) * 500
        )
    return canvas


def _weave(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    colours = _colours(rng)
    count = rng.integers(9, 15)
    columns, rows = rng.integers(0, 5, 64), rng.integers(0, 5, 64)
    u, v = x * count, y * count
    over = (np.floor(u) + np.floor(v)) % 2 == 0
    warp, weft = colours[columns[np.floor(u).astype(int) % 64]], colours[rows[np.floor(v).astype(int) % 64]]
    across, down = np.abs(u % 1 - 0.5), np.abs(v % 1 - 0.5)
    thread = np.where(over[..., None], warp, weft)
    light = 1.08 - 0.5 * np.where(over, across, down) ** 2 - 0.35 * np.where(over, down, across) ** 4
    fibre = 1 + 0.05 * np.sin(np.where(over, u, v) * 60)
    return np.asarray(thread * (light * fibre)[..., None])


def _ink(rng: np.random.Generator, x: Floats, y: Floats) -> Floats:
    paper, ink = np.array([238.0, 232, 220]), np.array([28.0, 32, 40])
    canvas = np.broadcast_to(paper, (*x.shape, 3)).copy()
    for layer in range(5):
        depth = layer / 4
        crest = 0.3 + 0.55 * depth + 0.13 * (1 - depth * 0.5) * _waves(rng, x[0], 7, 0.5 + 0.2 * layer)
        fade = np.exp(-np.clip(y - crest[None, :], 0, None) / (0.10 + 0.1 * depth))
        canvas = _mix(
            canvas, np.broadcast_to(ink, canvas.shape), (y > crest[None, :]) * fade * (0.25 + 0.6 * depth)
        )
    moon = np.hypot(x - 0.75 * x.max(), y - 0.2)
    return _mix(canvas, np.array([180.0, 58, 44]) * np.ones_like(canvas), (0.07 - moon) * 400)


PAINTERS: dict[str, Painter] = {
    "hills": _hills,
    "field": _field,
    "circles": _circles,
    "dunes": _dunes,
    "weave": _weave,
    "ink": _ink,
}


def paint(kind: str, width: int, height: int, seed: int = 1) -> Image.Image:
    """An RGB picture of one of the kinds; the same arguments give the same pixels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / np.float64(height)
    canvas = PAINTERS[kind](rng, x, y)
    grain = rng.normal(0, 3, (height, width, 1))
    return Image.fromarray(np.clip(canvas + grain, 0, 255).astype(np.uint8))
