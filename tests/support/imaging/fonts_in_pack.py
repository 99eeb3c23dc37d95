"""The font pack as it lies in the repository."""

from pathlib import Path

from imaging.text.fonts import read_pack

ROOT = Path(__file__).parents[3]
FONTS = ROOT / "variants/src/imaging/fonts"
PACK = (ROOT / "assets" / read_pack()[0]).read_bytes()
