"""Vendor each Worker's dependencies into its python_modules, as `pywrangler sync` does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv/bin/uv"
BUILT = ROOT / "kernels/wheels"
PYTHONS: dict[str, dict[str, Any]] = json.loads((ROOT / "runtime/pythons.json").read_text())
# Packages that no registry has for WebAssembly: Pillow from the wheelhouse, the others built by the project.
WASM_WHEELS = {"pillow", *(path.name.split("-")[0].replace("_", "-") for path in BUILT.glob("*.whl"))}


@dataclass(frozen=True, slots=True)
class Project:
    """One Worker: its name and the folder of its wrangler.toml and pyproject.toml."""

    name: str
    folder: Path

    @property
    def python(self) -> str:
        """Version of Python that the Worker runs on, such as "3.13"."""
        return python_version(tomllib.loads((self.folder / "wrangler.toml").read_text()))

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
    *(Project(path.parent.name, path.parent) for path in sorted(ROOT.glob("variants/*/wrangler.toml"))),
)


def python_version(config: Mapping[str, Any]) -> str:
    """Version of Python for a parsed wrangler.toml, as workerd and pywrangler choose it, or PYTHON_WORKERS.

    Raises:
        Problem: the compatibility date or PYTHON_WORKERS names a version that is not in runtime/pythons.json.
    """
    override = os.environ.get("PYTHON_WORKERS")
    if override and override not in PYTHONS:
        raise Problem(f"PYTHON_WORKERS is {override}; it may be {' or '.join(PYTHONS)}")
    flags, date = set(config["compatibility_flags"]), str(config["compatibility_date"])
    newest_first = list(reversed(PYTHONS.items()))
    by_flag = [version for version, python in newest_first if flags & set(python["flags"])]
    by_date = [version for version, python in newest_first if date >= python["since"]]
    chosen = [override, *by_flag, *by_date] if override else [*by_flag, *by_date]
    if not chosen:
        raise Problem(f"{config['name']}: Python before {next(iter(PYTHONS))} is not supported")
    return str(chosen[0])


def pythons_in_use() -> list[str]:
    """Versions of Python that the Workers run on, oldest first."""
    used = {project.python for project in PROJECTS}
    return [version for version in PYTHONS if version in used]


def requirements(project: Project) -> list[str]:
    """The project's dependencies for its Python, each pinned with `==`, without environment markers."""
    pyproject = tomllib.loads((project.folder / "pyproject.toml").read_text())
    lines = [str(line).partition(";") for line in pyproject["project"]["dependencies"]]
    return [line.strip() for line, _, marker in lines if marker_holds(marker, project.python)]


def marker_holds(marker: str, version: str) -> bool:
    """Whether an environment marker that compares `python_version` holds, or there is none.

    Set-up has the standard library only, which has no parser of markers.

    Raises:
        Problem: the marker compares something else.
    """
    if not marker.strip():
        return True
    match = re.fullmatch(r"""\s*python_version\s*(<|>=|==)\s*["'](\d+)\.(\d+)["']\s*""", marker)
    if not match:
        raise Problem(f"only python_version may be compared in an environment marker, not: {marker.strip()}")
    ours, theirs = tuple(map(int, version.split("."))), (int(match[2]), int(match[3]))
    return {"<": ours < theirs, ">=": ours >= theirs, "==": ours == theirs}[match[1]]


def name_of(requirement: str) -> str:
    return requirement.split("==")[0]


def _uv(*arguments: str | Path, given: str = "") -> None:
    command = [str(UV), *(str(argument) for argument in arguments)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, input=given)
    if done.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed:\n{done.stderr.strip()}")


def lock(project: Project) -> None:
    """Resolve the project's dependencies into its lock, for every Python of runtime/pythons.json."""
    from_registries = [line for line in requirements(project) if name_of(line) not in WASM_WHEELS]
    _uv(
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-strip-extras", "--universal"),
        *("--python-version", next(iter(PYTHONS)), "--custom-compile-command", "make locks"),
        *("-o", project.lock, "-"),
        given="\n".join(from_registries),
    )


def vendor(project: Project, wheelhouse: Path) -> None:
    """Fill the project's python_modules with what its lock pins and the WebAssembly wheels it requires.

    `wheelhouse` is the folder that tools/wheelhouse.py fills, with a subfolder for each version of Python.
    """
    target = project.python_modules
    shutil.rmtree(target, ignore_errors=True)
    _uv(
        *("pip", "install", "--quiet", "--target", target, "--python-version", project.python, "--no-deps"),
        *("--only-binary", ":all:", "--require-hashes", "-r", project.lock),
    )
    for name in {name_of(line) for line in requirements(project)} & WASM_WHEELS:
        pattern = f"{name.replace('-', '_')}-*.whl"
        folder = wheelhouse / project.python
        unpack(next(iter([*folder.glob(pattern), *BUILT.glob(pattern)])), project.python, target)
    (target / ".lock").unlink(missing_ok=True)


def unpack(wheel: Path, python: str, target: Path) -> None:
    """Install a wheel for WebAssembly into `target`, its extension modules named for the version of Python.

    The modules that the project builds need no other change: they use the stable ABI (PEP 384).
    """
    tag = f"cpython-{python.replace('.', '')}-"
    renamed: dict[str, str] = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            renamed[name] = re.sub(r"cpython-\d+-(?=[^/]*\.so$)", tag, name)
            path = target / renamed[name]
            if not name.endswith("/"):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))
    if all(old == new for old, new in renamed.items()):
        return
    (record,) = (target / name for name in renamed if name.endswith(".dist-info/RECORD"))
    lines = [line.split(",", 1) for line in record.read_text().splitlines()]
    record.write_text("".join(f"{renamed.get(name, name)},{rest}\n" for name, rest in lines))


if __name__ == "__main__":
    for each in PROJECTS:
        lock(each)
