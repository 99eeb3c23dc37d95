"""The watermark's font pack, which renderers read from the bucket."""

from __future__ import annotations

import json
from pathlib import Path

from tools.vendor import ROOT

_INDEX = ROOT / "variants/src/imaging/fonts/pack.json"


def pack() -> tuple[str, Path]:
    """The key of this checkout's pack in the bucket, and its file."""
    key = str(json.loads(_INDEX.read_text())["key"])
    return key, ROOT / "assets" / key
