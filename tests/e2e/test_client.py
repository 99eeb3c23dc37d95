"""The Python client and the `vfa` command against the running system."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.e2e.accounts import VFA, Account, AccountFactory
from tests.support.e2e.accounts import vfa as print_of
from tests.support.pictures import encode, jpeg, photo

from vfa_gallery import (
    ArtworkLimitReached,
    Batch,
    Details,
    Fate,
    Forbidden,
    Gallery,
    Journal,
    NotFound,
    PreconditionFailed,
    ProcessingFailed,
    Progress,
    RetryPolicy,
    Stage,
    Unauthorized,
    UnreadableImage,
    UnsupportedType,
)


@pytest.fixture(scope="module")
def artist(account: AccountFactory) -> Account:
    return account(limit=200)


@pytest.fixture(scope="module")
def gallery(gallery_url: str, artist: Account) -> Iterator[Gallery]:
    with Gallery(gallery_url, artist.token) as gallery:
        yield gallery


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
        return width, height


def test_a_streamed_file_becomes_an_artwork_with_its_renditions(gallery: Gallery, tmp_path: Path) -> None:
    path = tmp_path / "dusk.jpg"
    path.write_bytes(jpeg(1600, 1200, seed=5))
    heard: list[Progress] = []
    artwork = gallery.upload(
        path,
        title="Dusk over the lake",
        description="From the north shore",
        materials="Oil on canvas",
        dimensions="60 × 40 cm",
        created_date="2024-05",
        category="painting",
        tags=["lake", "dusk"],
        on_progress=heard.append,
    )
    assert len([each for each in heard if each.stage == Stage.SENDING]) > 3
    assert heard[-1] == Progress(Stage.DONE, path.stat().st_size, path.stat().st_size)
    assert (artwork.slug, artwork.category, artwork.tags) == (
        "dusk-over-the-lake",
        "painting",
        ("lake", "dusk"),
    )
    assert (artwork.original_width, artwork.original_height) == (1600, 1200)
    sizes = [
        size_of(gallery.fetch(url)) for url in (artwork.display_url, artwork.thumbnail_url, artwork.icon_url)
    ]
    assert sizes == [(1600, 1200), (300, 300), (128, 128)]
    assert artwork.original_download_url
    sent = hashlib.sha256(path.read_bytes()).hexdigest()
    saved = gallery.download(artwork, tmp_path / "saved", which="original")
    assert saved.sha256 == sent == hashlib.sha256(saved.path.read_bytes()).hexdigest()
    assert size_of(gallery.download(artwork, tmp_path, width=640).path.read_bytes())[0] >= 640
    assert gallery.get(artwork.id) == artwork
    assert gallery.get_by_slug(artwork.username, artwork.slug) == artwork
    assert gallery.readiness(artwork).complete


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF"])
def test_every_accepted_kind_is_recognised_by_its_bytes(gallery: Gallery, kind: str) -> None:
    artwork = gallery.upload(encode(photo(200, 160, 2), kind), title=kind)
    assert (artwork.original_width, artwork.original_height) == (200, 160)


def test_an_artwork_is_changed_and_deleted_with_respect_for_others(gallery: Gallery) -> None:
    made = gallery.upload(jpeg(320, 240), title="Draft", description="To be cleared")
    changed = gallery.update(made, title="Final", description=None, tags=["done"])
    assert (changed.title, changed.description, changed.tags) == ("Final", None, ("done",))
    with pytest.raises(PreconditionFailed):
        gallery.update(made, title="Too late")
    again = gallery.reprocess(changed)
    assert size_of(gallery.fetch(again.icon_url)) == (128, 128)
    gallery.delete(again)
    with pytest.raises(NotFound):
        gallery.get(made.id)
    with pytest.raises(NotFound):
        gallery.delete(made)


def test_pages_follow_one_another_without_gap_or_double(gallery_url: str, account: AccountFactory) -> None:
    owner = account()
    with Gallery(gallery_url, owner.token) as gallery:
        titles = ["Zero", "One", "Two", "Three", "Four"]
        made = [gallery.upload(jpeg(64, 64, seed=n), title=title).id for n, title in enumerate(titles)]
    with Gallery(gallery_url) as anonymous:
        assert [each.id for each in anonymous.artworks(username=owner.username, page_size=2)] == made[::-1]
        found = anonymous.artworks(username=owner.username, query="Three")
        assert [each.title for each in found] == ["Three"]


def test_refusals_are_exceptions_that_name_the_request(
    gallery: Gallery, gallery_url: str, account: AccountFactory
) -> None:
    with pytest.raises(UnreadableImage) as unreadable:
        gallery.upload(jpeg(64, 64)[:20], title="Broken")
    assert unreadable.value.request_id
    with pytest.raises(UnsupportedType):
        gallery.upload(b"Dear all", filename="notes.txt", title="Notes")
    mine = gallery.upload(jpeg(64, 64), title="Mine")
    small = account(limit=1)
    with Gallery(gallery_url, small.token) as other:
        with pytest.raises(Forbidden):
            other.delete(mine)
        other.upload(jpeg(64, 64), title="One")
        with pytest.raises(ArtworkLimitReached, match="Artwork limit reached"):
            other.upload(jpeg(64, 64), title="Two")
        assert other.me().artwork_remaining == 0
    with Gallery(gallery_url, "no.token.this") as nobody, pytest.raises(Unauthorized):
        nobody.me()


def test_a_rendering_that_fails_for_a_while_is_waited_out(
    gallery_url: str, artist: Account, faults: Callable[..., None]
) -> None:
    faults("icon", rendering={"kind": "error"})
    policy = RetryPolicy(attempts=2, first=0.01)
    with Gallery(gallery_url, artist.token, retry=policy) as hasty, pytest.raises(ProcessingFailed):
        hasty.upload(jpeg(64, 64), title="Never")

    def mend(progress: Progress) -> None:
        if progress.stage == Stage.WAITING:
            faults("icon")

    with Gallery(gallery_url, artist.token) as patient:
        assert patient.upload(jpeg(64, 64), title="In the end", on_progress=mend).title == "In the end"


def test_a_batch_brings_each_good_picture_once(
    gallery_url: str, account: AccountFactory, tmp_path: Path
) -> None:
    owner = account()
    jobs: list[tuple[Path, Details]] = []
    for number in range(10):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(jpeg(320, 240, seed=number) if number % 5 else b"\xff\xd8\xff\xe0 no picture")
        jobs.append((path, {"title": path.stem}))
    with Gallery(gallery_url, owner.token) as gallery:
        fates = []
        for _ in range(2):
            with Journal(tmp_path / "journal") as journal:
                fates.append(Counter(each.fate for each in Batch(gallery, journal).run(jobs)))
        titles = sorted(artwork.title for artwork in gallery.artworks(username=owner.username))
    assert fates == [{Fate.ARRIVED: 8, Fate.FAILED: 2}, {Fate.KNOWN: 8, Fate.FAILED: 2}]
    assert titles == sorted(str(number) for number in range(10) if number % 5)


@pytest.fixture
def command(gallery_url: str, artist: Account, tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts `vfa` as the artist."""
    words = {
        "VFA_URL": gallery_url,
        "VFA_TOKEN": artist.token,
        "XDG_CONFIG_HOME": str(tmp_path / "home"),
    }

    def start(*arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(VFA), *arguments],
            env=os.environ | words | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def outcome(process: subprocess.Popen[str], status: int = 0) -> Any:
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == status, stdout + stderr
    return json.loads(stdout)


