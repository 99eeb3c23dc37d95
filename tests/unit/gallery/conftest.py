"""Tests of the gateway run in virtual time: nothing sleeps, and no deadline depends on the machine."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from tests.support.gallery.clock import in_virtual_time


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Runs `async def test_…` in an event loop of its own; under `@given`, one loop for each example."""
    test = pyfuncitem.obj
    if inspect.iscoroutinefunction(test):
        pyfuncitem.obj = in_virtual_time(test)
    elif inspect.iscoroutinefunction(inner := getattr(getattr(test, "hypothesis", None), "inner_test", None)):
        test.hypothesis.inner_test = in_virtual_time(inner)
    return (yield)
