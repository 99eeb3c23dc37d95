"""Fixtures of the local runtime's tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.runtime.projects import Running, make_project, running_in


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that tests run and do not change."""
    return make_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A project of the test's own."""
    return Path(shutil.copytree(template, tmp_path / "project", symlinks=True))


@pytest.fixture(scope="session")
def running(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A runtime that tests ask and do not end."""
    with running_in(template, tmp_path_factory.mktemp("running")) as runtime:
        yield runtime
