"""Writes web/static/licences.txt: the third-party software that is deployed, with its licence texts.

Run `python -m tools.licences` after packages changed; the page ships the file, and a test compares them.
Packages of the page are those that its sources import and what these depend on; packages of the Workers are
those in `python_modules`.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "web/static/licences.txt"
NODE_MODULES = ROOT / "node_modules"
# Ours, under the licence of this repository, as wheels that hold other software beside it.
OWN_WHEELS = {"vfa_shaping": "HarfBuzz", "vfa_webp": "libwebp"}
FONTS = (
    ("Noto Sans (watermark)", "OFL-1.1", ROOT / "variants/src/imaging/fonts/OFL.txt"),
    ("Noto Sans and Noto Sans CJK (watermark, font pack)", "OFL-1.1", ROOT / "assets/fonts/OFL.txt"),
)
_IMPORT = re.compile(r"""(?:from|import|url\()\s*\(?["']((?:@[\w.-]+/)?[a-z][\w.-]*)""")
_TEXT_FILE = re.compile(r"(licen[cs]e|notice|copying|^ofl)", re.IGNORECASE)
_RULE = "=" * 80


@dataclass(frozen=True, slots=True)
class Component:
    """One piece of third-party software; `texts` are its licence and notice, possibly none."""

    name: str
    licence: str
    where: str
    texts: tuple[str, ...]


def page_packages() -> dict[str, dict[str, Any]]:
    """Name → package.json of every package that the page's sources import, and of what these depend on."""
    sources = [path for path in (ROOT / "web/src").rglob("*") if path.suffix in (".js", ".css")]
    waiting = [name for path in sources for name in _IMPORT.findall(path.read_text())]
    found: dict[str, dict[str, Any]] = {}
    while waiting:
        name = waiting.pop()
        manifest = NODE_MODULES / name / "package.json"
        if name not in found and manifest.exists():
            found[name] = json.loads(manifest.read_text())
            waiting += found[name].get("dependencies", {})
    return found


def page_components() -> Iterator[Component]:
    """The packages of the page. Types are no part of what is shipped."""
    for name, manifest in page_packages().items():
        if not name.startswith("@types/"):
            texts = _texts(path for path in (NODE_MODULES / name).iterdir() if path.suffix != ".map")
            yield Component(f"{name} {manifest['version']}", str(manifest.get("license", "")), "page", texts)


def worker_components() -> Iterator[Component]:
    """The packages that are vendored into the Workers."""
    for folder in (ROOT, *sorted(path.parent for path in ROOT.glob("variants/*/wrangler.toml"))):
        where = "gateway" if folder == ROOT else "renderers"
        for each in importlib.metadata.distributions(path=[str(folder / "python_modules")]):
            name = each.metadata["Name"].replace("-", "_")
            files = [Path(str(each.locate_file(path))) for path in each.files or ()]
            texts = _texts(path for path in files if ".dist-info" in str(path))
            if name in OWN_WHEELS:
                yield Component(f"{OWN_WHEELS[name]} (in {name})", "see below", where, texts)
            elif not name.startswith("vfa_"):
                yield Component(f"{name} {each.version}", _licence(each.metadata), where, texts)


def _licence(metadata: Any) -> str:
    if named := metadata.get("License-Expression") or metadata.get("License"):
        return str(named).splitlines()[0]
    classifiers = metadata.get_all("Classifier") or ()
    return ", ".join(each.rpartition(" :: ")[2] for each in classifiers if "License" in each)


def _texts(paths: Iterable[Path]) -> tuple[str, ...]:
    files = sorted(path for path in paths if path.is_file() and _TEXT_FILE.search(path.name))
    return tuple(dict.fromkeys(path.read_text(errors="replace").strip() for path in files))


def components() -> list[Component]:
    """Everything, each once, sorted by where it is and its name."""
    fonts = [Component(name, licence, "renderers", _texts([path])) for name, licence, path in FONTS]
    found = {(each.where, each.name): each for each in (*page_components(), *worker_components(), *fonts)}
    order = ["page", "gateway", "renderers"]
    return sorted(found.values(), key=lambda each: (order.index(each.where), each.name.lower()))


def render(found: list[Component]) -> str:
    """The file: a list, then each licence text once with the names that it belongs to."""
    lines = ["Third-party software in this gallery, and its licences", ""]
    for where in dict.fromkeys(each.where for each in found):
        listed = [f"  {each.name}: {each.licence}" for each in found if each.where == where]
        lines += [f"In the {where}:", "", *listed, ""]
    owners: dict[str, list[str]] = {}
    for each in found:
        for text in each.texts:
            owners.setdefault(text, []).append(each.name)
    for text, names in owners.items():
        lines += [_RULE, ", ".join(dict.fromkeys(names)), _RULE, "", *map(str.rstrip, text.splitlines()), ""]
    return "\n".join(lines)


def main() -> int:
    FILE.write_text(render(components()))
    print(f"{FILE.relative_to(ROOT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
