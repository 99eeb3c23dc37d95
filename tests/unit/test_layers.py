"""The layers: who may import whom, in the gateway, the renderer and the client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOUSES = {"src": ROOT / "src", "variants": ROOT / "variants/src", "client": ROOT / "client/src"}
PLATFORM = {"js", "pyodide", "pyodide_js", "workers"}
EDGES = {
    "src": {"entry", "gallery.cloudflare"},
    "variants": {"thumbnail", "icon", "watermark", "imaging.worker"},
    "client": {"vfa_gallery.transport"},
}
OWN = {"src": {"entry", "gallery"}, "variants": {"thumbnail", "icon", "watermark", "imaging"}}

# From the ground up; a module imports only from ranks below its own.
GALLERY = (
    "errors times variants access store http",
    "formats names queue strict_json settings access.signing",
    "keys access.jwks",
    "artwork isolate",
    "ports http.messages http.conditional",
    "store.database",
    "store.uploads store.artworks store.users",
    "store.leases store.search",
    "cleanup access.authentication",
    "access.uploads pipeline health",
    "read render",
    "create edit users",
    "reprocess",
    "sweep",
    "audit",
    "http.cors http.fields http.delivery http.page",
    "http.schemas http.feeds",
    "http.context",
    "http.openapi http.handlers http.site",
    "http.routes",
    "http.router",
    "app",
    "cloudflare",
)
IMAGING = (
    "errors geometry color formats text",
    "source heap queue variants kernels planes color.icc color.png text.bidi text.fonts formats.raster",
    "formats.exif",
    "resample color.cmyk text.line formats.jpeg_segments formats.png_header formats.tiff_tags",
    "encode color.convert text.mark formats.jpeg_reader formats.tiff_layout formats.png formats.webp",
    "formats.gif formats.jpeg_writer formats.tiff_unpack",
    "formats.jpeg_planes formats.jpeg_plan",
    "formats.jpeg_rows",
    "formats.jpeg",
    "formats.tiff_jpeg",
    "formats.tiff",
    "formats.original",
    "render",
    "contract preview",
    "worker",
)
# Package, ranks, and the entries above them.
RANKS = {
    "src": ("gallery", GALLERY, {"entry"}),
    "variants": ("imaging", IMAGING, {"thumbnail", "icon", "watermark"}),
}


@cache
def graph(house: str) -> dict[str, frozenset[str]]:
    """What each module of a house imports, relative names and those below `if TYPE_CHECKING` included."""
    root = HOUSES[house]
    paths = [path for path in root.rglob("*.py") if "python_modules" not in path.parts]
    return {module_name(path, root): frozenset(imports(path, root)) for path in paths}


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, root: Path) -> Iterator[str]:
    package = module_name(path, root).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def own_imports(house: str, name: str) -> set[str]:
    return {imported for imported in graph(house)[name] if imported in graph(house)} - {name}


@pytest.mark.parametrize("house", HOUSES)
def test_there_is_something_to_check(house: str) -> None:
    assert len(graph(house)) > 3


@pytest.mark.parametrize("house", HOUSES)
def test_no_import_goes_round_in_a_circle(house: str) -> None:
    TopologicalSorter({name: own_imports(house, name) for name in graph(house)}).prepare()


@pytest.mark.parametrize("house", HOUSES)
def test_only_the_edge_touches_the_platform(house: str) -> None:
    touching = {name for name, found in graph(house).items() if {i.split(".")[0] for i in found} & PLATFORM}
    assert touching <= EDGES[house]


def ranks_of(house: str) -> dict[str, int]:
    package, ranks, _ = RANKS[house]
    return {f"{package}.{name}": rank for rank, names in enumerate(ranks) for name in names.split()}


@pytest.mark.parametrize("house", RANKS)
def test_imports_go_down_only(house: str) -> None:
    ranks = ranks_of(house)
    upward = [
        f"{name} → {imported}"
        for name in ranks
        for imported in own_imports(house, name)
        if imported in ranks and ranks[imported] >= ranks[name]
    ]
    assert upward == []


@pytest.mark.parametrize("house", RANKS)
def test_every_module_has_its_rank(house: str) -> None:
    package, _, entries = RANKS[house]
    assert set(graph(house)) == {*ranks_of(house), package, *entries}


@pytest.mark.parametrize("house", HOUSES)
def test_the_houses_do_not_know_each_other(house: str) -> None:
    foreign = set().union(*(names for other, names in OWN.items() if other != house))
    met = {i.split(".")[0] for found in graph(house).values() for i in found}
    assert not met & foreign


def test_the_gateway_has_no_pillow() -> None:
    assert not any(i.split(".")[0] == "PIL" for found in graph("src").values() for i in found)


def test_sql_is_written_in_one_place() -> None:
    statement = re.compile(r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\b.+\bSET|DELETE\s+FROM)\b", re.DOTALL)
    writers = {
        path.name
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and statement.search(node.value)
    }
    assert writers == {"artworks.py", "search.py", "uploads.py", "users.py"}


def modules_used(folder: Path) -> set[str]:
    """Names of the modules that the Python files below a folder import."""
    files = [path for path in folder.rglob("*.py") if "node_modules" not in path.parts]
    return {name for path in files for name in imports(path, ROOT)}


def test_tests_and_benchmarks_share_only_the_tests_support() -> None:
    assert {name for name in modules_used(ROOT / "tests") if name.split(".")[0] == "benchmarks"} == set()
    from_tests = {name for name in modules_used(ROOT / "benchmarks") if name.split(".")[0] == "tests"}
    assert from_tests
    assert {name for name in from_tests if not name.startswith("tests.support")} == set()


def test_unit_tests_start_no_node_and_no_runtime() -> None:
    """`make unit` runs where neither is installed; what needs them is in tests/integration."""
    used = modules_used(ROOT / "tests/unit") | modules_used(ROOT / "benchmarks/tests")
    assert {name for name in used if name.startswith(("tools.stack", "tests.support.runtime"))} == set()
    starting = [
        path.relative_to(ROOT)
        for folder in ("tests/unit", "benchmarks/tests")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and re.fullmatch(r"(.*/)?(node|npm|workerd)", str(node.value))
    ]
    assert starting == []
