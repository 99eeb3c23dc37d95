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
BUILT = ROOT / "kernels/wheels"
# What no registry has for WebAssembly: name → wheel in the wheelhouse or among those that the project builds.
WASM_WHEELS = {
    "pillow": "pillow-*.whl",
    "vfa-kernels": "vfa_kernels-*.whl",
    "vfa-shaping": "vfa_shaping-*.whl",
    "vfa-webp": "vfa_webp-*.whl",
}


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


def requirements(project: Project) -> list[str]:
    """The lines of the project's dependencies, each pinned with `==`."""
    pyproject = tomllib.loads((project.folder / "pyproject.toml").read_text())
    return [str(line) for line in pyproject["project"]["dependencies"]]


def name_of(requirement: str) -> str:
    return requirement.split("==")[0]


def _uv(*arguments: str | Path, given: str = "") -> None:
    command = [str(UV), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, input=given)
    if done.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def lock(project: Project) -> None:
    """Resolve the project's dependencies for production's Python into its lock."""
    from_registries = [line for line in requirements(project) if name_of(line) not in WASM_WHEELS]
    _uv(
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-strip-extras", "--python-version", "3.13"),
        *("--custom-compile-command", "make locks", "-o", project.lock, "-"),
        given="\n".join(from_registries),
    )


def vendor(project: Project, wheelhouse: Path) -> None:
    """Fill the project's python_modules with what its lock pins and the WebAssembly wheels it asks for."""
    target = project.python_modules
    shutil.rmtree(target, ignore_errors=True)
    _uv(
        *("pip", "install", "--quiet", "--target", target, "--python-version", "3.13", "--no-deps"),
        *("--only-binary", ":all:", "--require-hashes", "-r", project.lock),
    )
    for name in {name_of(line) for line in requirements(project)} & WASM_WHEELS.keys():
        pattern = WASM_WHEELS[name]
        with zipfile.ZipFile(next(iter([*wheelhouse.glob(pattern), *BUILT.glob(pattern)]))) as wheel:
            wheel.extractall(target)
    (target / ".lock").unlink(missing_ok=True)


if __name__ == "__main__":
    for each in PROJECTS:
        lock(each)
