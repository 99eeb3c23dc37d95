"""What the gateway relies on its ports to do, as checks that run on any set of adapters.

tests/unit/gallery/test_fakes.py runs them on the fakes, tests/integration/gallery/test_bindings.py on the
adapters of gallery/cloudflare.py inside workerd. Each check has tables and objects of its own.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Awaitable, Callable
from types import ModuleType

from tests.support.gallery import contract_database, contract_stores
from tests.support.gallery.adapters import Adapters

Check = Callable[[Adapters], Awaitable[None]]


def checks_of(module: ModuleType) -> dict[str, Check]:
    """The coroutine functions that a module defines, by name, but for those that begin with `_`."""
    return {
        name: function
        for name, function in vars(module).items()
        if inspect.iscoroutinefunction(function)
        and function.__module__ == module.__name__
        and not name.startswith("_")
    }


CHECKS = checks_of(contract_database) | checks_of(contract_stores)


async def outcomes(adapters: Adapters) -> dict[str, str | None]:
    """The traceback of each check that failed, None for each that passed."""
    found: dict[str, str | None] = {}
    for name, check in CHECKS.items():
        try:
            await check(adapters)
            found[name] = None
        except Exception:  # whatever a check raises is its outcome
            found[name] = traceback.format_exc()
    return found
