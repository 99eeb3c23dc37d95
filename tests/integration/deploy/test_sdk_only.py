"""The Workers' sources use the documented Workers SDK and nothing of the local runtime."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.deploy.projects import FILES, ROOT, SOURCES, VARIANTS

# What Cloudflare documents for Python Workers; the packages are those that the projects ask for.
SDK = {"workers", "js", "pyodide", "pyodide.ffi", "pyodide.http"}
IMPORT_NAMES = {
    "pillow": "PIL",
    "pyjwt": "jwt",
    "thumbhash": "thumbhash",
    "vfa-shaping": "vfa_shaping",
    "vfa-kernels": "vfa_kernels",
    "vfa-webp": "vfa_webp",
    "workers-runtime-sdk": "workers",
}
MODULES = sorted({path for folder in SOURCES.values() for path in folder.rglob("*.py")})

# What runtime/ adds to an isolate, what the SDK keeps to itself, and ways to import without being seen.
NAMES = {
    *("_pyodide_entrypoint_helper", "_cloudflare_compat_flags", "pyodide_js", "_pyodide_core", "_pyodide"),
    *("boot", "patchWaitUntil", "registerJsModule", "RUNTIME", "RUNTIME_FILES", "UNSAFE_EVAL", "unsafeEval"),
    *("import_module", "__import__"),
}
MARKS = ("x-runtime-token", "/session/metadata", "pyodide.local")


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def names(source: str) -> Iterator[str]:
    """Every name, and every string, for `getattr` takes a name as one."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.alias(name=name):
                yield from name.split(".")
            case ast.ImportFrom(module=str(module)):
                yield from module.split(".")
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Constant(value=str(name)):
                yield name


def extras(source: str) -> list[str]:
    return [name for name in names(source) if name in NAMES or any(mark in name for mark in MARKS)]


def packages_of(name: str) -> set[str]:
    project = tomllib.loads((FILES[name].parent / "pyproject.toml").read_text())["project"]
    return {IMPORT_NAMES[requirement.split("==")[0]] for requirement in project["dependencies"]}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_uses_nothing_of_the_local_runtime(path: Path) -> None:
    assert extras(path.read_text()) == []


@pytest.mark.parametrize("projects", [["gateway"], VARIANTS], ids=["gateway", "siblings"])
def test_workers_import_the_sdk_the_standard_library_and_what_they_ask_for(projects: list[str]) -> None:
    sources = SOURCES[projects[0]]
    own = {path.stem if path.is_file() else path.name for path in sources.iterdir()}
    others = set()
    for path in sources.rglob("*.py"):
        for module in imported(path.read_text()):
            top = module.partition(".")[0]
            if top in ("workers", "js", "pyodide"):
                assert module in SDK, f"{path.name} imports {module}"
            elif top not in own and top not in sys.stdlib_module_names:
                others.add(top)
    assert others | {"workers"} == set().union(*map(packages_of, projects))


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    "source",
    [
        "import {}",
        "import {}.more",
        "from {} import x",
        "from x import {}",
        "x.{}()",
        "{}(1)",
        "getattr(x, '{}')",
    ],
)
def test_a_use_of_the_local_runtime_is_found(source: str, name: str) -> None:
    assert extras(source.format(name)) == [name]


@pytest.mark.parametrize("mark", MARKS)
def test_an_address_of_the_local_runtime_is_found(mark: str) -> None:
    assert extras(f"x = '{mark}'")
    assert extras(f"x = f'http://host{mark}/{{name}}'")


def test_what_only_looks_alike_is_let_through() -> None:
    assert extras("import pyodide; x = reboot(RUNTIMES, 'the runtime boots')") == []
