"""Set-up's native build of the kernels: without a compiler it says so, and removes an older build."""

from pathlib import Path
from unittest import mock

import pytest
from kernels import native


@pytest.mark.parametrize(("compiler", "said"), [(None, "no C compiler"), ("false", "false cannot compile")])
def test_set_up_goes_on_without_a_compiler(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], compiler: str | None, said: str
) -> None:
    library = tmp_path / "vfa_kernels.abi3.so"
    library.write_bytes(b"older")
    with (
        mock.patch.object(native, "FOLDER", tmp_path),
        mock.patch.object(native, "LIBRARY", library),
        mock.patch.object(native, "find_compiler", return_value=compiler),
    ):
        native.compile_natively()
    assert said in capsys.readouterr().out
    assert not library.exists()
