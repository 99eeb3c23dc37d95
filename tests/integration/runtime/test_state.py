"""The state folder: kept through a kill, closed to others, and never held by a stack that is gone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
from tests.support.runtime.projects import (
    NODE,
    Running,
    are_gone_soon,
    descendants_of,
    is_gone,
    refusal,
    run,
    running_in,
)

ASKED = '{"sql": "SELECT 1 AS n"}'


def test_state_survives_a_kill_and_nothing_outlives_the_runtime(template: Path, tmp_path: Path) -> None:
    with running_in(template, tmp_path) as first:
        assert httpx.get(f"{first.url}/api/write", timeout=30).text == "['kept', 'kept', 'kept']"
        workerd = descendants_of(first.process.pid)
        assert workerd
        first.end(signal.SIGKILL)
        assert are_gone_soon(workerd)
    with running_in(template, tmp_path) as second:
        assert httpx.get(f"{second.url}/api/read", timeout=30).text == "['kept', 'kept', 'kept']"
        workerd = descendants_of(second.process.pid)
        assert second.end(signal.SIGINT) == 0
    assert all(map(is_gone, workerd))
    assert not (tmp_path / "state/stack.json").exists()


def test_secrets_are_made_once_and_for_their_owner_only(running: Running) -> None:
    for name in ("secrets.json", "stack.json"):
        assert (running.state / name).stat().st_mode & 0o077 == 0


def test_git_passes_over_the_folder(template: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    run(template, "sql", "--state", str(tmp_path / "foo"), text=ASKED)
    assert (tmp_path / "foo/secrets.json").exists()
    seen = subprocess.check_output(["git", "-C", str(tmp_path), "status", "--porcelain"], text=True)
    assert seen == ""


def test_a_second_stack_on_the_same_state_is_refused(template: Path, running: Running) -> None:
    said = refusal(run(template, "dev", "--port", "0", "--state", str(running.state)))
    assert said.startswith("error: a stack already runs on ")


# Prints the URLs of the stacks that run on the folders it is given, null where none does.
ASK = """
const { runningStack } = await import("./runtime/state.mjs");
const found = await Promise.all(process.argv.slice(1).map(runningStack));
console.log(JSON.stringify(found.map((stack) => stack?.url ?? null)));
"""


def urls_of(project: Path, folders: list[Path]) -> list[str | None]:
    command = [str(NODE), "--input-type=module", "-e", ASK, *map(str, folders)]
    return list(json.loads(subprocess.check_output(command, cwd=project, text=True)))


def folders_with(parent: Path, notes: list[str]) -> list[Path]:
    """One state folder for each note that a stack may have left in it."""
    folders = [parent / str(number) for number in range(len(notes))]
    for folder, note in zip(folders, notes, strict=True):
        folder.mkdir()
        (folder / "stack.json").write_text(note)
    return folders


def test_a_process_that_got_the_number_of_a_stack_is_not_taken_for_it(
    template: Path, running: Running, tmp_path: Path
) -> None:
    about = json.loads((running.state / "stack.json").read_text())
    assert urls_of(template, [running.state]) == [running.url]
    stale = [{"pid": os.getpid()}, {"token": "another"}, {"control": "http://127.0.0.1:9"}, {"pid": 2**22}]
    folders = folders_with(tmp_path, [json.dumps(about | change) for change in stale])
    assert urls_of(template, folders) == [None] * len(stale)


def test_a_broken_note_of_a_stack_is_no_stack(template: Path, tmp_path: Path) -> None:
    notes = ["", '{"pid": 1, "url', "null", "[]", "{}", "7", '{"pid": "x", "control": 1}']
    assert urls_of(template, folders_with(tmp_path, notes)) == [None] * len(notes)
    done = run(template, "sql", "--state", str(tmp_path / "1"), text=ASKED)
    assert json.loads(done.stdout)["url"] is None


def test_a_stack_that_is_silent_for_a_while_still_has_its_folder(template: Path, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        about = {"pid": os.getpid(), "url": url, "control": url, "token": "x"}
        (tmp_path / "stack.json").write_text(json.dumps(about))
        assert "a stack already runs" in refusal(
            run(template, "dev", "--port", "0", "--state", str(tmp_path))
        )


def test_broken_secrets_are_named(template: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"AUTH_JWT')
    said = refusal(run(template, "sql", "--state", str(tmp_path), text=ASKED))
    assert f"{tmp_path}/secrets.json cannot be read" in said


def test_a_state_that_is_no_folder_is_named(template: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refusal(run(template, "dev", "--port", "0", "--state", str(tmp_path / "file")))
    assert f"nothing can be kept in {tmp_path}/file" in said
