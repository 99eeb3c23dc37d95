"""`python_modules` hold what pyproject.toml asks for, at these versions, whole, and nothing else.

That is also what `pywrangler sync` resolves: the project's dependencies, the SDK, and what these need.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.vendor import BUILT, PROJECTS, WASM_WHEELS, Project

PYTHON = PROJECTS[0].python
TAGS = {"3.13": "cp313-cp313-pyodide_2025_0_wasm32", "3.14": "cp314-cp314-pyemscripten_2026_0_wasm32"}
MARKERS = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.2",
    "sys_platform": "emscripten",
    "platform_system": "Emscripten",
    "platform_machine": "wasm32",
    "os_name": "posix",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "extra": "",
}
SDK = "workers-runtime-sdk"

every_project = pytest.mark.parametrize("project", PROJECTS, ids=lambda project: project.name)


def asked_for(project: Project) -> dict[str, str]:
    """Name → exact version of every dependency in the project's pyproject.toml."""
    lines = tomllib.loads((project.folder / "pyproject.toml").read_text())["project"]["dependencies"]
    pins: dict[str, str] = {}
    for requirement in map(Requirement, lines):
        if requirement.marker and not requirement.marker.evaluate(MARKERS):
            continue
        (specifier,) = requirement.specifier
        assert specifier.operator == "==", f"{requirement} is not pinned"
        pins[canonicalize_name(requirement.name)] = specifier.version
    return pins


def vendored(project: Project) -> dict[str, importlib.metadata.Distribution]:
    found = importlib.metadata.distributions(path=[str(project.python_modules)])
    return {canonicalize_name(each.metadata["Name"]): each for each in found}


def needed(project: Project) -> set[str]:
    """The dependencies and what they need in turn, by what the vendored packages say of themselves."""
    packages, found = vendored(project), set()
    waiting = [*asked_for(project), SDK]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            for line in packages[name].requires or []:
                requirement = Requirement(line)
                if requirement.marker is None or requirement.marker.evaluate(MARKERS):
                    waiting.append(canonicalize_name(requirement.name))
    return found


@every_project
def test_what_is_asked_for_is_there_at_its_version(project: Project) -> None:
    packages = {name: each.version for name, each in vendored(project).items()}
    pins = asked_for(project)
    assert {name: packages.get(name) for name in pins} == pins


@every_project
def test_nothing_else_is_there(project: Project) -> None:
    assert set(vendored(project)) == needed(project)


@every_project
def test_the_lock_pins_what_is_there(project: Project) -> None:
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", project.lock.read_text(), re.MULTILINE))
    there = {name: each.version for name, each in vendored(project).items()}
    elsewhere = dict(asked_for(project).items() & there.items()).keys() & WASM_WHEELS
    there = {name: version for name, version in there.items() if name not in elsewhere}
    assert {canonicalize_name(name): version for name, version in locked.items()} == there


@every_project
def test_the_packages_are_whole(project: Project) -> None:
    for distribution in vendored(project).values():
        record = distribution.read_text("RECORD")
        assert record
        for name, digest, _ in csv.reader(record.splitlines()):
            path = project.python_modules / name
            if digest:
                algorithm, _, wanted = digest.partition("=")
                found = hashlib.new(algorithm, path.read_bytes()).digest()
                assert base64.urlsafe_b64encode(found).rstrip(b"=").decode() == wanted, path


def test_pillow_is_the_webassembly_build_of_the_version_that_the_tests_use() -> None:
    for project in PROJECTS[1:]:
        pillow = vendored(project)["pillow"]
        assert pillow.version == importlib.metadata.version("pillow")
        assert f"Tag: {TAGS[PYTHON]}" in (pillow.read_text("WHEEL") or "")
        assert list((project.python_modules / "PIL").glob("_imaging.*wasm32-emscripten.so"))
    assert not (PROJECTS[0].python_modules / "PIL").exists()


def test_the_wheels_that_are_built_here_have_the_digests_that_are_listed() -> None:
    lines = [line.split() for line in (BUILT / "SHA256SUMS").read_text().splitlines()]
    listed = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in BUILT.glob("*.whl")}
    assert listed == found


def test_no_package_bears_the_name_of_a_module_of_ours() -> None:
    root = PROJECTS[0].folder
    for project, sources in zip(PROJECTS, [root / "src", *[root / "variants/src"] * 3], strict=True):
        own = {path.stem for path in sources.iterdir() if path.name != "__pycache__"}
        assert not own & {path.stem for path in Path(project.python_modules).iterdir()}
