"""The demo's original: a painted dusk over mountains and a lake, made from noise and gradients."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WIDTH, HEIGHT = 4320, 2880
QUALITY = 92
RIDGES = 7
HORIZON = 0.66

Floats = NDArray[np.float32]


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


def save(path: Path, width: int = WIDTH, height: int = HEIGHT, seed: int = 7) -> None:
    """Paint the picture into a JPEG file at `path`."""
    paint(width, height, seed).save(path, quality=QUALITY)


if __name__ == "__main__":
    save(Path(sys.argv[1]))
