"""Compile vfa_kernels for this machine, so that unit tests run the same C that Workers run in WebAssembly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kernels.build import KERNELS, PIXELS, ROOT

FOLDER = ROOT / ".cache/native"
LIBRARY = FOLDER / "vfa_kernels.abi3.so"
SOURCES = KERNELS / "pixels"
COMPILERS = ("cc", "gcc", "clang")
# Only the stable ABI is used (python.h), and found in the interpreter that loads the module.
_SHARED = ["-shared", "-fPIC", "-fvisibility=hidden"]
_MACOS = ["-undefined", "dynamic_lookup"]


def find_compiler() -> str | None:
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def compile_natively() -> None:
    """Make LIBRARY, or say in a sentence why there is none; then Pillow does the work natively, too."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    LIBRARY.unlink(missing_ok=True)
    compiler = find_compiler()
    if not compiler:
        print(" there is no C compiler: unit tests run without vfa_kernels.", end="")
        return
    shared = [*_SHARED, *(_MACOS if sys.platform == "darwin" else [])]
    done = _compile(compiler, [*shared, "-O2", *map(str, paths_of(PIXELS)), "-lm", "-o", str(LIBRARY)])
    if done.returncode:
        LIBRARY.unlink(missing_ok=True)
        print(f" {compiler} cannot compile vfa_kernels: unit tests run without it.", end="")


def paths_of(names: Sequence[str]) -> list[Path]:
    return [SOURCES / name for name in names]


def _compile(compiler: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    command = [compiler, "-std=gnu11", f"-I{KERNELS}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)
