"""Render every picture of a folder and lay the renditions out on one sheet, to be looked at.

    python -m tools.contact_sheet FOLDER [--output contact-sheet.jpg] [--username painter]

Each cell shows a file's thumbnail, icon and display, or the sentence with which it was refused. The pictures
go through the same code as in the siblings, on this machine's Python.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "variants/src"))

from imaging.errors import RenderError  # noqa: E402
from imaging.geometry import Size  # noqa: E402
from imaging.render import Options, Rendition, render  # noqa: E402
from imaging.source import BytesSource  # noqa: E402
from imaging.variants import Variant  # noqa: E402

CELL = Size(560, 320)
COLUMNS = 3
GROUND, INK, FAULT = "#d8d4cc", "#222222", "#a01818"
_FONT = ROOT / "variants/src/imaging/fonts/NotoSans-Bold-subset.ttf"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: its renditions, or why there are none."""

    name: str
    renditions: dict[Variant, Rendition]
    refusal: str
    milliseconds: int


def outcome_of(file: Path, username: str) -> Outcome:
    """Render all three variants of a file."""
    options = {
        Variant.THUMBNAIL: Options(size=Size(300, 300)),
        Variant.ICON: Options(size=Size(128, 128)),
        Variant.WATERMARK: Options(text=f"@{username}"),
    }
    source = BytesSource(file.read_bytes())
    started = time.perf_counter()
    renditions, refusal = {}, ""
    try:
        for variant, option in options.items():
            renditions[variant] = asyncio.run(render(variant, source, option))
    except RenderError as error:
        refusal = f"{error.status} {error.code}: {error}"
    return Outcome(file.name, renditions, refusal, round((time.perf_counter() - started) * 1000))


def sheet_of(outcomes: list[Outcome]) -> Image.Image:
    """All outcomes, a few to a row."""
    rows = -(-len(outcomes) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL.width, rows * CELL.height), GROUND)
    for number, outcome in enumerate(outcomes):
        place = (number % COLUMNS * CELL.width, number // COLUMNS * CELL.height)
        sheet.paste(_cell(outcome), place)
    return sheet


def _cell(outcome: Outcome) -> Image.Image:
    cell = Image.new("RGB", CELL, GROUND)
    draw = ImageDraw.Draw(cell)
    draw.text(
        (8, 4), f"{outcome.name}  {outcome.milliseconds} ms", font=ImageFont.truetype(_FONT, 13), fill=INK
    )
    if outcome.refusal:
        _write(draw, outcome.refusal, CELL.width - 16)
        return cell
    left = 8
    for variant, limit in ((Variant.THUMBNAIL, 150), (Variant.ICON, 64), (Variant.WATERMARK, 290)):
        rendition = outcome.renditions[variant]
        picture = Image.open(BytesIO(rendition.data)).convert("RGB")
        picture.thumbnail((limit, 270), Image.Resampling.LANCZOS)
        cell.paste(picture, (left, 26))
        draw.text(
            (left, 30 + picture.height),
            f"{rendition.size.width} × {rendition.size.height}",
            font=ImageFont.truetype(_FONT, 11),
            fill=INK,
        )
        left += max(limit, 66) + 8
    return cell


def _write(draw: ImageDraw.ImageDraw, text: str, width: int) -> None:
    font = ImageFont.truetype(_FONT, 14)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if font.getlength(longer) <= width else [*lines, word]
    draw.multiline_text((8, 60), "\n".join(lines), font=font, fill=FAULT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, default=Path("contact-sheet.jpg"))
    parser.add_argument("--username", default="painter")
    options = parser.parse_args()
    files = sorted(file for file in options.folder.iterdir() if file.is_file())
    outcomes = [outcome_of(file, options.username) for file in files]
    sheet_of(outcomes).save(options.output, quality=90)
    print(f"{len(outcomes)} files, {sum(not each.refusal for each in outcomes)} rendered: {options.output}")


if __name__ == "__main__":
    main()
