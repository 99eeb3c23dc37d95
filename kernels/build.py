"""Build the WebAssembly modules that renderers load beside Pillow: pinned sources, the same bytes each time.

`python kernels/build.py` builds kernels/wheels anew. With `--check` it builds elsewhere, and fails unless the
committed wheels hold the same modules.

Everything is pinned by digest: the compiler is Zig's Clang (`ziglang`, in locks/kernels.txt); the source of
HarfBuzz is the one in uharfbuzz's source distribution, that of libwebp Debian's. An archive that lies in
.cache/kernels-sources already is not fetched.
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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "kernels"
WHEELS = KERNELS / "wheels"
SUMS = WHEELS / "SHA256SUMS"
VENV = ROOT / ".cache/kernels-venv"
ARCHIVES = ROOT / ".cache/kernels-sources"

# Python's tag, the platform's, and what the file name of an extension module says of both.
PYTHON, PLATFORM, SUFFIX = "cp313", "pyodide_2025_0_wasm32", "cpython-313-wasm32-emscripten"

# Named one by one: "generic" changes with the compiler's version, and Node 20 refuses some of what is newer.
FEATURES = "mvp+bulk_memory+sign_ext+nontrapping_fptoint+mutable_globals"
COMPILE = [
    "-target", "wasm32-emscripten", "-fPIC", "-fno-sanitize=all", "-fvisibility=hidden", "-nostdinc",
]  # fmt: skip
COMPILE_CXX = [
    "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics", "-fvisibility-inlines-hidden", "-nostdinc++",
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


@dataclass(frozen=True, slots=True)
class Library:
    """Where sources come from: a source distribution of PyPI's, or an upstream archive of Debian's.

    `folder` and `licence` are paths in the archive, the first with `*` for any name.
    """

    package: str
    version: str
    archive: str
    digest: str
    folder: str
    licence: str
    debian: str = ""  # the release


@dataclass(frozen=True, slots=True)
class Module:
    """What is built: sources of ours, in a folder of the module's, and of a library's if any."""

    name: str
    version: str
    summary: str
    licence: str
    library: Library | None
    folder: str
    sources: tuple[str, ...]
    library_sources: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def wheel(self) -> str:
        return f"{self.name}-{self.version}-{PYTHON}-{PYTHON}-{PLATFORM}.whl"


HARFBUZZ = Library(
    "uharfbuzz",
    "0.57.0",
    "uharfbuzz-0.57.0.tar.gz",
    "55136df18a9dd09fec36d1ceb77965f3108de6d86c338b3825feedb0730d84b7",
    "uharfbuzz-*/harfbuzz",
    "COPYING",
)
LIBWEBP = Library(
    "libwebp",
    "1.5.0",
    "libwebp_1.5.0.orig.tar.gz",
    "7d6fab70cf844bf6769077bd5d7a74893f8ffd4dfb42861745750c63c2a5c92c",
    "libwebp-*",
    "COPYING",
    debian="trixie",
)
# Compiled natively too, by kernels/native.py; the first without Python by kernels/fuzz_kernels.py.
KERNELS_ALONE = (
    "jpeg_header.c",
    "jpeg_decode.c",
    "jpeg_encode.c",
    "resize.c",
    "png_unfilter.c",
    "chroma_loss.c",
)
PIXELS = (*KERNELS_ALONE, "object_resizer.c", "object_decoder.c", "object_encoder.c", "module.c")
MODULES = (
    Module(
        "vfa_shaping",
        "1.0.0",
        "HarfBuzz's shaping for the watermark, in WebAssembly",
        "MIT (HarfBuzz: Old MIT)",
        HARFBUZZ,
        "shaping",
        ("shaping.cc",),
        (),
        (f"-mcpu={FEATURES}", "-Oz", "-DHB_TINY", "-Isrc"),
    ),
    Module(
        "vfa_webp",
        "1.0.0",
        "libwebp's decoder a few rows at a time, in WebAssembly",
        "MIT (libwebp: BSD-3-Clause)",
        LIBWEBP,
        "webp",
        ("webp.c", "rows.c"),
        (
            *(f"src/dec/{name}_dec.c" for name in ("frame", "quant", "tree", "vp8")),
            *(f"src/dsp/{name}.c" for name in ("alpha_processing", "cpu", "dec", "dec_clip_tables")),
            *(f"src/dsp/{name}.c" for name in ("filters", "lossless", "upsampling", "yuv")),
            *(f"src/utils/{name}_utils.c" for name in ("bit_reader", "color_cache", "huffman", "thread")),
        ),
        # Addresses outside of what is kept are computed, and wrap around; rows.c says why.
        (f"-mcpu={FEATURES}+simd128", "-O3", "-fwrapv", "-fwrapv-pointer", "-DNDEBUG", "-I."),
    ),
    Module(
        "vfa_kernels",
        "1.0.0",
        "JPEG, resizing and PNG filters with SIMD, in WebAssembly",
        "MIT",
        None,
        "pixels",
        PIXELS,
        (),
        (f"-mcpu={FEATURES}+simd128", "-O3", "-fsanitize=bounds", "-fsanitize-trap=bounds"),
    ),
)


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


def fetch(library: Library, folder: Path) -> Path:
    """The library's sources, unpacked below `folder`."""
    archive = ARCHIVES / library.archive
    if not archive.exists():
        ARCHIVES.mkdir(parents=True, exist_ok=True)
        (_download_from_debian if library.debian else _download_from_pypi)(library, folder)
        shutil.move(folder / library.archive, archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != library.digest:
        raise SystemExit(f"{archive} has not the digest that is pinned: delete it, and try again")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(folder.glob(library.folder))


def _download_from_pypi(library: Library, folder: Path) -> None:
    requirement = folder / "source.txt"
    requirement.write_text(f"{library.package}=={library.version} --hash=sha256:{library.digest}\n")
    command = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    run(sys.executable, *command, "--dest", folder, "-r", requirement)


def _download_from_debian(library: Library, folder: Path) -> None:
    """With a list of packages of its own, from the mirror that apt uses here."""
    targets = ["apt-get", "indextargets", "--format", "$(SITE)", "Origin: Debian", "Label: Debian"]
    sites = subprocess.run(targets, check=True, capture_output=True, text=True).stdout.split()
    if not sites:
        raise SystemExit(f"apt knows no mirror of Debian's: put {library.archive} into {ARCHIVES}")
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources = folder / "debian.sources"
    sources.write_text(
        f"Types: deb-src\nURIs: {sites[0]}\nSuites: {library.debian}\nComponents: main\nSigned-By: {keys}\n"
    )
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": folder / "none",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
    }
    apt = [
        "apt-get",
        "-qq",
        "-oAPT::Sandbox::User=root",
        *(word for each in settings.items() for word in ("-o", "=".join(map(str, each)))),
    ]
    run(*apt, "update", folder=folder)
    run(*apt, "source", "--download-only", library.package, folder=folder)


