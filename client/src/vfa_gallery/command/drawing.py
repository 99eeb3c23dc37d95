"""Pictures drawn with half blocks, two pixels to a character."""

from __future__ import annotations

import io

from rich.text import Text


def draw(picture: bytes, width: int) -> Text:
    """A picture as lines of `width` characters."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as opened:
        height = max(2, round(opened.height * width / opened.width) // 2 * 2)
        image = opened.convert("RGB").resize((width, height))
    pixels: bytes = image.tobytes()

    def colour(x: int, y: int) -> str:
        start = (y * width + x) * 3
        return "#" + pixels[start : start + 3].hex()

    text = Text(no_wrap=True)
    for y in range(0, height, 2):
        for x in range(width):
            text.append("▀", style=f"{colour(x, y)} on {colour(x, y + 1)}")
        text.append("\n")
    return text
