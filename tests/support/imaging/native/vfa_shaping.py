"""Stands for the WebAssembly module where CPython runs natively: the same HarfBuzz, through uharfbuzz."""

import uharfbuzz


def shape(font: bytes, text: str, script: str, right_to_left: bool) -> list[tuple[int, int, int, int]]:
    """See kernels/shaping/shaping.cc."""
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if right_to_left else "ltr"
    buffer.script = script
    uharfbuzz.shape(uharfbuzz.Font(uharfbuzz.Face(font)), buffer)
    placed = zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
    return [(info.codepoint, at.x_offset, at.y_offset, at.x_advance) for info, at in placed]
