"""A signal ends the runtime and all that it started, at any time."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.support.runtime.projects import Started, are_gone_soon, command_of, descendants_of

AT_ONCE_SECONDS = 3


def wait_for_child(runtime: Started, name: str) -> set[int]:
    """All processes below the runtime, as soon as one of them runs `name`."""
    deadline = time.monotonic() + 60
    while True:
        found = descendants_of(runtime.process.pid)
        if any(name in command_of(pid) for pid in found):
            return found
        assert runtime.process.poll() is None, runtime.text
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_wrangler_bundles_ends_everything(
    project: Path, tmp_path: Path, how: signal.Signals
) -> None:
    shutil.rmtree(project / ".cache/bundles", ignore_errors=True)
    runtime = Started(project, tmp_path / "state", tmp_path / "log")
    below = wait_for_child(runtime, "cli.js")
    began = time.monotonic()
    assert runtime.end(how) == 128 + how
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert are_gone_soon(below)
    assert list((project / ".cache").glob("bundles/*.*")) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_workers_boot_ends_everything(
    template: Path, tmp_path: Path, how: signal.Signals
) -> None:
    runtime = Started(template, tmp_path / "state", tmp_path / "log")
    below = wait_for_child(runtime, "workerd")
    assert "ready on" not in runtime.text
    began = time.monotonic()
    assert runtime.end(how) == 128 + how
    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert are_gone_soon(below)
