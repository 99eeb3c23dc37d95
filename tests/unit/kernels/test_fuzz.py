"""A short run of the kernels' fuzzer, under the sanitizers; `make fuzz-kernels` has the long one."""

import shutil

import pytest
from kernels import fuzz_kernels


@pytest.mark.skipif(not shutil.which("gcc"), reason="its sanitizers are gcc's")
@pytest.mark.parametrize("seed", [20, 21])
def test_damaged_pictures_are_no_trouble(seed: int) -> None:
    fuzz_kernels.fuzz(6000, seed)
