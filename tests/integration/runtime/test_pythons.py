"""Workers run on the Python that workerd and pywrangler choose, and the gallery works on each of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pywrangler.metadata import PYTHON_COMPAT_VERSIONS
from tests.support.runtime.projects import NODE, ROOT, VARIANTS, copy_config, running_in
from tools import vendor
from tools.problem import Problem

PYTHONS = ("3.13", "3.14")
OTHERS = [version for version in PYTHONS if version != vendor.PROJECTS[0].python]
ASK = """
const { pythonVersion } = await import("./runtime/config.mjs");
const configs = JSON.parse(process.argv[1]);
const versions = configs.map((config) => {
  try {
    return pythonVersion(config);
  } catch {
    return null;
  }
});
console.log(JSON.stringify(versions));
"""


def config(date: str, *flags: str) -> dict[str, Any]:
    return {
        "name": "gallery",
        "configPath": "wrangler.toml",
        "compatibility_date": date,
        "compatibility_flags": ["python_workers", *flags],
    }


CHOICES = [
    (config("2025-09-28"), None),
    (config("2025-09-28", "python_workers_20250116"), "3.13"),
    (config("2025-09-29"), "3.13"),
    (config("2026-09-07"), "3.13"),
    (config("2026-09-08"), "3.14"),
    (config("2026-06-01", "python_workers_314"), "3.14"),
    (config("2026-06-01", "python_workers_313", "python_workers_314"), "3.14"),
    (config("2026-10-01", "python_workers_313"), "3.13"),
    (config("2026-10-01", "no_python_workers_314"), "3.13"),
]


def chosen_by_tools(choice: Mapping[str, Any]) -> str | None:
    try:
        return vendor.python_version(choice)
    except Problem:
        return None


@pytest.fixture
def no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHON_WORKERS", raising=False)


@pytest.mark.usefixtures("no_override")
def test_tools_and_runtime_choose_the_same_python() -> None:
    command = [str(NODE), "--input-type=module", "-e", ASK, json.dumps([choice for choice, _ in CHOICES])]
    by_runtime = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))
    assert by_runtime == [expected for _, expected in CHOICES]
    assert [chosen_by_tools(choice) for choice, _ in CHOICES] == by_runtime


def test_dates_and_flags_are_those_of_pywrangler() -> None:
    for each in PYTHON_COMPAT_VERSIONS:
        if each.version in vendor.PYTHONS:
            python = vendor.PYTHONS[each.version]
            assert each.compat_flag in python["flags"]
            assert each.compat_date == datetime.fromisoformat(python["since"])


@pytest.mark.parametrize("version", PYTHONS)
def test_the_environment_overrides_all_workers(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setenv("PYTHON_WORKERS", version)
    assert vendor.pythons_in_use() == [version]


def test_an_unknown_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_WORKERS", "3.12")
    with pytest.raises(Problem, match=r"PYTHON_WORKERS is 3\.12; it may be 3\.13 or 3\.14"):
        vendor.pythons_in_use()


@pytest.mark.parametrize("version", PYTHONS)
def test_memory_is_capped_on_each_python(template: Path, tmp_path: Path, version: str) -> None:
    with running_in(template, tmp_path, python=version) as runtime:
        assert httpx.get(f"{runtime.url}/api/python").text == version
        answers = [httpx.get(f"{runtime.url}/api/ask", timeout=30).text for _ in range(2)]
    assert answers == ["MemoryError, and still here"] * 2


COPIED = (
    "runtime",
    "src",
    "variants",
    "migrations",
    "assets",
    "kernels/wheels",
    "locks",
    "tools",
    "web/dist",
)
COPIED_FILES = ("schema.sql", "package.json", "package-lock.json", "pyproject.toml")
VENDOR = """
import sys
from pathlib import Path
from tools import vendor, wheelhouse
cache = Path(sys.argv[1])
for version in vendor.pythons_in_use():
    wheelhouse.fill(version, cache)
for project in vendor.PROJECTS:
    vendor.vendor(project, cache)
"""
# Creates one artwork at the URL given and prints the size of its thumbnail.
CREATE = """
import io, sys, httpx
from PIL import Image
url, token = sys.argv[1:]
file = io.BytesIO()
Image.linear_gradient("L").resize((1600, 1200)).convert("RGB").save(file, "JPEG")
with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
    about = {"filename": "a.jpg", "contentType": "image/jpeg", "size": len(file.getvalue())}
    upload = client.post("/api/artworks/upload-url", json=about).json()
    httpx.put(upload["uploadUrl"], headers=upload["headers"], content=file.getvalue()).raise_for_status()
    created = client.post("/api/artworks", json={"title": "Gradient", "originalKey": upload["key"]})
    created.raise_for_status()
    data = httpx.get(created.json()["data"]["thumbnailUrl"]).content
print(*Image.open(io.BytesIO(data)).size)
"""


@pytest.fixture
def gallery_copy(tmp_path: Path) -> Path:
    """The gallery's own Workers in a folder whose packages the test may replace."""
    copy = tmp_path / "gallery"
    for name in COPIED:
        ignored = shutil.ignore_patterns("python_modules", "__pycache__")
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in COPIED_FILES:
        shutil.copy(ROOT / name, copy)
    copy_config(ROOT, copy)
    for variant in VARIANTS:
        copy_config(ROOT / "variants" / variant, copy / "variants" / variant)
    for name in ("node_modules", ".venv"):
        (copy / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / ".cache/wheelhouse", copy / ".cache/wheelhouse")
    for prepared in (ROOT / ".cache").glob("pyodide-*/"):
        shutil.copytree(prepared, copy / ".cache" / prepared.name)
    return copy


@pytest.mark.parametrize("version", OTHERS)
def test_an_artwork_is_created_on_the_other_python(gallery_copy: Path, tmp_path: Path, version: str) -> None:
    environment = {**os.environ, "PYTHON_WORKERS": version}
    command = [sys.executable, "-c", VENDOR, str(gallery_copy / ".cache/wheelhouse")]
    subprocess.run(command, cwd=gallery_copy, env=environment, check=True)
    with running_in(gallery_copy, tmp_path, python=version) as runtime:
        for words in (("user", "add", "mara"), ("token", "mara")):
            state = ("--state", str(runtime.state))
            told = subprocess.check_output(
                [ROOT / ".venv/bin/vfa", *words, *state], text=True, env=environment
            )
        command = [sys.executable, "-c", CREATE, runtime.url, told.strip()]
        assert subprocess.check_output(command, text=True).split() == ["300", "300"], runtime.text
