"""The Workers' sources use the documented Workers SDK and nothing of the local runtime."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.config.projects import FILES, ROOT, SOURCES, VARIANTS

# What Cloudflare documents for Python Workers; the packages are those that the projects ask for.
SDK = {"workers", "js", "pyodide", "pyodide.ffi", "pyodide.http"}
IMPORT_NAMES = {"pillow": "PIL", "pyjwt": "jwt", "workers-runtime-sdk": "workers", "thumbhash": "thumbhash"}
MODULES = sorted({path for folder in SOURCES.values() for path in folder.rglob("*.py")})

# What runtime/ adds to an isolate, and what the SDK keeps to itself.
EXTRAS = re.compile(
    r"_pyodide_entrypoint_helper|_cloudflare_compat_flags|pyodide_js|_pyodide_core|patchWaitUntil"
    r"|RUNTIME|UNSAFE_EVAL|unsafe_?eval|x-runtime-token|/session/metadata|registerJsModule|importlib\.import_module"
)


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def strings_and_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def extras(source: str) -> list[str]:
    used = [*imported(source), *strings_and_names(source)]
    return [text for text in used if EXTRAS.fullmatch(text) or text in ("boot", "_pyodide")]


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


@pytest.mark.parametrize(
    "source",
    [
        "import _pyodide_entrypoint_helper",
        "from boot import load",
        "secret = env.RUNTIME",
        'x = getattr(env, "UNSAFE_EVAL")',
        "request.headers.get('x-runtime-token')",
        "import pyodide_js",
    ],
)
def test_a_use_of_the_local_runtime_is_found(source: str) -> None:
    assert extras(source)
