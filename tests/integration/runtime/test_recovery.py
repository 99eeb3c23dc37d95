"""What dies in the local runtime is started again: an interpreter in its isolate, and workerd itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.runtime.projects import Running, command_of, descendants_of, running_in
from tools.stack import Stack

ASKS = {"gateway": "/api/write", "icon": "/api/ask"}
WELL = {"gateway": "['kept', 'kept', 'kept']", "icon": "MemoryError, and still here"}


@pytest.fixture(scope="module")
def mended(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A runtime whose interpreters are broken and replaced again and again."""
    with running_in(template, tmp_path_factory.mktemp("mended")) as runtime:
        yield runtime


def break_interpreter(runtime: Running, worker: str, kind: str) -> None:
    stack = Stack(runtime.url, runtime.state, runtime.process)
    stack.control("faults", worker=worker, interpreter={"kind": kind})


def get(runtime: Running, path: str) -> httpx.Response:
    return httpx.get(runtime.url + path, timeout=60)


@pytest.mark.parametrize("kind", ["crash", "corrupt", "freeze"])
@pytest.mark.parametrize("worker", ASKS)
def test_an_interpreter_that_died_is_replaced(mended: Running, worker: str, kind: str) -> None:
    deaths = mended.text.count("interpreter_died")
    break_interpreter(mended, worker, kind)
    refused = get(mended, ASKS[worker])
    assert "The gallery is starting again." in refused.text
    assert get(mended, ASKS[worker]).text == WELL[worker]
    lines = [line for line in mended.text.splitlines() if "interpreter_died" in line]
    assert len(lines) == deaths + 1
    assert lines[-1].startswith(f'[{worker}] {{"event":"interpreter_died","reason":"')
    assert '"reason":""' not in lines[-1]
    assert mended.says(f'[{worker}] {{"event":"interpreter_started"')


def test_the_request_in_flight_gets_an_error_of_the_api(mended: Running) -> None:
    break_interpreter(mended, "gateway", "crash")
    refused = httpx.get(f"{mended.url}/api/write", headers={"X-Request-Id": "trace.1"}, timeout=60)
    assert (refused.status_code, int(refused.headers["retry-after"])) == (503, 2)
    assert refused.headers["x-request-id"] == "trace.1"
    assert refused.json() == {
        "error": "The gallery is starting again. Please try again in a moment.",
        "code": "unavailable",
        "requestId": "trace.1",
    }


def test_an_interpreter_that_answers_with_no_response_is_replaced(mended: Running) -> None:
    assert get(mended, "/api/odd").status_code == 503
    assert mended.says('"interpreter_died","reason":"it answered with something that is no Response"')
    assert get(mended, "/api/write").text == WELL["gateway"]


def test_a_cron_event_finds_a_new_interpreter(mended: Running) -> None:
    break_interpreter(mended, "gateway", "crash")
    assert get(mended, "/api/write").status_code == 503
    Stack(mended.url, mended.state, mended.process).control("cron", cron="17 * * * *")
    assert mended.says("swept at 17 * * * *")


def test_a_new_interpreter_has_no_more_memory_than_the_first(mended: Running) -> None:
    stack = Stack(mended.url, mended.state, mended.process)
    for _ in range(3):
        break_interpreter(mended, "icon", "crash")
        get(mended, "/api/ask")
    assert get(mended, "/api/ask").text == WELL["icon"]
    assert stack.control("status")["icon"]["heapBytes"] <= 88 << 20


def workerd_of(runtime: Running) -> set[int]:
    found = descendants_of(runtime.process.pid)
    return {pid for pid in found if "workerd" in command_of(pid).split(" ")[0]}


def get_again(runtime: Running, path: str) -> str:
    """The answer, once there is one."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return get(runtime, path).text
        except httpx.TransportError:
            assert runtime.process.poll() is None, runtime.text
            assert time.monotonic() < deadline, runtime.text
            time.sleep(0.1)


def says_later(runtime: Running, text: str) -> bool:
    return any(runtime.says(text) for _ in range(15))


def test_a_workerd_that_was_killed_is_started_again_with_what_was_stored(
    template: Path, tmp_path: Path
) -> None:
    with running_in(template, tmp_path) as runtime:
        assert get(runtime, "/api/write").text == WELL["gateway"]
        (workerd,) = workerd_of(runtime)
        os.kill(workerd, signal.SIGKILL)
        assert get_again(runtime, "/api/read") == WELL["gateway"]
        assert says_later(runtime, "workerd ended and was started again after ")
        assert get(runtime, "/api/ask").text == WELL["icon"]
        assert runtime.text.count("ready on ") == 1
        assert runtime.end() == 0


def test_a_workerd_that_is_stuck_is_started_again(template: Path, tmp_path: Path) -> None:
    with running_in(template, tmp_path, "--hang-seconds", "6") as runtime:
        assert get(runtime, "/api/write").text == WELL["gateway"]
        break_interpreter(runtime, "icon", "spin")
        with pytest.raises(httpx.TransportError):
            get(runtime, "/api/ask")
        assert runtime.says("workerd has not answered for 6 s and is started again")
        assert get_again(runtime, "/api/read") == WELL["gateway"]


def test_a_workerd_that_keeps_dying_ends_the_runtime_with_a_sentence(template: Path, tmp_path: Path) -> None:
    with running_in(template, tmp_path) as runtime:
        deadline = time.monotonic() + 120
        while runtime.process.poll() is None:
            assert time.monotonic() < deadline, runtime.text
            for workerd in workerd_of(runtime):
                os.kill(workerd, signal.SIGKILL)
            time.sleep(0.3)
        assert runtime.process.wait() == 1
        assert runtime.text.splitlines()[-1].startswith("error: workerd ended ")
        assert not (runtime.state / "stack.json").exists()
