"""A run: rounds of random operations with faults, SIGKILL between, and the invariants after each."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from tests.support.e2e.accounts import Account, artist_of
from tests.support.e2e.inside import audit
from tests.support.model.checks import age, settle, sweep
from tests.support.model.faults import DEADLINE_SECONDS, FAULTS, Fault
from tests.support.model.operations import User
from tests.support.model.world import Shelf, State
from tools import stack as local_stack
from tools.stack import Stack

USERS = 4
LIMIT = 8
ROUND = 120
KILLED = 3  # every such round ends by SIGKILL
ARGUMENTS = ["--var", f"VARIANT_DEADLINE_SECONDS={DEADLINE_SECONDS}"]


class Failure(AssertionError):
    """An invariant that does not hold, with the seed that shows it."""


@dataclass(slots=True)
class Totals:
    """What a run did."""

    operations: int = 0
    rounds: int = 0
    kills: int = 0
    swept: int = 0
    seconds: float = 0
    seen: Counter[str] = field(default_factory=Counter)


class Run:
    """At least `operations` of them on a stack with its state in `state`, all chosen by `seed`."""

    def __init__(
        self, state: Path, seed: int, operations: int, say: Callable[[str], None], *, size: int = ROUND
    ) -> None:
        self.totals = Totals()
        self._state = state
        self._seed = seed
        self._operations = operations
        self._say = say
        self._size = size
        self._chance = random.Random(seed)  # noqa: S311
        self._users: list[tuple[Account, Shelf]] = []
        self._operator: Account | None = None
        self._errors: list[BaseException] = []

    def go(self) -> Totals:
        """Raises Failure."""
        started = time.monotonic()
        with ExitStack() as accounts:
            is_killed = True
            while is_killed:
                with local_stack.running(self._state, arguments=ARGUMENTS) as stack:
                    self._register(stack, accounts)
                    is_killed = False
                    while self.totals.operations < self._operations and not is_killed:
                        is_killed = self._is_killed_in(stack)
        for _, shelf in self._users:
            self.totals.seen += shelf.seen
        self.totals.seconds = time.monotonic() - started
        return self.totals

    def _register(self, stack: Stack, accounts: ExitStack) -> None:
        """The users, once; then what a killed round has left is checked."""
        if self._operator is None:
            self._operator = accounts.enter_context(artist_of(stack, f"operator-{self._seed}", operator=True))
            for number in range(USERS):
                account = accounts.enter_context(artist_of(stack, f"user-{self._seed}-{number}", LIMIT))
                self._users.append((account, Shelf(account.user_id)))
        elif self.totals.rounds:
            self._check(stack, "after a kill")

    def _is_killed_in(self, stack: Stack) -> bool:
        """One round; whether it was ended by SIGKILL."""
        fault = self._chance.choice(FAULTS)
        steps = min(self._size, self._operations - self.totals.operations) // USERS + 1
        self.totals.rounds += 1
        is_killed = self.totals.rounds % KILLED == 0
        for worker, what in fault.items():
            stack.control("faults", worker=worker, **what)
        self._play(stack, steps, is_killed)
        self.totals.operations += steps * USERS
        if self._errors:
            raise Failure(self._where(fault)) from self._errors[0]
        if is_killed:
            self.totals.kills += 1
            return True
        for worker in fault:
            stack.control("faults", worker=worker)
        self._check(stack, str(fault or "no fault"))
        return False

    def _play(self, stack: Stack, steps: int, is_killed: bool) -> None:
        """All users at once, and an operator who sweeps, until their share is done or the stack is killed."""
        over = threading.Event()
        users = [
            threading.Thread(target=self._act, args=(stack, *user, steps, self._chance.getrandbits(32), over))
            for user in self._users
        ]
        sweeper = threading.Thread(target=self._sweep, args=(stack, self._chance.getrandbits(32), over))
        for thread in (*users, sweeper):
            thread.start()
        if is_killed:
            time.sleep(2 + 6 * self._chance.random())
            over.set()
            os.kill(stack.process.pid, signal.SIGKILL)
        for thread in users:
            thread.join()
        over.set()
        sweeper.join()

    def _act(
        self, stack: Stack, account: Account, shelf: Shelf, steps: int, seed: int, over: threading.Event
    ) -> None:
        with client_of(stack, account) as client:
            user = User(client, shelf, random.Random(seed))  # noqa: S311
            try:
                for _ in range(steps):
                    if over.is_set():
                        return
                    user.step()
            except BaseException as error:
                self._errors.append(error)

    def _sweep(self, stack: Stack, seed: int, over: threading.Event) -> None:
        chance = random.Random(seed)  # noqa: S311
        with client_of(stack, self._operator) as client:
            while not over.wait(chance.random()):
                works = [work for _, shelf in self._users for work in shelf.of(State.WAITING)]
                # A fault, or the kill, may meet this one as well.
                with suppress(httpx.HTTPError, OSError):
                    age(stack, [work.key for work in works if work.is_put and chance.random() < 0.2])
                    self.totals.swept += sweep(client)["objectsRemoved"]
                    if chance.random() < 0.3:
                        list(audit(client))

    def _check(self, stack: Stack, after: str) -> None:
        with client_of(stack, self._operator) as client:
            problems = settle(stack, client, [shelf for _, shelf in self._users])
        if problems:
            raise Failure("\n".join([self._where(after), *problems]))
        self._say(f"round {self.totals.rounds}, {self.totals.operations} operations, {after}: as it must be")

    def _where(self, what: Fault | str) -> str:
        return f"seed {self._seed}, round {self.totals.rounds}, {what}"


def client_of(stack: Stack, account: Account | None) -> httpx.Client:
    assert account is not None
    return httpx.Client(base_url=stack.url, headers=account.headers, timeout=60)