def compile_module(python: Path, module: Module, library: Path | None, folder: Path) -> bytes:
    """The extension module as a WebAssembly side module."""
    zig_library = next(VENV.glob("lib/python3*/site-packages/ziglang/lib"))
    zig: list[str | Path] = [python, "-m", "ziglang"]
    headers: list[str | Path] = [word for path in HEADERS for word in ("-isystem", zig_library / path)]
    ours = folder / "ours"
    shutil.copytree(KERNELS / module.folder, ours)
    shutil.copy(KERNELS / "python.h", ours)
    sources, flags = [ours / name for name in module.sources], [*module.flags]
    if library:
        sources += [library / name for name in module.library_sources]
        flags = [f"-I{library / flag[2:]}" if flag.startswith("-I") else flag for flag in flags]
    objects = []
    for source in sources:
        target = folder / f"{source.stem}.o"
        if source.suffix == ".cc":
            defines = [f"-D{define}" for define in LIBCXX]
            extra = [*COMPILE_CXX, f"-I{zig_library / 'libcxx/include'}", *headers, *defines]
            language = "c++"
        else:
            extra, language = headers, "cc"
        run(*zig, language, *COMPILE, *flags, f"-I{ours}", *extra, "-c", source, "-o", target)
        objects.append(target)
    result = folder / f"{module.name}.so"
    run(*zig, "wasm-ld", *LINK, f"--export=PyInit_{module.name}", "-o", result, *objects)
    return result.read_bytes()


