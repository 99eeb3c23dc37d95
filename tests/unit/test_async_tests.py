"""Coroutine tests are run, with and without Hypothesis: each of these must fail as expected."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.xfail(raises=AssertionError, strict=True)
async def test_a_coroutine_that_fails_is_a_failure() -> None:
    await asyncio.sleep(0)
    raise AssertionError


@pytest.mark.xfail(raises=AssertionError, strict=True)
@given(st.integers())
async def test_an_example_that_fails_in_a_coroutine_is_a_failure(number: int) -> None:
    await asyncio.sleep(0)
    assert number < 5
