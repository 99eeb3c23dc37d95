"""The two plots of the README, drawn from results: time by input and engine, memory by megapixels.

Runs in an environment of its own that has matplotlib: plots.py <folder of results> <folder for plots>.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import NullLocator

MIB = 1 << 20
LIMIT_MIB = 128
BUDGET_MIB = 88
ENGINES = {
    "ours": ("this project (Pillow in workerd)", "#d1495b"),
    "native": ("native Pillow, same code", "#edae49"),
    "sharp": ("sharp, a pipeline a rendition", "#00798c"),
    "sharp-once": ("sharp, decoded once", "#66b2b8"),
    "images": ("Images binding, emulated", "#30638e"),
    "jsquash": ("jSquash in workerd", "#8d7fb3"),
    "photon-once": ("photon in workerd, decoded once", "#a0a4a8"),
    "photon": ("photon in workerd, a pipeline a rendition", "#5c6166"),
}
JPEG = ("baseline", "progressive")
KINDS = {
    "baseline": "baseline JPEG",
    "progressive": "progressive JPEG",
    "png-rgb": "PNG RGB",
    "png-rgba": "PNG RGBA",
    "webp": "WebP",
}


def _measured(folder: Path, section: str) -> dict[str, Any] | None:
    path = folder / f"{section}.json"
    return dict(json.loads(path.read_text())["measured"]) if path.exists() else None


def _label(name: str) -> str:
    kind, _, megapixels = name.rpartition("-")
    return f"{megapixels} MP\n{KINDS[kind]}"


def draw_time(trio: dict[str, Any], path: Path) -> None:
    """Grouped bars on a logarithmic scale, JPEG above the others; what failed or was not run is missing."""
    rows = [[name for name in trio if name.startswith(JPEG) is is_jpeg] for is_jpeg in (True, False)]
    rows = [row for row in rows if row]
    figure, grid = plt.subplots(len(rows), figsize=(11, 4.2 * len(rows)), squeeze=False, sharey=True)
    for names, axes in zip(rows, grid[:, 0], strict=True):
        _bars(axes, {name: trio[name] for name in names})
    grid[0, 0].set_title("Time for thumbnail, icon and watermarked display: shorter is better", loc="left")
    grid[0, 0].legend(fontsize=8, ncols=2, frameon=False, loc="upper left")
    _save(figure, path)


def _bars(axes: Any, measured: dict[str, Any]) -> None:
    width = 0.86 / len(ENGINES)
    for number, (engine, (title, colour)) in enumerate(ENGINES.items()):
        found = [(at, engines.get(engine, {}).get("ms")) for at, engines in enumerate(measured.values())]
        bars = [(at + (number + 0.5) * width - 0.43, ms) for at, ms in found if ms]
        medians = [ms["median"] for _, ms in bars]
        spread = [ms["median"] * ms["spread"] for _, ms in bars]
        places = [at for at, _ in bars]
        axes.bar(places, medians, width, yerr=spread, color=colour, label=title, ecolor="#333333")
    axes.set_yscale("log")
    axes.set_ylim(40, 60_000)
    _plain(axes.yaxis, (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000))
    axes.set_xticks(range(len(measured)), [_label(name) for name in measured], fontsize=8)
    axes.set_ylabel("three renditions, ms")
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)


def _plain(axis: Any, ticks: tuple[int, ...]) -> None:
    """Numbers as people write them, where a logarithmic axis would have powers of ten."""
    axis.set_ticks(ticks, [f"{tick:,}".replace(",", " ") for tick in ticks])
    axis.set_minor_locator(NullLocator())


def draw_memory(memory: dict[str, Any], path: Path) -> None:
    """Lines over the megapixels of a baseline JPEG, with what an isolate has."""
    figure, axes = plt.subplots(figsize=(8, 5.2))
    for engine, (title, colour) in ENGINES.items():
        points = [
            (float(name.rpartition("-")[2]), peak / MIB)
            for name, peak in memory.get(engine, {}).items()
            if name.startswith("baseline-") and not isinstance(peak, dict)
        ]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=title)
    axes.axhline(LIMIT_MIB, color="#222222", linestyle="--", linewidth=1)
    axes.text(2, LIMIT_MIB * 1.05, "all that an isolate has: 128 MB", fontsize=8)
    axes.axhline(BUDGET_MIB, color="#777777", linestyle=":", linewidth=1)
    axes.text(
        2, BUDGET_MIB * 0.88, "88 MiB of it for WebAssembly and the original", fontsize=8, color="#555555"
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(10, 1000)
    _plain(axes.xaxis, (2, 4, 8, 12, 24, 48, 100))
    _plain(axes.yaxis, (10, 20, 50, 100, 200, 500, 1000))
    axes.set_xlabel("megapixels of a baseline JPEG")
    axes.set_ylabel("peak of memory, MiB")
    axes.set_title("Memory for the three renditions", loc="left")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    for axes in figure.axes:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.tight_layout()
    # No version inside: the same results give the same file.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def main(results: Path, plots: Path) -> None:
    plots.mkdir(parents=True, exist_ok=True)
    trio, memory = _measured(results, "trio"), _measured(results, "memory")
    if trio:
        draw_time(trio, plots / "time.png")
    if memory:
        draw_memory(memory, plots / "memory.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
