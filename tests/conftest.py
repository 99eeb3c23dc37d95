"""What all tests share: coroutine tests, Hypothesis' profiles, and options of the end-to-end tests."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, not wrong. The same examples every time, so that a failure is the change's;
# `make examples` tries others.
settings.register_profile(
    "change", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50, derandomize=True
)
settings.register_profile("nightly", settings.get_profile("change"), max_examples=2000, derandomize=False)
settings.load_profile("change")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Runs `async def test_…` in an event loop of its own; under `@given`, one loop for each example."""
    test = pyfuncitem.obj
    if inspect.iscoroutinefunction(test):
        pyfuncitem.obj = in_event_loop(test)
    elif inspect.iscoroutinefunction(inner := getattr(getattr(test, "hypothesis", None), "inner_test", None)):
        test.hypothesis.inner_test = in_event_loop(inner)
    return (yield)


def in_event_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """The same test as a plain function."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gallery")
    group.addoption("--base-url", help="test this system instead of a local runtime of the tests' own")
    group.addoption(
        "--accounts",
        default="",
        help="words for `vfa user add` and `vfa token`, e.g. '--wrangler local' or '--state DIR'",
    )
    group.addoption("--mutations", type=int, default=270, help="how many broken pictures test_fuzz.py makes")
    group.addoption("--creates", type=int, default=60, help="how many creates test_load.py makes")
