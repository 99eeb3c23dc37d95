"""What may go wrong during a round, by worker, as the control port of the local runtime takes it."""

from __future__ import annotations

from typing import Any

DEADLINE_SECONDS = 2
TRANSIENT = "D1_ERROR: Network connection lost."
LASTING = "D1_ERROR: internal error"

Fault = dict[str, dict[str, Any]]


def _rendering(variant: str, kind: str, **more: int) -> Fault:
    return {variant: {"rendering": {"kind": kind, **more}}}


def _binding(binding: str, method: str, **fault: Any) -> Fault:
    return {"gateway": {"bindings": [{"binding": binding, "method": method, **fault}]}}


FAULTS: list[Fault] = [
    {},
    {},
    {},
    _rendering("icon", "error"),
    _rendering("watermark", "dies"),
    _rendering("thumbnail", "unwritten"),
    _rendering("icon", "late", ms=1000 * DEADLINE_SECONDS + 500),
    _binding("DB", "batch", times=30, message=TRANSIENT),
    _binding("DB", "batch", times=30, message=TRANSIENT, afterwards=True),
    _binding("DB", "batch", times=10, message=LASTING, matching="INSERT INTO artworks"),
    _binding("DB", "batch", times=10, message=LASTING, matching="INSERT INTO artworks", afterwards=True),
    _binding("DB", "statement", times=10, message=LASTING, matching="UPDATE uploads"),
    _binding("DB", "batch", times=40, ms=700, matching="INSERT INTO artworks|DELETE FROM artworks"),
    _binding("BUCKET", "delete", times=8, message="R2 is down"),
    _binding("BUCKET", "head", times=8, message="R2 is down"),
]
