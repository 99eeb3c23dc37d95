"""Files of artworks saved to disk."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from vfa_gallery.errors import NotFound
from vfa_gallery.models import Artwork, Download, Progress, Stage
from vfa_gallery.originals import file_problem, printable
from vfa_gallery.transport import Received, Tell, Transport

Which = Literal["display", "original", "thumbnail", "icon"]


def download(
    transport: Transport, artwork: Artwork, path: Path, which: Which, width: int | None, tell: Tell | None
) -> Download:
    """Save a rendition or the original of an artwork, as Gallery.download says.

    Raises:
        NotFound: the artwork lacks this rendition.
        FileProblem: the file cannot be written.
        GalleryError: the file cannot be fetched.
    """
    url = url_of(artwork, which, width)
    target = path / file_name(artwork, which) if path.is_dir() else path
    try:
        received = _receive(transport, url, target, tell)
    except OSError as error:
        raise file_problem(target, error) from error
    if tell:
        tell(Progress(Stage.DONE, received.size, received.size))
    return Download(target, received.size, received.content_type, received.sha256)


def file_name(artwork: Artwork, which: Which, addition: str = "") -> str:
    """The name of a downloaded file: the artwork's slug, an addition, and the suffix of its format."""
    suffix = (Path(artwork.original_key).suffix if which == "original" else "") or ".jpg"
    return printable(artwork.slug or artwork.id).replace("/", "_") + addition + suffix


def url_of(artwork: Artwork, which: Which, width: int | None) -> str:
    """The URL to download; `width` chooses among the display versions.

    Raises:
        ValueError: `which` is none of the four.
        NotFound: the artwork has no such URL.
    """
    urls = {
        "display": artwork.display_at(width),
        "original": artwork.original_download_url or artwork.original_url,
        "thumbnail": artwork.thumbnail_url,
        "icon": artwork.icon_url,
    }
    if which not in urls:
        raise ValueError(f"which is one of {', '.join(urls)}")
    url = urls[which]
    if url is None:
        raise NotFound(f"{artwork.id} has no {which} that this token may download")
    return url


def _receive(transport: Transport, url: str, target: Path, tell: Tell | None) -> Received:
    """Write into a file beside the target, which then takes the target's place."""
    part = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            received = transport.download(url, file, tell)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return received