def test_the_command_uploads_lists_shows_and_removes(
    command: Callable[..., subprocess.Popen[str]], artist: Account, tmp_path: Path
) -> None:
    path = tmp_path / "evening-light.jpg"
    path.write_bytes(jpeg(320, 240))
    uploaded = outcome(command("upload", str(path), "--title-from-name", "--category", "drawing", "--json"))
    artwork = uploaded["arrived"][0]["artwork"]
    assert (artwork["title"], artwork["category"]) == ("evening light", "drawing")
    listed = outcome(command("list", "--username", artist.username, "--category", "drawing", "--json"))
    assert [each["id"] for each in listed] == [artwork["id"]]
    showing = command("show", artwork["id"], "--picture")
    assert "▀" * 40 in showing.communicate(timeout=30)[0]
    assert outcome(command("rm", artwork["id"], "--yes", "--json")) == {
        "removed": [artwork["id"]],
        "failed": [],
        "left": [],
    }
    assert outcome(command("me", "--json"))["username"] == artist.username


def test_an_artwork_is_found_by_the_beginning_of_its_id_and_saved(
    command: Callable[..., subprocess.Popen[str]], gallery: Gallery, tmp_path: Path
) -> None:
    made = gallery.upload(jpeg(320, 240, seed=77), title="To be saved", tags=["to-save"])
    begun = command("show", made.id[:16], "--fields", "id")
    assert begun.communicate(timeout=60)[0] == f"id\t{made.id}\n"
    report = outcome(command("download", "--tag", "to-save", "--output", str(tmp_path / "out"), "--json"))
    (saved,) = report["saved"]
    assert size_of(Path(saved["file"]).read_bytes()) == (320, 240)
    changed = outcome(command("edit", "--with-tag", "to-save", "--add-tag", "saved", "--yes", "--json"))
    assert [each["tags"] for each in changed["changed"]] == [["to-save", "saved"]]
    assert outcome(command("rm", "--tag", "saved", "--yes", "--json"))["removed"] == [made.id]