def wheel_of(module: Module, built: bytes, licence: bytes) -> bytes:
    """A wheel around the module; times and order are fixed, so that bytes are."""
    info = f"{module.name}-{module.version}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: {module.name.replace('_', '-')}",
        f"Version: {module.version}",
        f"Summary: {module.summary}",
        f"License: {module.licence}",
    ]
    wheel = [
        "Wheel-Version: 1.0",
        "Generator: kernels/build.py",
        "Root-Is-Purelib: false",
        f"Tag: {PYTHON}-{PYTHON}-{PLATFORM}",
    ]
    files = {
        f"{module.name}.{SUFFIX}.so": built,
        f"{info}/METADATA": ("\n".join(metadata) + "\n").encode(),
        f"{info}/WHEEL": ("\n".join(wheel) + "\n").encode(),
        f"{info}/licenses/{_licence_name(module)}": licence,
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
        return file.read()


def _licence_name(module: Module) -> str:
    if not module.library:
        return "LICENSE"
    return f"{'HARFBUZZ' if module.library is HARFBUZZ else module.library.package.upper()}-COPYING"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def build(python: Path, module: Module) -> tuple[bytes, str]:
    """The wheel's bytes, and the SHA-256 of the module in it."""
    with tempfile.TemporaryDirectory() as scratch:
        library = fetch(module.library, Path(scratch)) if module.library else None
        built = compile_module(python, module, library, Path(scratch))
        licence = ROOT / "LICENSE"
        if library and module.library:
            licence = library / module.library.licence
        data = wheel_of(module, built, licence.read_bytes())
    return data, hashlib.sha256(built).hexdigest()


def committed_digest(name: str) -> str:
    """SHA-256 of the module in a committed wheel: zlib's versions differ in how they compress."""
    with zipfile.ZipFile(WHEELS / name) as archive:
        [module] = [entry for entry in archive.namelist() if entry.endswith(".so")]
        return hashlib.sha256(archive.read(module)).hexdigest()


def check(python: Path, modules: Sequence[Module]) -> bool:
    """Whether every committed wheel holds what is built now."""
    differing = 0
    for module in modules:
        _, digest = build(python, module)
        same = _is_committed(module, digest)
        print(f"{module.wheel}: {'as committed' if same else 'differs from what is committed'} ({digest})")
        differing += not same
    return not differing


def _is_committed(module: Module, digest: str) -> bool:
    return (WHEELS / module.wheel).exists() and committed_digest(module.wheel) == digest


def build_all(python: Path, modules: Sequence[Module]) -> None:
    """Write the wheels whose modules are new, and the list of all wheels' digests."""
    WHEELS.mkdir(exist_ok=True)
    for module in modules:
        data, digest = build(python, module)
        if not _is_committed(module, digest):
            (WHEELS / module.wheel).write_bytes(data)
        print(f"{module.wheel}: {len(data)} bytes, module {digest}")
    for stale in {*WHEELS.glob("*.whl")} - {WHEELS / module.wheel for module in MODULES}:
        stale.unlink()
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in WHEELS.glob("*.whl")}
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with what is committed")
    parser.add_argument("--only", metavar="MODULE", help="this module alone")
    arguments = parser.parse_args()
    modules = [module for module in MODULES if arguments.only in (None, module.name)]
    python = install_compiler()
    if arguments.check:
        return 0 if check(python, modules) else 1
    build_all(python, modules)
    return 0


if __name__ == "__main__":
    sys.exit(main())
