"""The half of test_memory.py that runs in Pyodide: the display of 200 megapixels, as a pipeline of rows.

Prints a line of JSON: MiB of WebAssembly memory before and after, and bytes that the kernels' objects took.
"""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

sys.path[:0] = ["/bundle", "/bundle/python_modules"]

import vfa_kernels  # noqa: E402
from PIL import Image  # noqa: E402
from pyodide_js import _module  # type: ignore[import-not-found]  # noqa: E402

WIDTH, ROWS = 16_320, 766  # of the picture in /given, which has one row of units
HEIGHT = 16 * ROWS
DISPLAY = (2048, 1538)


def chunks() -> Iterator[bytes]:
    """One row of units again and again, a restart between two."""
    data = Path("/given/row.jpg").read_bytes()
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda") + 14
    yield data[: frame + 5] + HEIGHT.to_bytes(2, "big") + data[frame + 7 : scan]
    for row in range(ROWS):
        yield data[scan:-2] + (b"\xff\xd9" if row == ROWS - 1 else bytes([0xFF, 0xD0 + row % 8]))


def heap() -> float:
    return float(_module.HEAP8.length) / (1 << 20)


before = heap()
decoder = vfa_kernels.JpegDecoder(1, 1)
sizes = [(WIDTH, HEIGHT), *[(WIDTH // 2, HEIGHT // 2)] * 2]
resizers = [vfa_kernels.Resizer(size, (0, 0, *size), DISPLAY) for size in sizes]
for part, resizer in enumerate(resizers):
    decoder.attach(part, resizer)
planes = [bytearray(DISPLAY[0] * DISPLAY[1]) for _ in sizes]
made = [0, 0, 0]
for chunk in chunks():
    decoder.feed(chunk)
    while decoder.step():
        for part, resizer in enumerate(resizers):
            made[part] += DISPLAY[0] * resizer.take_into(planes[part], made[part])
assert decoder.done
assert made == [len(plane) for plane in planes]
halved = vfa_kernels.chroma_loss(planes[1], planes[2], DISPLAY) <= 2
encoder = vfa_kernels.JpegEncoder(DISPLAY, 85, halved)
line = DISPLAY[0] * 64
data = [
    encoder.push(*(memoryview(plane)[top : top + line] for plane in planes))
    for top in range(0, len(planes[0]), line)
]
with Image.open(BytesIO(b"".join(data))) as shown:
    assert shown.size == DISPLAY
state = decoder.memory + encoder.memory + sum(resizer.memory for resizer in resizers)
print(json.dumps({"before": before, "after": heap(), "state": state, "damage": decoder.damage}))  # noqa: T201
