"""The peak of memory by megapixels.

In workerd: WebAssembly memory (of the largest isolate, for this project) and what JavaScript holds of the
original. Elsewhere: how far the process grew above where it rested.
"""

from __future__ import annotations

from typing import Any

from benchmarks.engines import IN_WORKERD, TITLES, alone
from benchmarks.harness import Failed
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort

MEGAPIXELS = (2, 4, 8, 12, 24, 48, 100)
HEAVY_MEGAPIXELS = 24
HEAVY = ("photon", "photon-once", "jsquash")
OTHERS = (
    Input(Kind.PROGRESSIVE, 12),
    Input(Kind.PNG_RGB, 12),
    Input(Kind.PNG_RGBA, 12),
    Input(Kind.WEBP, 4),
)
SKIPPED = ("images",)  # its memory is Node's, and not of this suite's making


def run(effort: Effort) -> dict[str, Any]:
    engines = [name for name in TITLES if name not in SKIPPED]
    if effort.quick:
        engines = ["ours", "photon", "native"]
    sizes = MEGAPIXELS[:4] if effort.quick else MEGAPIXELS
    rising = [Input(Kind.BASELINE, megapixels) for megapixels in sizes]
    found = {}
    for name in engines:
        limit = HEAVY_MEGAPIXELS if name in HEAVY else max(MEGAPIXELS)
        groups = [[original for original in rising if original.megapixels <= limit]]
        groups += [] if effort.quick else [[original] for original in OTHERS]
        found[name] = {key: value for group in groups for key, value in _peaks(name, group).items()}
    return found


def _peaks(name: str, originals: list[Input]) -> dict[str, Any]:
    """Peak in bytes by input, in fresh processes.

    A heap only ever grows, so one isolate does for rising sizes; a process's growth is counted from its rest.
    """
    if name not in IN_WORKERD and len(originals) > 1:
        return {key: value for original in originals for key, value in _peaks(name, [original]).items()}
    found: dict[str, Any] = {}
    with alone(name) as engine:
        for original in originals:
            try:
                found[original.name] = engine.render(original).facts["memoryBytes"]
            except Failed as failure:
                found[original.name] = {"failed": str(failure)}
                break
    return found
