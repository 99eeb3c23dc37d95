"""Wheel and sdist build, and install into a clean environment."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from vfa_gallery import __version__

CLIENT = Path(__file__).resolve().parents[3] / "client"
BIN = Path(sys.executable).parent
LOCK = CLIENT.parent / "locks" / "dev.txt"


def run(*words: str | Path, cwd: Path | None = None) -> str:
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CLIENT)
    return folder


def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


def test_the_wheel_is_pure_python_and_ships_its_types(built: Path) -> None:
    assert wheel(built).name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel(built)) as archive:
        names = archive.namelist()
    assert "vfa_gallery/py.typed" in names
    assert {name.split("/")[0] for name in names} == {
        "vfa_gallery",
        f"vfa_gallery_client-{__version__}.dist-info",
    }


def test_the_library_needs_little_and_the_command_is_an_extra(built: Path) -> None:
    with zipfile.ZipFile(wheel(built)) as archive:
        metadata = Parser().parsestr(
            archive.read(f"vfa_gallery_client-{__version__}.dist-info/METADATA").decode()
        )
    needed = [each for each in metadata.get_all("Requires-Dist", []) if "extra" not in each]
    assert needed == ["pyodide-http>=0.2.2; sys_platform == 'emscripten'", "requests>=2.32"]
    assert metadata.get_all("Provides-Extra") == ["cli"]
    assert "# vfa-gallery-client" in str(metadata.get_payload())


def test_the_sdist_holds_what_is_needed_to_build_and_nothing_else(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {Path(name).parts[1] for name in archive.getnames()}
    files = {"src", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "PKG-INFO"}
    assert files <= names <= files | {".gitignore"}


def test_the_metadata_leads_to_source_changelog_and_issues(built: Path) -> None:
    with zipfile.ZipFile(wheel(built)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL", []))
    assert urls.keys() == {"Source", "Issues", "Changelog"}
    assert all(url.startswith("https://github.com/") for url in urls.values())
    classifiers = metadata.get_all("Classifier", [])
    assert {"Typing :: Typed", "Programming Language :: Python :: 3.13"} <= set(classifiers)
    assert metadata.get_all("License-File") == ["LICENSE"]


def test_the_changelog_has_the_version_with_its_date() -> None:
    headings = re.findall(r"^## (.+)$", (CLIENT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert re.fullmatch(rf"{re.escape(__version__)} \(\d{{4}}-\d\d-\d\d\)", headings[0])


Install = Callable[[str], Path]


@pytest.fixture(scope="module")
def install(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """Installs a built file, with extras or not, and what it needs into a new environment; its `bin`."""

    def install(pattern: str) -> Path:
        kind, _, extras = pattern.partition("[")
        (found,) = built.glob(kind)
        folder = tmp_path_factory.mktemp("clean") / "venv"
        run(BIN / "uv", "venv", "--quiet", "--python", sys.executable, folder)
        requirement = f"vfa-gallery-client{'[' if extras else ''}{extras} @ {found.as_uri()}"
        run(BIN / "uv", "pip", "install", "--quiet", "--python", folder, "--constraint", LOCK, requirement)
        return folder / "bin"

    return install


@pytest.fixture(scope="module")
def library(install: Install) -> Path:
    return install("*.whl")


def test_the_library_works_in_a_clean_environment(library: Path) -> None:
    script = "import vfa_gallery, pathlib; print(pathlib.Path(vfa_gallery.__file__).is_relative_to({!r}))"
    assert run(library / "python", "-W", "error", "-c", script.format(str(library.parent))) == "True\n"


def test_without_the_extra_the_command_says_what_to_install(library: Path) -> None:
    done = subprocess.run([str(library / "vfa"), "me"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == "error: click is missing; install the client with its extra [cli]\n"


@pytest.mark.parametrize("what", ["*.whl[cli]", "*.tar.gz[cli]"], ids=["wheel", "sdist"])
def test_with_the_extra_the_command_works(install: Install, what: str) -> None:
    environment = install(what)
    assert run(environment / "vfa", "--version") == f"vfa, version {__version__}\n"
    needed = "import PIL, requests, rich, vfa_gallery.command.app, vfa_gallery.command.smoke"
    assert run(environment / "python", "-W", "error", "-c", needed) == ""


def test_the_published_command_knows_no_database(install: Install) -> None:
    vfa = install("*.whl[cli]") / "vfa"
    assert "--state" not in run(vfa, "user", "add", "--help")
    assert "\n  token " not in run(vfa, "--help")


def test_a_typed_program_that_uses_the_wheel_passes_strict_mypy(library: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from vfa_gallery import Artwork, Gallery\n"
        "def newest(gallery: Gallery) -> Artwork:\n"
        "    return next(gallery.artworks(username='ann'))\n"
        "def send(gallery: Gallery) -> str:\n"
        "    return gallery.upload(b'', title='Dusk', tags=['lake']).slug\n"
        "Gallery('https://gallery.example').upload(b'', title='Dusk', headline='Dusk')\n"
        "Gallery('https://gallery.example').upload(b'')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    command += ["--python-executable", str(library / "python"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert 'Unexpected keyword argument "headline"' in done.stdout
    assert 'Missing named argument "title"' in done.stdout
    assert "Found 2 errors in 1 file" in done.stdout
