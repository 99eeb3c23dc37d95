"""Object keys: the grammar of what the bucket holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import formats
from gallery.formats import EXTENSIONS
from gallery.keys import OriginalKey, RenditionKey, parse_original, parse_rendition, rendition_keys
from gallery.variants import Variant

UUID = "0b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11"

user_ids = st.text("abcXYZ019_-", min_size=1, max_size=64)
uuids = st.uuids().map(str)
originals = st.builds(OriginalKey, user_ids, uuids, st.sampled_from(sorted(EXTENSIONS.values())))
renditions = st.builds(RenditionKey, st.sampled_from(Variant), user_ids, uuids, st.integers(1, 999_999_999))


@given(originals)
def test_an_original_key_reads_as_it_was_made(key: OriginalKey) -> None:
    assert parse_original(str(key)) == key


@given(renditions)
def test_a_rendition_key_reads_as_it_was_made(key: RenditionKey) -> None:
    assert parse_rendition(str(key)) == key


@given(originals, st.integers(1, 9))
def test_a_rendition_names_its_original_among_the_possible_ones(original: OriginalKey, version: int) -> None:
    for key in rendition_keys(original, version).values():
        parsed = parse_rendition(key)
        assert parsed is not None
        assert str(original) in parsed.possible_originals()


@given(originals)
def test_keys_of_two_versions_never_meet(original: OriginalKey) -> None:
    one, two = (set(rendition_keys(original, version).values()) for version in (1, 2))
    assert len(one) == len(two) == 3
    assert not one & two


def test_the_renditions_of_a_version_lie_in_their_folders() -> None:
    assert rendition_keys(OriginalKey("usr_1", UUID, "png"), 2) == {
        Variant.THUMBNAIL: f"thumbnails/usr_1/{UUID}.v2.jpg",
        Variant.ICON: f"icons/usr_1/{UUID}.v2.jpg",
        Variant.WATERMARK: f"display/usr_1/{UUID}.v2.jpg",
    }


@pytest.mark.parametrize(
    "key",
    [
        "",
        "originals/",
        f"originals/usr_1/{UUID}",
        f"originals/usr_1/{UUID}.svg",
        f"originals/usr_1/{UUID}.jpg\n",
        f"originals/usr_1/{UUID}.jpg ",
        f"originals/usr_1/../usr_2/{UUID}.jpg",
        f"originals/usr_1/%2e%2e/{UUID}.jpg",
        f"originals//{UUID}.jpg",
        f"originals/usr 1/{UUID}.jpg",
        f"originals/usr_1/{UUID.upper()}.jpg",
        f"/originals/usr_1/{UUID}.jpg",
        f"display/usr_1/{UUID}.jpg",
        f"originals/{'u' * 65}/{UUID}.jpg",
        "originals/usr_1/\u0660b8f4b52-6d3c-4e0e-9a53-5a3b6a2f1c11.jpg",
    ],
)
def test_nothing_else_is_an_original_key(key: str) -> None:
    assert parse_original(key) is None


@pytest.mark.parametrize("name", ["v1.jpg", "v0.jpg", "v02.jpg", "v2.png", "v.jpg", "png"])
def test_nothing_else_is_a_rendition_key(name: str) -> None:
    assert parse_rendition(f"icons/usr_1/{UUID}.{name}") is None


@given(st.text(max_size=200))
def test_any_text_is_a_key_or_none(text: str) -> None:
    for parse in (parse_original, parse_rendition):
        parsed = parse(text)
        assert parsed is None or str(parsed) == text


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPG", "image/jpeg"),
        ("image/pjpeg", "image/jpeg"),
        ("image/x-png", "image/png"),
        ("image/png; charset=binary", "image/png"),
        ("image/webp ;q=1", "image/webp"),
        ("image/tif", "image/tiff"),
        ("image/gif", "image/gif"),
        ("image/heic", None),
        ("image", None),
        ("", None),
    ],
)
def test_a_content_type_means_an_accepted_one_or_none(said: str, meant: str | None) -> None:
    assert formats.media_type_of(said) == meant
