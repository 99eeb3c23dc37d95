"""`make setup` does again what its inputs ask for, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tools import setup


def test_the_page_is_built_again_for_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(setup, "CACHE", tmp_path)
    built: list[str] = []
    for name in ("", "", "staging", "staging", ""):
        setup.step("web page", lambda name=name: built.append(name), [], tmp_path, environment=name)  # type: ignore[misc]
    assert built == ["", "staging", ""]
    assert capsys.readouterr().out.count("web page") == 3


@pytest.mark.parametrize("name", ["", "staging"])
def test_the_page_belongs_to_the_environment_that_is_exported(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    steps: dict[str, Any] = {}
    monkeypatch.setattr(setup, "step", lambda title, *_, **more: steps.update({title: more}))
    monkeypatch.setenv("CLOUDFLARE_ENV", name)
    setup.set_up(with_browser=False)
    assert steps["web page"] == {"environment": name}
