"""Make the watermark's fonts from Debian's Noto packages: what is bundled, and what lies in R2.

Small scripts are bundled with the renderer, one file a script. Every glyph of theirs also has a code of its
own in plane 15 (U+F0000 + glyph number), because Pillow draws characters and HarfBuzz answers with glyphs.
Chinese, Japanese and Korean take millions of bytes, so they go into one object in R2, the font pack, cut
into shards of which a name needs only a few; the index of the shards is bundled. Scripts that are rarer
still are shards, too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

ROOT = Path(__file__).resolve().parent.parent
BUNDLED = ROOT / "variants/src/imaging/fonts"
PACK = ROOT / "assets/fonts"
PACKAGES = {"fonts-noto-core": "20201225-1", "fonts-noto-cjk": "1:20220127+repack1-1"}
GLYPHS = 0xF0000
JOINERS = (0x200C, 0x200D)
DOTTED_CIRCLE = 0x25CC  # what HarfBuzz puts below a mark that has no letter

# ISO 15924 code → the font's name at Noto and the blocks of Unicode that are taken from it.
SMALL = {
    "Arab": ("Arabic", ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF))),
    "Armn": ("Armenian", ((0x530, 0x58F),)),
    "Deva": ("Devanagari", ((0x900, 0x97F), (0x1CD0, 0x1CFF), (0xA8E0, 0xA8FF))),
    "Geor": ("Georgian", ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F))),
    "Hebr": ("Hebrew", ((0x590, 0x5FF),)),
    "Thai": ("Thai", ((0xE00, 0xE7F),)),
}
RARER = {
    "Beng": ("Bengali", ((0x980, 0x9FF),)),
    "Ethi": ("Ethiopic", ((0x1200, 0x137F),)),
    "Gujr": ("Gujarati", ((0xA80, 0xAFF),)),
    "Guru": ("Gurmukhi", ((0xA00, 0xA7F),)),
    "Khmr": ("Khmer", ((0x1780, 0x17FF),)),
    "Knda": ("Kannada", ((0xC80, 0xCFF),)),
    "Laoo": ("Lao", ((0xE80, 0xEFF),)),
    "Mlym": ("Malayalam", ((0xD00, 0xD7F),)),
    "Mymr": ("Myanmar", ((0x1000, 0x109F),)),
    "Sinh": ("Sinhala", ((0xD80, 0xDFF),)),
    "Taml": ("Tamil", ((0xB80, 0xBFF),)),
    "Telu": ("Telugu", ((0xC00, 0xC7F),)),
}
# Kana and their punctuation, Han, Hangul; half and full width forms.
CJK = ((0x3000, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF))
SHARD = 256


def unpack_packages(folder: Path) -> None:
    """Download the pinned Debian packages and unpack them into `folder`."""
    for name, version in PACKAGES.items():
        subprocess.run(["apt-get", "download", "-qq", f"{name}={version}"], cwd=folder, check=True)
        [package] = folder.glob(f"{name}_*.deb")
        subprocess.run(["dpkg", "-x", package, folder], check=True)


def subsetted(font: TTFont, codes: list[int], *, shaped: bool) -> bytes:
    """The part of `font` that draws `codes`; with `shaped`, also HarfBuzz's tables and all glyphs' codes."""
    options = subset.Options()
    options.layout_features = ["*"] if shaped else []
    options.hinting = False
    options.notdef_outline = True
    options.name_IDs = []
    options.recalc_timestamp = False
    options.drop_tables += [] if shaped else ["vhea", "vmtx", "VORG", "BASE"]
    made = subset.Subsetter(options)
    made.populate(unicodes=codes)
    made.subset(font)
    if shaped:
        add_glyph_codes(font)
    file = BytesIO()
    font.save(file)
    return file.getvalue()


def add_glyph_codes(font: TTFont) -> None:
    """Give each glyph the code U+F0000 + its number, beside the codes that it has."""
    table: Any = CmapSubtable.newSubtable(12)
    table.platformID, table.platEncID, table.language = 3, 10, 0
    codes = {GLYPHS + number: name for number, name in enumerate(font.getGlyphOrder())}
    table.cmap = dict(font.getBestCmap()) | codes
    font["cmap"].tables = [table]


def codes_of(font: TTFont, blocks: tuple[tuple[int, int], ...]) -> list[int]:
    """The characters of the blocks that the font has."""
    known = font.getBestCmap()
    return [code for first, last in blocks for code in range(first, last + 1) if code in known]


def small_font(sources: Path, name: str, blocks: tuple[tuple[int, int], ...]) -> bytes:
    """The bold Noto Sans of one script, for HarfBuzz and Pillow."""
    font = TTFont(sources / f"usr/share/fonts/truetype/noto/NotoSans{name}-Bold.ttf", recalcTimestamp=False)
    return subsetted(font, [*codes_of(font, blocks), *JOINERS, DOTTED_CIRCLE], shaped=True)


def cjk_shards(sources: Path) -> dict[tuple[int, int], bytes]:
    """First and last code → a font of that part of Noto Sans CJK."""
    path = sources / "usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"
    simplified_chinese = 2
    shards = {}
    for first, last in CJK:
        for start in range(first, last + 1, SHARD):
            end = min(last, start + SHARD - 1)
            font = TTFont(path, fontNumber=simplified_chinese, lazy=True, recalcTimestamp=False)
            if codes := codes_of(font, ((start, end),)):
                shards[start, end] = subsetted(font, codes, shaped=False)
    return shards


def write_pack(sources: Path) -> None:
    """Write the font pack and its index, and remove the packs of earlier fonts."""
    parts: list[tuple[int, int, str, bytes]] = []
    for script, (name, blocks) in RARER.items():
        data = small_font(sources, name, blocks)
        parts += [(first, last, script, data) for first, last in blocks]
    parts += [(first, last, "", data) for (first, last), data in cjk_shards(sources).items()]
    packed, shards = bytearray(), []
    for first, last, script, data in sorted(parts):
        shard = zlib.compress(data, 9)
        shards.append([first, last, script, len(packed), len(shard)])
        packed += shard
    digest = hashlib.sha256(packed).hexdigest()
    PACK.mkdir(parents=True, exist_ok=True)
    for stale in PACK.glob("*.pack"):
        stale.unlink()
    name = f"noto-{digest[:12]}.pack"
    (PACK / name).write_bytes(packed)
    rows = ",\n".join(f"    {json.dumps(shard)}" for shard in shards)
    index = f'{{\n  "key": "fonts/{name}",\n  "sha256": "{digest}",\n  "shards": [\n{rows}\n  ]\n}}\n'
    (BUNDLED / "pack.json").write_text(index)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        sources = Path(scratch)
        unpack_packages(sources)
        for script, (name, blocks) in SMALL.items():
            (BUNDLED / f"{script}.ttf").write_bytes(small_font(sources, name, blocks))
        write_pack(sources)
    return 0


if __name__ == "__main__":
    sys.exit(main())
