"""Generated pictures for the demo and the samples: a dusk over a lake, contour lines, and tiles."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 4320, 2880
QUALITY = 92
RIDGES = 7
HORIZON = 0.66

Floats = NDArray[np.float32]
# Paints a picture of `width` × `height` pixels from a seed, always the same one.
Painter = Callable[[int, int, int], Image.Image]
PALETTES = (
    ((20, 33, 61), (58, 90, 120), (142, 174, 180), (233, 216, 166), (238, 155, 0), (174, 32, 18)),
    ((38, 70, 83), (42, 157, 143), (138, 177, 125), (233, 196, 106), (244, 162, 97), (231, 111, 81)),
    ((43, 45, 66), (92, 77, 125), (183, 110, 148), (239, 156, 130), (248, 212, 158), (250, 243, 221)),
    ((11, 57, 72), (65, 103, 136), (126, 162, 170), (208, 206, 186), (233, 210, 192), (157, 129, 137)),
)


def _noise(rng: np.random.Generator, length: int, octaves: int, first: int, gain: float = 0.5) -> Floats:
    """Fractal value noise in [-1, 1], shape (length,)."""
    total = np.zeros(length, np.float32)
    amplitude, reach = 1.0, 0.0
    for octave in range(octaves):
        knots = first * 2**octave + 2
        values = rng.uniform(-1, 1, knots).astype(np.float32)
        total += amplitude * np.interp(np.linspace(0, knots - 1, length), np.arange(knots), values).astype(
            np.float32
        )
        reach += amplitude
        amplitude *= gain
    return total / np.float32(reach)


def _mix(low: Floats, high: Floats, share: Floats | float) -> Floats:
    return np.asarray(low + (high - low) * share, np.float32)


def _colour(red: int, green: int, blue: int) -> Floats:
    return np.array([red, green, blue], np.float32)


def _gradient(stops: list[tuple[float, tuple[int, int, int]]], position: Floats) -> Floats:
    places = [place for place, _ in stops]
    channels = [np.interp(position, places, [colour[c] for _, colour in stops]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def _sky(rng: np.random.Generator, width: int, height: int) -> Floats:
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    dusk = [
        (0.0, (24, 32, 74)),
        (0.28, (78, 66, 128)),
        (0.46, (196, 106, 122)),
        (0.58, (248, 164, 104)),
        (1.0, (255, 222, 160)),
    ]
    sky = np.broadcast_to(_gradient(dusk, y[:, 0])[:, None, :], (height, width, 3)).copy()
    distance = np.hypot((x - 0.63) * width / height, y - 0.5)
    glow = np.exp(-((distance / 0.34) ** 2))[..., None]
    sky = _mix(sky, _colour(255, 214, 150), 0.55 * glow)
    disc = np.clip((0.062 - distance) * 420, 0, 1)[..., None]
    sky = _mix(sky, _colour(255, 246, 224), disc)
    for _ in range(26):
        centre, thickness = rng.uniform(0.08, 0.52), rng.uniform(0.003, 0.012)
        drift = centre + 0.018 * _noise(rng, width, 5, 3)
        body = np.clip(_noise(rng, width, 6, 4) * 1.7 + 0.1, 0, 1)
        rows = slice(int((centre - 0.06) * height), int((centre + 0.06) * height))
        cloud = np.exp(-(((y[rows] - drift[None, :]) / thickness) ** 2)) * body[None, :]
        sky[rows] = _mix(sky[rows], _colour(255, 188, 158), (0.42 * cloud)[..., None])
    stars = rng.random((height // 3, width)) > 0.99993
    fade = np.linspace(1, 0, height // 3, dtype=np.float32)[:, None] * stars
    sky[: height // 3] = _mix(sky[: height // 3], _colour(255, 250, 240), fade[..., None])
    return sky


def _add_ridges(rng: np.random.Generator, picture: Floats) -> None:
    height, width, _ = picture.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    far, near = _colour(176, 112, 132), _colour(22, 24, 48)
    for ridge in range(RIDGES):
        depth = ridge / (RIDGES - 1)
        relief = (0.10 + 0.05 * depth) * height * _noise(rng, width, 10, 3 + ridge, 0.52)
        crest = height * HORIZON * (0.80 + 0.17 * depth) + relief
        band = slice(max(0, int(crest.min())), int(height * HORIZON) + 1)
        below = rows[band] - crest[None, :]
        haze = np.clip(below / (0.16 * height), 0, 1) * (1 - depth) * 0.5
        colour = _mix(_mix(far, near, depth**0.8), _colour(240, 160, 130), haze[..., None])
        picture[band] = _mix(picture[band], colour, np.clip(below, 0, 1)[..., None])


def _add_lake(rng: np.random.Generator, picture: Floats) -> None:
    height, width, _ = picture.shape
    shore = int(height * HORIZON)
    depth = height - shore
    mirrored = picture[shore - depth : shore][::-1] if depth <= shore else picture[:shore][::-1][:depth]
    distance = np.linspace(0, 1, depth, dtype=np.float32)
    shift = (_noise(rng, depth, 9, 40, 0.8) * (2 + 46 * distance)).astype(int)
    columns = (np.arange(width)[None, :] + shift[:, None]) % width
    water = np.take_along_axis(mirrored, columns[..., None], axis=1)
    water = _mix(water, _colour(38, 44, 88), (0.22 + 0.45 * distance)[:, None, None])
    glints = np.clip(_noise(rng, depth, 9, 60, 0.9), 0, 1)[:, None] * np.exp(
        -(((np.linspace(0, 1, width, dtype=np.float32) - 0.63) / 0.07) ** 2)
    )
    picture[shore:] = _mix(water, _colour(255, 226, 180), (0.9 * glints)[..., None])


def paint(width: int = WIDTH, height: int = HEIGHT, seed: int = 7) -> Image.Image:
    """The picture as RGB; the same arguments always give the same pixels."""
    rng = np.random.default_rng(seed)
    picture = _sky(rng, width, height)
    _add_ridges(rng, picture)
    _add_lake(rng, picture)
    grain = rng.normal(0, 2.2, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8))


def _palette(rng: np.random.Generator) -> Floats:
    """Six colours from dark to light, shape (6, 3)."""
    return np.array(PALETTES[rng.integers(len(PALETTES))], np.float32)


def _relief(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Smooth hills in [0, 1], shape (height, width): waves of random direction, bent by one another."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(width, height)
    total = np.zeros((height, width), np.float32)
    for octave in range(7):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        rate = 4.0 * 1.55**octave
        total += np.sin(rate * (x * np.cos(angle) + y * np.sin(angle)) + phase + 1.6 * total) / 1.5**octave
    low, high = total.min(), total.max()
    return np.asarray((total - low) / (high - low), np.float32)


def contours(width: int, height: int, seed: int) -> Image.Image:
    """Layers of paper cut along contour lines, each with a soft shadow."""
    rng = np.random.default_rng(seed)
    colours, layers = _palette(rng), 14
    level = _relief(rng, width, height) * layers
    floor = np.floor(level)
    stops = [(index / (len(colours) - 1), tuple(map(int, colour))) for index, colour in enumerate(colours)]
    paper = _gradient(stops, (floor / layers).ravel()).reshape(height, width, 3)  # type: ignore[arg-type]
    shadow = 0.34 * np.exp(-(level - floor) * 5)
    light = 0.10 * np.exp(-(1 - (level - floor)) * 26)
    picture = paper * (1 - shadow[..., None]) + 255 * light[..., None]
    grain = rng.normal(0, 3.0, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8))


def tiles(width: int, height: int, seed: int) -> Image.Image:
    """A wall of square tiles, each with quarter circles around one of its corners."""
    rng = np.random.default_rng(seed)
    colours = _palette(rng)
    side = int(max(width, height) / rng.integers(7, 12))
    y, x = np.mgrid[0:height, 0:width]
    rows, columns = height // side + 1, width // side + 1
    row, column = y // side, x // side
    turned = rng.integers(0, 2, (2, rows, columns))
    u, v = (x % side + 0.5) / side, (y % side + 0.5) / side
    distance = np.hypot(np.abs(turned[0][row, column] - u), np.abs(turned[1][row, column] - v))
    inks = rng.integers(0, len(colours), (3, rows, columns))
    ring = np.digitize(distance, (0.34, 0.72)).astype(np.int64)
    glaze = colours[inks[ring, row, column]]
    edge = np.minimum(np.minimum(u, 1 - u), np.minimum(v, 1 - v)) * side
    picture = glaze * (1 - 0.22 * np.exp(-edge / 1.6))[..., None]
    grain = rng.normal(0, 3.5, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(picture + grain, 0, 255).astype(np.uint8))


def save(path: Path, width: int = WIDTH, height: int = HEIGHT, seed: int = 7) -> None:
    """Paint the picture into a JPEG file at `path`."""
    paint(width, height, seed).save(path, quality=QUALITY)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
