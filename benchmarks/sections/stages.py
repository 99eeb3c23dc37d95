"""Where the time of a rendition goes: each renderer alone in workerd, and the same code natively."""

from __future__ import annotations

from typing import Any

from benchmarks.engines import Engine, Workerd, native, workerd
from benchmarks.harness import ROUNDS, Sample, interleaved, summary, timed
from benchmarks.inputs import Input, Kind
from benchmarks.places import Effort

INPUTS = (
    Input(Kind.BASELINE, 12),
    Input(Kind.BASELINE, 24),
    Input(Kind.PROGRESSIVE, 12),
    Input(Kind.PNG_RGB, 12),
    Input(Kind.PNG_RGBA, 12),
    Input(Kind.WEBP, 4),
)
VARIANTS = ("thumbnail", "icon", "watermark")
STAGES = (
    "fetch",
    "open",
    "decode",
    "colour",
    "resize",
    "orient",
    "mark",
    "encode",
    "preview",
    "put",
    "rest",
)


def run(effort: Effort) -> dict[str, Any]:
    inputs = INPUTS[:1] if effort.quick else INPUTS
    with workerd("staged") as renderers, native("--stages") as plain:
        return {original.name: _measured(renderers, plain, original, effort) for original in inputs}


def _measured(renderers: Workerd, plain: Engine, original: Input, effort: Effort) -> dict[str, Any]:
    key = renderers.store(original)

    def alone(variant: str) -> Sample:
        return timed(lambda: renderers.ask("staged", {"key": key, "variants": [variant]})["stages"][variant])

    def natively() -> Sample:
        sample = plain.render(original)
        return Sample(sample.ms, sample.facts["stages"])

    subjects = {variant: lambda variant=variant: alone(variant) for variant in VARIANTS}
    found = interleaved({**subjects, "native": natively}, effort.times(ROUNDS, 2))
    return {name: _stages(samples) for name, samples in found.items()}


def _stages(samples: list[Sample] | str) -> dict[str, Any]:
    if isinstance(samples, str):
        return {"failed": samples}
    return {
        "total": summary([sample.ms for sample in samples]),
        **{name: summary([sample.facts.get(name, 0.0) for sample in samples]) for name in STAGES},
    }
