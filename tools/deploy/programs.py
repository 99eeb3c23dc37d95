"""Programs of the checkout, run to their end; what keeps one from ending by itself is a Problem."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.problem import Problem


def run(
    name: str, command: Sequence[str | Path], *, cwd: Path, environ: Mapping[str, str], timeout: int
) -> subprocess.CompletedProcess[str]:
    """How a command ended, with `environ` beside this process's own; `name` is how a person calls it."""
    try:
        return subprocess.run(
            [str(word) for word in command],
            cwd=cwd,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise Problem(f"`{name}` took more than {timeout} s; run `make deploy` again") from None
    except OSError as error:
        raise Problem(f"`{name}` cannot be started ({error.strerror}); run `make setup`") from None
