"""Vendor each Worker's dependencies into its python_modules, as `pywrangler sync` does."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv/bin/uv"
WASM_WHEELS = {"pillow": "pillow-*.whl"}


@dataclass(frozen=True, slots=True)
class Project:
    """One Worker: its name and the folder of its wrangler.toml and pyproject.toml."""

    name: str
    folder: Path

    @property
    def lock(self) -> Path:
        """Hash-pinned requirements of everything but the WebAssembly wheels."""
        return ROOT / "locks" / f"{self.name}.txt"

    @property
    def python_modules(self) -> Path:
        """Where wrangler looks for vendored packages."""
        return self.folder / "python_modules"


PROJECTS = (
    Project("gateway", ROOT),
    *(Project(variant, ROOT / "variants" / variant) for variant in ("thumbnail", "icon", "watermark")),
)


def _uv(*arguments: str | Path) -> None:
    command = [str(UV), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def lock(project: Project) -> None:
    """Resolve the project's dependencies for production's Python into its lock."""
    _uv(
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-strip-extras", "--python-version", "3.13"),
        *(word for name in WASM_WHEELS for word in ("--no-emit-package", name)),
        *("--custom-compile-command", "make locks", "-o", project.lock, project.folder / "pyproject.toml"),
    )


def vendor(project: Project, wheelhouse: Path) -> None:
    """Fill the project's python_modules with what its lock pins and the WebAssembly wheels it asks for."""
    target = project.python_modules
    shutil.rmtree(target, ignore_errors=True)
    _uv(
        *("pip", "install", "--quiet", "--target", target, "--python-version", "3.13", "--no-deps"),
        *("--only-binary", ":all:", "--require-hashes", "-r", project.lock),
    )
    pyproject = tomllib.loads((project.folder / "pyproject.toml").read_text())
    declared = {requirement.split("==")[0] for requirement in pyproject["project"]["dependencies"]}
    for name, pattern in WASM_WHEELS.items():
        if name in declared:
            with zipfile.ZipFile(next(wheelhouse.glob(pattern))) as wheel:
                wheel.extractall(target)
    (target / ".lock").unlink(missing_ok=True)


if __name__ == "__main__":
    for each in PROJECTS:
        lock(each)
