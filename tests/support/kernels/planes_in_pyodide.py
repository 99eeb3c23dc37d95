"""The half of test_in_pyodide.py that runs in Pyodide: files in /given, decoded by the kernel and by libjpeg.

Prints a line of JSON for each: by scale, whether luma is the same, and chroma where libjpeg leaves it alone;
and how the same picture is written by both, in full and with halved chroma.
"""

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path[:0] = ["/bundle", "/bundle/python_modules", "/given"]

import vfa_kernels  # noqa: E402
from oracle import SCALES, Plane, kernel_planes, pillow_planes  # type: ignore[import-not-found]  # noqa: E402
from PIL import Image, ImageChops, ImageStat  # noqa: E402


def compared(data: bytes, size: tuple[int, int], sampling: str) -> dict[str, Any]:
    luma, chroma = [], []
    for scale in SCALES:
        [mine, *_] = kernel_planes(data, scale, 0)
        luma.append([mine] == pillow_planes(data, size, "L", scale))
        # Stored at half, chroma is scaled down half as far, and needs not be brought up.
        own = scale // 2 if sampling == "420" else scale
        if own and sampling in ("420", "444"):
            others: list[Plane] = kernel_planes(data, 0, own)[1:]
            chroma.append(others == pillow_planes(data, size, "YCbCr", scale)[1:])
    with Image.open(BytesIO(data)) as picture:
        pixels = picture.convert("RGB")
    full, halved = written(pixels, halved=False), written(pixels, halved=True)
    return {"luma": luma, "chroma": chroma, "full": full, "halved": halved}


def written(pixels: Image.Image, halved: bool) -> dict[str, Any]:
    """The kernel's file beside Pillow's: the same or not, its length, how far apart what both show is."""
    out = BytesIO()
    pixels.save(out, "JPEG", quality=85, subsampling=2 if halved else 0)
    theirs = out.getvalue()
    mine = vfa_kernels.JpegEncoder(pixels.size, 85, halved, "RGB").push(pixels.tobytes())
    return {"same": mine == theirs, "length": len(mine) / len(theirs), "apart": _difference(mine, theirs)}


def _difference(one: bytes, other: bytes) -> float:
    """The mean squared difference of what two files show."""
    with Image.open(BytesIO(one)) as first, Image.open(BytesIO(other)) as second:
        shown = first.convert("RGB"), second.convert("RGB")
    squares = ImageStat.Stat(ImageChops.difference(*shown)).sum2
    mean: float = sum(squares) / len(squares) / (shown[0].width * shown[0].height)
    return mean


for name, (size, sampling) in json.loads(Path("/given/files.json").read_text()).items():
    print(json.dumps({"name": name, **compared(Path("/given", name).read_bytes(), size, sampling)}))  # noqa: T201
