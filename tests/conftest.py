"""Options of the end-to-end tests; pytest must know them before it enters their folder."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gallery")
    group.addoption("--base-url", help="test this system instead of a local runtime of the tests' own")
    group.addoption(
        "--accounts",
        default="",
        help="words for `vfa user add` and `vfa token`, e.g. '--wrangler local' or '--state DIR'",
    )
    group.addoption("--mutations", type=int, default=540, help="how many broken pictures test_fuzz.py makes")
