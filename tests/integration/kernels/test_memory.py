"""The memory of the whole way to a display, in WebAssembly."""

import json
import subprocess
from pathlib import Path

from tests.support.imaging.originals import encoded, scene

ROOT = Path(__file__).parents[3]
MIB = 1 << 20


def test_the_display_of_200_megapixels_stays_below_40_mib(tmp_path: Path) -> None:
    row = encoded(scene(16_320, 16), "JPEG", quality=92, restart_marker_rows=1)
    (tmp_path / "row.jpg").write_bytes(row)
    program = ROOT / "tests/support/kernels/display_in_pyodide.py"
    command = ["node", "tests/support/imaging/in_pyodide.mjs", str(program), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["damage"] is None
    assert told["state"] < 4 * MIB
    assert told["after"] <= 40
