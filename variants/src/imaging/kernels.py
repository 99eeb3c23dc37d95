"""The module `vfa_kernels` (kernels/pixels), or None where it cannot be imported."""

from __future__ import annotations

try:
    import vfa_kernels as module
except ImportError:
    module = None  # type: ignore[assignment]

__all__ = ["module"]
