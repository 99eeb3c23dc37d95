"""The Python half of imaging_memory.mjs: runs inside Pyodide."""

import sys
from collections.abc import AsyncGenerator
from pathlib import Path

sys.path[:0] = ["/bundle", "/bundle/python_modules"]

from imaging import heap  # noqa: E402
from imaging.geometry import Size  # noqa: E402
from imaging.render import Options, render  # noqa: E402
from imaging.variants import Variant  # noqa: E402

CHUNK = 1 << 18
OPTIONS = {
    "thumbnail": Options(size=Size(300, 300)),
    "icon": Options(size=Size(128, 128)),
    "watermark": Options(text="@painter"),
}
# As much as is in use in production, and a few MiB to spare; a block of that size is above all others.
padding = bytes(max(0, heap.AT_REST - id(bytes(heap.LARGE))))


class FileSource:
    """An original on disk, read as R2's stream is: a chunk at a time."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self.size = self._path.stat().st_size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


async def render_file(variant: str, path: str, unlimited: bool) -> str | None:
    """Render; what went wrong, or None."""
    if unlimited:
        heap.BUDGET = 1 << 40
        heap.MOST_PIXELS = heap.MOST_PIXELS_INFLATED = 1 << 40
    else:
        heap.grow()
    try:
        await render(Variant(variant), FileSource(path), OPTIONS[variant])
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    return None
