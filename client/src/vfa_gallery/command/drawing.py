"""Pictures drawn with half blocks, two pixels to a character."""

from __future__ import annotations

import io

from rich.text import Text


def draw(picture: bytes, width: int) -> Text:
    """A picture as lines of `width` characters; ValueError when it is none."""
    height, pixels = _pixels(picture, width)

    def colour(x: int, y: int) -> str:
        start = (y * width + x) * 3
        return "#" + pixels[start : start + 3].hex()

    text = Text(no_wrap=True)
    for y in range(0, height, 2):
        for x in range(width):
            text.append("▀", style=f"{colour(x, y)} on {colour(x, y + 1)}")
        text.append("\n")
    return text


def _pixels(picture: bytes, width: int) -> tuple[int, bytes]:
    """Height and RGB bytes of the picture at that width."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            height = max(2, round(opened.height * width / opened.width) // 2 * 2)
            return height, opened.convert("RGB").resize((width, height)).tobytes()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not a picture") from error
