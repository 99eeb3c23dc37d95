"""A short part of the fuzzing, and proof that it would find what it looks for."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fuzz.jpeg import DECODERS, fuzz
from tests.support.fuzz.jpeg_cases import Case, bases, taken_apart
from tests.support.fuzz.jpeg_guard import WrongSizeError, outcome

from imaging.formats import jpeg_segments, jpeg_writer
from imaging.geometry import Size

COUNTS = {"native": 1500, "wasm": 400}


@pytest.mark.parametrize("decoder", DECODERS)
def test_no_decoder_finds_another_size(decoder: str, tmp_path: Path) -> None:
    kinds = Counter(line.split()[1] for line in fuzz(decoder, 1_000_000, COUNTS[decoder], tmp_path))
    assert kinds["decoded"] > COUNTS[decoder] / 4
    assert kinds["refused"] > COUNTS[decoder] / 4


def test_both_decoders_take_the_same_files(tmp_path: Path) -> None:
    """What is refused is refused by our own rules; what reaches a decoder is understood alike."""
    native, wasm = (fuzz(decoder, 2_000_000, 400, tmp_path) for decoder in DECODERS)
    assert [line.split()[1] for line in native] == [line.split()[1] for line in wasm]


def test_undamaged_pictures_are_decoded() -> None:
    assert {outcome((picture, b"")).kind for picture in bases()} == {"decoded"}


@pytest.mark.parametrize("size", [Size(2, 1), Size(1, 2), Size(8, 8)])
@pytest.mark.parametrize("number", range(5))
def test_a_decoder_that_finds_more_is_noticed(
    number: int, size: Size, monkeypatch: pytest.MonkeyPatch
) -> None:
    def larger(frame: Any, names: Any) -> bytes:
        whole = Size(frame.size.width * size.width, frame.size.height * size.height)
        return written(replace(frame, size=whole), names)

    written = jpeg_segments.written_frame
    monkeypatch.setattr(jpeg_writer, "written_frame", larger)
    with pytest.raises(WrongSizeError):
        outcome((bases()[number], b""))


def test_a_file_is_taken_apart_without_loss() -> None:
    for picture in bases():
        case: Case = (b"\xff\xd8" + b"".join(token for _, token in taken_apart(picture)), b"")
        assert case[0] == picture
