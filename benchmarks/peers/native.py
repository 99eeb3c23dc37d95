"""Native Pillow with the siblings' own code, driven by lines of JSON: {path} → {ms, cpuMs, …}."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "variants/src"), str(ROOT / "benchmarks/peers/workers")]

from clock import StageClock  # noqa: E402
from staging import watch_renderer  # noqa: E402

from imaging.geometry import Size  # noqa: E402
from imaging.preview import preview_of  # noqa: E402
from imaging.render import Options, render  # noqa: E402
from imaging.variants import Variant  # noqa: E402

CHUNK = 1 << 18
OPTIONS = {
    Variant.THUMBNAIL: Options(size=Size(300, 300)),
    Variant.ICON: Options(size=Size(128, 128)),
    Variant.WATERMARK: Options(text="@painter"),
}


class FileSource:
    """A file, read in the chunks in which a sibling reads R2."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def memory(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) * 1024 if found else 0


async def trio(path: Path, folder: Path) -> dict[str, int]:
    """Render all three variants into the folder; their sizes in bytes."""
    sizes = {}
    for variant, options in OPTIONS.items():
        describe = preview_of if variant is Variant.THUMBNAIL else None
        rendition = await render(variant, FileSource(path), options, describe)
        (folder / variant).write_bytes(rendition.data)
        sizes[str(variant)] = len(rendition.data)
    return sizes


def run(path: Path, clock: StageClock | None) -> dict[str, Any]:
    at_rest = memory("VmRSS")
    with tempfile.TemporaryDirectory(prefix="vfa-native-") as folder:
        cpu, started = time.process_time(), time.perf_counter()
        outputs = asyncio.run(trio(path, Path(folder)))
        ms, cpu_ms = (time.perf_counter() - started) * 1000, (time.process_time() - cpu) * 1000
    stages = clock.milliseconds() if clock else None
    return {
        "ms": ms,
        "cpuMs": cpu_ms,
        "outputs": outputs,
        "stages": stages,
        "memoryBytes": memory("VmHWM") - at_rest,
    }


def main() -> None:
    clock = StageClock() if "--stages" in sys.argv else None
    if clock:
        watch_renderer(clock)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if clock:
            clock.reset()
        try:
            answer = run(Path(json.loads(line)["path"]), clock)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
