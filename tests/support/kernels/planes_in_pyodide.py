"""The half of test_in_pyodide.py that runs in Pyodide: files in /given, decoded by the kernel and by libjpeg.

Prints a line of JSON for each: by scale, whether luma is the same, and chroma where libjpeg leaves it alone.
"""

import json
import sys
from pathlib import Path

sys.path[:0] = ["/bundle", "/bundle/python_modules", "/given"]

from oracle import SCALES, Plane, kernel_planes, pillow_planes  # type: ignore[import-not-found]  # noqa: E402


def compared(data: bytes, size: tuple[int, int], sampling: str) -> dict[str, list[bool]]:
    luma, chroma = [], []
    for scale in SCALES:
        [mine, *_] = kernel_planes(data, scale, 0)
        luma.append([mine] == pillow_planes(data, size, "L", scale))
        # Stored at half, chroma is scaled down half as far, and needs not be brought up.
        own = scale // 2 if sampling == "420" else scale
        if own and sampling in ("420", "444"):
            others: list[Plane] = kernel_planes(data, 0, own)[1:]
            chroma.append(others == pillow_planes(data, size, "YCbCr", scale)[1:])
    return {"luma": luma, "chroma": chroma}


for name, (size, sampling) in json.loads(Path("/given/files.json").read_text()).items():
    print(json.dumps({"name": name, **compared(Path("/given", name).read_bytes(), size, sampling)}))  # noqa: T201