def test_a_user_without_the_role_cannot_render_everything(
    command: Callable[..., subprocess.Popen[str]],
) -> None:
    refused = command("reprocess", "--all")
    assert "needs an operator's token" in refused.communicate(timeout=60)[1]
    assert refused.returncode == 1


def test_an_expired_token_is_told_from_a_wrong_one(gallery_url: str) -> None:
    expired = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMSIsImV4cCI6MTcwMDAwMDAwMH0.c2ln"
    for token, reason in (
        ("", "No token was given"),
        (expired, "expired on 2023-11-14"),
        ("x", "not accept"),
    ):
        with Gallery(gallery_url, token) as nobody, pytest.raises(Unauthorized, match=reason):
            nobody.me()


def test_smoke_finds_the_system_well(command: Callable[..., subprocess.Popen[str]]) -> None:
    answer = outcome(command("smoke", "--json"))
    assert [step["name"] for step in answer["steps"] if step["ok"]] == [
        "health",
        "read artworks",
        "who am I",
        "tidy up",
        "upload and render",
        "renditions",
        "read it back",
        "originals are private",
        "remove it",
    ]


def test_an_operator_sweeps_and_renders_again(
    command: Callable[..., subprocess.Popen[str]], artist: Account, account_words: list[str], gallery: Gallery
) -> None:
    made = gallery.upload(jpeg(64, 64), title="To be rendered again")
    operator = print_of("token", artist.username, "--operator", *account_words)
    report = outcome(command("sweep", "--audit", "--dry-run", "--json", VFA_TOKEN=operator))
    assert report["dryRun"]
    assert report["objectsSeen"] >= 4
    again = outcome(command("reprocess", made.id, "--json", VFA_TOKEN=operator))
    assert again == {"rendered": 1, "renderedBefore": 0, "gone": 0, "left": 0, "failed": []}
    assert gallery.get(made.id).icon_url != made.icon_url
    refused = command("sweep", "--dry-run")
    assert "operators" in refused.communicate(timeout=30)[1]
    assert refused.returncode == 1


def test_an_interrupted_upload_goes_on_without_a_double(
    command: Callable[..., subprocess.Popen[str]], gallery: Gallery, tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(10):
        (folder / f"part {number}.jpg").write_bytes(jpeg(1600, 1200, seed=number))

    def there() -> list[str]:
        return sorted(artwork.title for artwork in gallery.artworks(query="part "))

    words = ("upload", str(folder), "--parallel", "2", "--json")
    for end in (signal.SIGKILL, signal.SIGINT):
        process, before = command(*words), len(there())
        deadline = time.monotonic() + 20
        while len(there()) <= before and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(end)
        process.communicate(timeout=30)
    assert outcome(command(*words))["counts"]["failed"] == 0
    assert there() == [f"part {number}" for number in range(10)]
