"""Tables of the results, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import goals, runs
from benchmarks.engines import TITLES
from benchmarks.inputs import MEASURED, NAMES, Input, Kind
from benchmarks.sections.largest import ENGINES as LARGEST_OF
from benchmarks.sections.stages import STAGES

MIB = 1 << 20
Measured = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ms(result: Measured | None) -> str:
    if result is None:
        return "–"
    if "ms" not in result:
        return "fails"
    few = len(result["ms"]["raw"]) < 7
    return f"{result['ms']['median']:.0f} ± {result['ms']['spread']:.0%}{' *' if few else ''}"


def trio(measured: Measured) -> str:
    inputs = [original for original in MEASURED if original.name in measured]
    rows = [
        [title, *(_ms(measured[original.name].get(engine)) for original in inputs)]
        for engine, title in TITLES.items()
    ]
    note = "\\* fewer than seven rounds. ± is half the distance of the quartiles. – not run: see the method."
    return table(["ms", *(original.title for original in inputs)], rows) + f"\n\n{note}"


def _titled(name: str) -> str:
    kind, _, megapixels = name.rpartition("-")
    return Input(Kind(kind), float(megapixels)).title


def stages(measured: Measured) -> str:
    rows = []
    for original, found in measured.items():
        for variant, times in found.items():
            if "failed" in times:
                rows.append([_titled(original), variant, times["failed"], *[""] * len(STAGES)])
                continue
            cells = [f"{times[stage]['median']:.0f}" for stage in STAGES]
            rows.append([_titled(original), variant, f"{times['total']['median']:.0f}", *cells])
    head = ["original", "rendition", "all", *STAGES]
    return table(head, rows) + "\n\n`native` is all three renditions by the same code under native Python."


def _mib(value: Any) -> str:
    if value is None:
        return "–"
    return "fails" if isinstance(value, dict) else f"{value / MIB:.0f}"


def memory(measured: Measured) -> str:
    names = list(dict.fromkeys(name for found in measured.values() for name in found))
    rows = [
        [TITLES[engine], *(_mib(found.get(name)) for name in names)] for engine, found in measured.items()
    ]
    return table(["MiB at the peak", *map(_titled, names)], rows)


def largest(measured: Measured) -> str:
    kinds = [kind for kind in NAMES if any(kind in found for found in measured.values())]

    def cell(found: Measured) -> str:
        if found["megapixels"] is None:
            return "< 1"
        return f"{'≥ ' if found['atLeast'] else ''}{found['megapixels']:g}"

    rows = [[TITLES[engine], *(cell(measured[engine][kind]) for kind in kinds)] for engine in LARGEST_OF]
    return table(["MP within 88 MiB", *(NAMES[kind] for kind in kinds)], rows)


def creates(measured: Measured) -> str:
    rows = []
    for name, found in measured["load"].items():
        latency, timing = found["latency"], found["serverTiming"]["ofOutside"]["median"]
        cells = [f"{latency[share]:.0f}" for share in ("p50", "p95", "p99")]
        rows.append([name, *cells, f"{found['perSecond']:.2f}", str(found["refused"]), f"{timing:.0%}"])
    head = ["original, clients", "p50 ms", "p95 ms", "p99 ms", "creates a second", "refused", "Server-Timing"]
    return table(head, rows) + "\n\n" + _shares(measured["shares"])


def _shares(measured: Measured) -> str:
    names = list(next(iter(measured.values()))["bindings"])
    rows = []
    for size, found in measured.items():
        total = found["create"]["median"]
        cells = [
            f"{found['bindings'][name]['median']:.0f} ({found['bindings'][name]['median'] / total:.0%})"
            for name in names
        ]
        rows.append(
            [size, f"{total:.0f}", *cells, f"{found['empty']['median']:.1f}", f"{found['overheadMs']:.0f}"]
        )
    return table(["one client, ms", "create", *names, "empty Worker", "overhead without siblings"], rows)


def reads(measured: Measured) -> str:
    empty = measured["latency"]["empty"]["p50"]
    rows = [
        [
            name,
            *(f"{found[share]:.2f}" for share in ("p50", "p95", "p99")),
            f"{found['p50'] / empty:.2f}×",
            f"{measured['perSecond'][name]:.0f}",
        ]
        for name, found in measured["latency"].items()
    ]
    return table(["GET", "p50 ms", "p95 ms", "p99 ms", "of an empty Worker", "a second, 16 clients"], rows)


def starts(measured: Measured) -> str:
    cold = measured["isolates"]["coldMs"]
    warm = measured["isolates"]["warmMs"]
    rows = [
        [name, f"{found['median']:.0f}", f"{warm[name]['median']:.1f}" if name in warm else "–"]
        for name, found in cold.items()
    ]
    dev = f"`make dev` to ready: {measured['makeDev']['median'] / 1000:.1f} s with warm caches, "
    dev += (
        f"{measured['withoutCaches'] / 1000:.1f} s when bundles, snapshot and bytecode have yet to be made."
    )
    return table(["Worker", "cold start, ms", "warm request, ms"], rows) + f"\n\n{dev}"


def cost(measured: Measured) -> str:
    images = measured["imagesBindingDollarsAThousand"]
    rows = [
        [
            size,
            f"{found['cpuMs']:.0f}",
            f"${found['dollarsAThousand']:.3f}",
            f"${images:.2f}",
            f"{images / found['dollarsAThousand']:.0f}×",
        ]
        for size, found in measured["creates"].items()
    ]
    return table(
        ["original", "CPU ms a create", "a thousand uploads", "by the Images binding", "dearer by"], rows
    )


def reached(results: Mapping[str, Measured]) -> str:
    rows = []
    for goal in goals.GOALS:
        if goal.section not in results:
            continue
        try:
            value = goal.value(results[goal.section])
        except KeyError:
            continue
        bound = f"{'≥' if goal.floor else '≤'} {goal.bound:g}{goal.unit}"
        rows.append([goal.title, bound, f"{value:.2f}{goal.unit}", "yes" if goal.met(value) else "**no**"])
    return table(["goal", "bound", "measured", "met"], rows)


def trust(measured: Measured) -> str:
    rows = [[name, f"{value:g}" if isinstance(value, float) else value] for name, value in measured.items()]
    return table(["figure", "value"], rows)


PARTS: tuple[tuple[str, str, Callable[[Measured], str]], ...] = (
    ("trio", "The three renditions, by engine", trio),
    ("stages", "Stages of each rendition, ms", stages),
    ("memory", "Peak of memory", memory),
    ("largest", "Largest picture", largest),
    ("creates", "Creates", creates),
    ("reads", "Reads", reads),
    ("starts", "Starts", starts),
    ("cost", "Cost", cost),
    ("trust", "Load, kills, broken pictures, forged tokens", trust),
)


def report(folder: Path) -> str:
    """All tables of what has been measured."""
    files = {name: found for name, _, _ in PARTS if (found := runs.read(folder, name))}
    results = {name: file["measured"] for name, file in files.items()}
    parts = ["# Results", "Made by `make bench`; do not edit.", "## Goals", reached(results)]
    for name, title, draw in PARTS:
        if name in files:
            about = files[name]["about"]
            commit = about["machine"]["commit"]
            origin = f"Measured {about['at']} at commit {commit}, load {about['loadBefore']} before."
            parts += [f"## {title}", draw(results[name]), origin]
    if files:
        facts = next(iter(files.values()))["about"]["machine"]
        parts += [
            "## Machine and versions",
            table(["what", "value"], [[k, str(v)] for k, v in facts.items()]),
        ]
    return "\n\n".join(parts) + "\n"
