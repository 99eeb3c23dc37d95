"""Imports a Worker's main module under CPython with all that the top level must not do made to fail.

Run as `python -I -S top_level.py MAIN FOLDER… -- PACKAGE…`: MAIN is looked for in the folders, and of
what else they hold only the packages named may be imported. Prints a line for each thing done or kept.
"""

from __future__ import annotations

import builtins
import datetime
import gc
import importlib
import importlib.abc
import io
import os
import random
import secrets
import socket
import subprocess
import sys
import threading
import time
import types
import uuid
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Never

CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")
OWN = ("workers", "js", "pyodide")

done: list[str] = []


class Impure(BaseException):
    """Not an Exception, so that no module swallows it."""


def forbidden(name: str) -> Any:
    def refuse(*_: object, **__: object) -> Never:
        done.append(f"{name}() was called")
        raise Impure(name)

    return refuse


class JsValue:
    """What `js` and `workers` hand out: may be looked at, but neither called nor kept."""

    alive: ClassVar[weakref.WeakSet[JsValue]] = weakref.WeakSet()

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive.add(self)

    def __getattr__(self, name: str) -> JsValue:
        return JsValue(f"{self.name}.{name}")

    def __call__(self, *_: object, **__: object) -> Never:
        forbidden(self.name)()
        raise AssertionError


class PlatformClass(type):
    """Classes of the SDK: may be named and derived from, but have no instances yet."""

    def __call__(cls, *_: object, **__: object) -> Never:
        forbidden(cls.__name__)()
        raise AssertionError


def stub(name: str, **known: object) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(known)
    sys.modules[name] = module
    return module


def stub_platform() -> None:
    js = stub("js")
    js.__getattr__ = lambda name: JsValue(f"js.{name}")  # type: ignore[method-assign]
    workers = stub("workers")
    workers.__getattr__ = lambda name: PlatformClass(name, (), {})  # type: ignore[method-assign]
    errors = {"JsException": type("JsException", (Exception,), {}), "JsProxy": type("JsProxy", (), {})}
    ffi = stub("pyodide.ffi", **errors)
    for name in ("create_proxy", "create_once_callable", "to_js", "run_sync"):
        setattr(ffi, name, forbidden(f"pyodide.ffi.{name}"))
    http = stub("pyodide.http", AbortError=type("AbortError", (OSError,), {}), pyfetch=forbidden("pyfetch"))
    stub("pyodide", ffi=ffi, http=http)


class Fence(importlib.abc.MetaPathFinder):
    """Lets only the standard library, the Worker's own modules and its vendored packages be imported."""

    def __init__(self, allowed: set[str]) -> None:
        self.allowed = allowed

    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname.partition(".")[0] not in self.allowed:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def standard_modules_of(main: str) -> list[str]:
    """What importing `main` freely loads of the standard library; found out in a child process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        importlib.import_module(main)
        names = [name for name in sys.modules if name.partition(".")[0] in sys.stdlib_module_names]
        with os.fdopen(writing, "w") as pipe:
            pipe.write("\n".join(names))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        names = pipe.read().split()
    os.waitpid(child, 0)
    return names


def forbid() -> None:
    dice: list[tuple[Any, Iterable[str]]] = [
        (random, [name for name in random.__all__ if name.islower()]),
        (random.Random, ["seed"]),
        (secrets, ["choice", "randbelow", "token_bytes", "token_hex", "token_urlsafe"]),
        (uuid, ["uuid1", "uuid4"]),
    ]
    outside: list[tuple[Any, Iterable[str]]] = [
        (builtins, ["open"]),
        (io, ["open"]),
        (os, ["open", "listdir", "scandir", "mkdir", "urandom"]),
        (socket, ["socket", "getaddrinfo"]),
        (subprocess, ["Popen"]),
        (threading.Thread, ["start"]),
        (time, CLOCKS),
    ]
    for owner, names in dice + outside:
        for name in names:
            setattr(owner, name, forbidden(f"{owner.__name__}.{name}"))
    names = ("now", "utcnow", "today")
    clocks: dict[str, Any] = {name: classmethod(forbidden(f"datetime.{name}")) for name in names}
    setattr(datetime, "datetime", type("datetime", (datetime.datetime,), clocks))  # noqa: B010


def main() -> int:
    arguments = sys.argv[1:]
    split = arguments.index("--")
    main_module, folders, packages = arguments[0], arguments[1:split], arguments[split + 1 :]
    own = {path.stem for path in Path(folders[0]).iterdir()}
    sys.path[:0] = folders
    stub_platform()
    sys.meta_path.insert(0, Fence({*sys.stdlib_module_names, *OWN, *own, *packages}))
    for name in standard_modules_of(main_module):
        importlib.import_module(name)
    forbid()
    try:
        importlib.import_module(main_module)
    except Impure:
        pass
    except Exception as error:
        done.append(f"{type(error).__name__}: {error}")
    gc.collect()
    done.extend(f"{value.name} is kept" for value in JsValue.alive)
    sys.stdout.write("\n".join(done))
    return 1 if done else 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)
