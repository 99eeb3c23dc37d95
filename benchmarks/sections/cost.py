"""What a create costs: CPU milliseconds of workerd, in dollars, beside three transformations by Images.

All of workerd's CPU counts, with that of the emulated R2, D1 and KV that production does not bill as CPU:
an upper bound.
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.gallery import Gallery, gallery
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort
from benchmarks.processes import cpu_seconds, descendants, named

MEGAPIXELS = (2, 12, 24)
DOLLARS_A_CPU_MS = 0.02 / 1e6
DOLLARS_A_TRANSFORMATION = 0.50 / 1000
BATCH = 5


def run(effort: Effort) -> dict[str, Any]:
    images = round(3 * DOLLARS_A_TRANSFORMATION * 1000, 2)
    with gallery() as running:
        creates = {
            f"{megapixels} MP": _create(running, Input(Kind.BASELINE, megapixels), effort.times(4, 1))
            for megapixels in MEGAPIXELS
        }
    return {"creates": creates, "imagesBindingDollarsAThousand": images}


def _create(running: Gallery, picture: Input, batches: int) -> dict[str, Any]:
    """CPU a create, of batches of creates: one tick of the kernel's clock is 10 ms."""
    originals = [running.upload(picture) for _ in range(batches * BATCH + 1)]
    running.create(originals.pop())
    pids = named(descendants(running.pid), "workerd")
    assert pids
    spent = []
    for batch in range(batches):
        before = cpu_seconds(pids)
        for original in originals[batch * BATCH : (batch + 1) * BATCH]:
            status = running.create(original).facts["status"]
            assert status == 201, status
        spent.append((cpu_seconds(pids) - before) * 1000 / BATCH)
    middle = statistics.median(spent)
    return {
        "cpuMs": round(middle, 1),
        "raw": [round(value, 1) for value in spent],
        "dollarsAThousand": round(middle * 1000 * DOLLARS_A_CPU_MS, 4),
    }
