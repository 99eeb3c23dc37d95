"""The bytecode that the local runtime boots from."""

from __future__ import annotations

import _imp
import base64
import json
import subprocess
from importlib.util import MAGIC_NUMBER

import pytest
from tools.stack import NODE, ROOT

ANSWER = """
import { compileModules } from "./runtime/pyodide.mjs";
let text = "";
for await (const chunk of process.stdin) text += chunk;
const given = Object.entries(JSON.parse(text));
const files = given.map(([path, source]) => ({ path, bytes: Buffer.from(source) }));
const made = await compileModules(files, process.argv[1]);
console.log(JSON.stringify(made.map(({ path, bytes }) => [path, Buffer.from(bytes).toString("base64")])));
"""
UNCHECKED_HASH = 1
CODE = 16


def precompiled(files: dict[str, str], python: str = "3.13") -> dict[str, bytes]:
    done = subprocess.run(
        [str(NODE), "--input-type=module", "-e", ANSWER, python],
        cwd=ROOT,
        input=json.dumps(files),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return {path: base64.b64decode(text) for path, text in json.loads(done.stdout)}


def hash_of(source: str, bytecode: bytes) -> bytes:
    """What the interpreter that wrote `bytecode` puts there for `source`."""
    return _imp.source_hash(int.from_bytes(bytecode[: len(MAGIC_NUMBER)], "little"), source.encode())


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    return precompiled({"main.py": "x = 1\n", "pack/age.py": "x = 2\n", "data.txt": "x", "broken.py": "x ="})


def test_bytecode_lies_where_an_import_looks_for_it(made: dict[str, bytes]) -> None:
    assert set(made) == {"__pycache__/main.cpython-313.pyc", "pack/__pycache__/age.cpython-313.pyc"}


def test_bytecode_is_of_its_source_and_not_checked_again(made: dict[str, bytes]) -> None:
    bytecode = made["pack/__pycache__/age.cpython-313.pyc"]
    assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH
    assert bytecode[8:CODE] == hash_of("x = 2\n", bytecode)


def test_an_edited_source_gets_bytecode_of_its_own(made: dict[str, bytes]) -> None:
    edited = precompiled({"main.py": "x = 3\n"})["__pycache__/main.cpython-313.pyc"]
    assert edited[8:CODE] == hash_of("x = 3\n", edited) != made["__pycache__/main.cpython-313.pyc"][8:CODE]


def test_a_traceback_names_the_file_as_production_does(made: dict[str, bytes]) -> None:
    assert b"/session/metadata/pack/age.py" in made["pack/__pycache__/age.cpython-313.pyc"]


def test_bytecode_is_of_the_python_that_runs_it() -> None:
    assert set(precompiled({"main.py": "x = 1\n"}, "3.14")) == {"__pycache__/main.cpython-314.pyc"}
