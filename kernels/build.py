"""Build the WebAssembly modules that renderers load beside Pillow: pinned sources, the same bytes each time.

`python kernels/build.py` builds kernels/wheels anew. With `--check` it builds elsewhere, and fails unless the
committed wheels hold the same modules.

Everything comes from PyPI by digest: the compiler is Zig's Clang (`ziglang`, in locks/kernels.txt), and the
source of HarfBuzz is the one in uharfbuzz's source distribution.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "kernels"
WHEELS = KERNELS / "wheels"
SUMS = WHEELS / "SHA256SUMS"
VENV = ROOT / ".cache/kernels-venv"

NAME, VERSION = "vfa_shaping", "1.0.0"
SUMMARY = "HarfBuzz's shaping for the watermark, in WebAssembly"
HARFBUZZ = "uharfbuzz==0.57.0 --hash=sha256:55136df18a9dd09fec36d1ceb77965f3108de6d86c338b3825feedb0730d84b7"
# Python's tag, the platform's, and what the file name of an extension module says of both.
PYTHON, PLATFORM, SUFFIX = "cp313", "pyodide_2025_0_wasm32", "cpython-313-wasm32-emscripten"

# Named one by one: "generic" changes with the compiler's version, and Node 20 refuses some of what is newer.
FEATURES = "mvp+bulk_memory+sign_ext+nontrapping_fptoint+mutable_globals"
COMPILE = [
    "-target", "wasm32-emscripten", f"-mcpu={FEATURES}", "-Oz", "-fPIC", "-fno-sanitize=all",
    "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-nostdinc", "-nostdinc++", "-DHB_TINY",
]  # fmt: skip
LINK = [
    "--experimental-pic", "-shared", "--no-entry", "--strip-all", "--gc-sections",
    "--unresolved-symbols=import-dynamic",
]  # fmt: skip
# Zig knows no C library for Emscripten. Headers are all that is needed, and WASI's agree in what is used;
# this is what Zig itself sets for WASI.
HEADERS = ["libcxxabi/include", "include", "libc/include/wasm-wasi-musl", "libc/include/generic-musl",
           "libc/include/wasm32-wasi-any", "libc/include/any-wasi-any"]  # fmt: skip
LIBCXX = [
    "__wasi__", "__wasilibc_unmodified_upstream", "_LIBCPP_ABI_NAMESPACE=__1", "_LIBCPP_ABI_VERSION=1",
    "_LIBCPP_ASSERTION_SEMANTIC_DEFAULT=_LIBCPP_ASSERTION_SEMANTIC_IGNORE",
    "_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS", "_LIBCPP_HARDENING_MODE=_LIBCPP_HARDENING_MODE_NONE",
    "_LIBCPP_HAS_FILESYSTEM=0", "_LIBCPP_HAS_LOCALIZATION=1", "_LIBCPP_HAS_MONOTONIC_CLOCK=1",
    "_LIBCPP_HAS_MUSL_LIBC=1", "_LIBCPP_HAS_NO_STD_MODULES", "_LIBCPP_HAS_RANDOM_DEVICE=1",
    "_LIBCPP_HAS_TERMINAL=1", "_LIBCPP_HAS_THREADS=0", "_LIBCPP_HAS_UNICODE=1",
    "_LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS=0", "_LIBCPP_HAS_WIDE_CHARACTERS=1",
    "_LIBCPP_PSTL_BACKEND_SERIAL",
]  # fmt: skip


def run(*command: str | Path, folder: Path = ROOT) -> None:
    subprocess.run([str(word) for word in command], cwd=folder, check=True)


def install_compiler() -> Path:
    """The Python whose `ziglang` compiles, in an environment of its own, for it takes 400 MB."""
    python = VENV / "bin/python"
    lock = ROOT / "locks/kernels.txt"
    stamp = VENV / "lock.sha256"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        run(sys.executable, "-m", "venv", "--clear", VENV)
        run(
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "-r",
            lock,
        )
        stamp.write_text(digest)
    return python


def fetch_harfbuzz(folder: Path) -> Path:
    """HarfBuzz's sources, unpacked below `folder`."""
    requirement = folder / "source.txt"
    requirement.write_text(HARFBUZZ + "\n")
    command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    run(sys.executable, *command, "--dest", folder, "-r", requirement)
    [archive] = folder.glob("uharfbuzz-*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(folder.glob("uharfbuzz-*/harfbuzz"))


def compile_shaping(python: Path, harfbuzz: Path, folder: Path) -> bytes:
    """The extension module as a WebAssembly side module."""
    library = next(VENV.glob("lib/python3*/site-packages/ziglang/lib"))
    zig: list[str | Path] = [python, "-m", "ziglang"]
    headers: list[str | Path] = [word for path in HEADERS for word in ("-isystem", library / path)]
    defines = [f"-D{define}" for define in LIBCXX]
    source = folder / "shaping.cc"
    shutil.copy(KERNELS / "shaping/shaping.cc", source)
    includes = [f"-I{library / 'libcxx/include'}", *headers, f"-I{harfbuzz / 'src'}"]
    run(*zig, "c++", *COMPILE, *includes, *defines, "-c", source, "-o", folder / "shaping.o")
    export = f"--export=PyInit_{NAME}"
    run(*zig, "wasm-ld", *LINK, export, "-o", folder / "shaping.so", folder / "shaping.o")
    return (folder / "shaping.so").read_bytes()


def wheel_of(module: bytes, licence: bytes) -> tuple[str, bytes]:
    """Name and bytes of a wheel around the module; times and order are fixed, so that bytes are."""
    tag = f"{PYTHON}-{PYTHON}-{PLATFORM}"
    info = f"{NAME}-{VERSION}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {NAME.replace('_', '-')}",
        f"Version: {VERSION}",
        f"Summary: {SUMMARY}",
        "License: MIT (HarfBuzz: Old MIT)",
    ]
    wheel = [
        "Wheel-Version: 1.0",
        "Generator: kernels/build.py",
        "Root-Is-Purelib: false",
        f"Tag: {tag}",
    ]
    files = {
        f"{NAME}.{SUFFIX}.so": module,
        f"{info}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{info}/WHEEL": ("\n".join(wheel) + "\n").encode(),
        f"{info}/licenses/HARFBUZZ-COPYING": licence,
    }
    record = [f"{name},sha256={_digest(data)},{len(data)}\n" for name, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name, data in files.items():
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
        file.seek(0)
        return f"{NAME}-{VERSION}-{tag}.whl", file.read()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build() -> tuple[str, bytes, str]:
    """The wheel's name and bytes, and the SHA-256 of the module in it."""
    python = install_compiler()
    with tempfile.TemporaryDirectory() as scratch:
        harfbuzz = fetch_harfbuzz(Path(scratch))
        module = compile_shaping(python, harfbuzz, Path(scratch))
        name, wheel = wheel_of(module, (harfbuzz / "COPYING").read_bytes())
    return name, wheel, hashlib.sha256(module).hexdigest()


def committed_digest(name: str) -> str:
    """SHA-256 of the module in a committed wheel: zlib's versions differ in how they compress."""
    with zipfile.ZipFile(WHEELS / name) as archive:
        [module] = [entry for entry in archive.namelist() if entry.endswith(".so")]
        return hashlib.sha256(archive.read(module)).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is committed")
    arguments = parser.parse_args()
    name, wheel, digest = build()
    if arguments.check:
        same = (WHEELS / name).exists() and committed_digest(name) == digest
        print(f"{name}: {'as committed' if same else 'differs from what is committed'} ({digest})")
        return 0 if same else 1
    WHEELS.mkdir(exist_ok=True)
    for stale in WHEELS.glob(f"{NAME}-*.whl"):
        stale.unlink()
    (WHEELS / name).write_bytes(wheel)
    SUMS.write_text(f"{hashlib.sha256(wheel).hexdigest()}  {name}\n")
    print(f"{name}: {len(wheel)} bytes, module {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
