"""What the end-to-end tests of load, kills, broken pictures and forged tokens saw, in figures."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tools.problem import Problem

from benchmarks.places import ROOT, Effort

MUTANTS = 5000
CREATES = 200
TESTS = ("tests/e2e/test_load.py", "tests/e2e/test_fuzz.py", "tests/e2e/test_tokens.py")


def run(effort: Effort) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # Properties of a test belong to this older form of the report.
        options = ["-q", f"--junitxml={report}", "-o", "junit_family=xunit1"]
        counts = ["--mutations", str(effort.times(MUTANTS, 540)), "--creates", str(effort.times(CREATES, 60))]
        command = [sys.executable, "-m", "pytest", *TESTS, *options, *counts]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Problem(f"the tests of load and attacks failed:\n{done.stdout[-3000:]}")
        return figures(report.read_text())


def figures(report: str) -> dict[str, Any]:
    """The properties that tests recorded, the largest where several recorded one."""
    found: dict[str, Any] = {}
    for each in ElementTree.fromstring(report).iter("property"):  # noqa: S314 - pytest's own file
        name, text = each.attrib["name"], each.attrib["value"]
        value = float(text) if text.replace(".", "", 1).isdigit() else text
        found[name] = max(found[name], value) if isinstance(found.get(name), float) else value
    return found
