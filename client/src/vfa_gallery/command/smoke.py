"""`vfa smoke`: one upload and everything after it, which leaves nothing behind."""

from __future__ import annotations

import io
import json
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass

import click

from vfa_gallery.command.options import gallery_options
from vfa_gallery.command.output import print_json, print_table
from vfa_gallery.errors import GalleryError, NotFound, Unreachable
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import Artwork

WIDTH, HEIGHT = 1200, 800
LEFT_BEHIND = re.compile(r"Smoke test [0-9a-f]{8}")


class Wrong(Exception):
    """The gallery's answer is not the expected one."""


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    ok: bool
    milliseconds: int
    detail: str


@click.command()
@click.option("--keep", is_flag=True, help="Leave the artwork there, also in later tests.")
@gallery_options
def smoke(gallery: Gallery, as_json: bool, keep: bool) -> None:
    """Test a gallery: upload a picture, compare its renditions, remove it.

    Artworks that earlier tests of the same user could not remove are removed first. Without a token, only
    what is public is tested.

    Exit status: 0 everything works, 1 something does not.

    \b
    Example:
      vfa smoke --url https://gallery.example
    """
    trial = Trial(gallery, keep=keep)
    trial.run()
    ok = all(step.ok for step in trial.steps)
    if as_json:
        print_json({"ok": ok, "steps": [asdict(step) for step in trial.steps]})
    else:
        rows = [
            ("ok" if step.ok else "failed", step.name, f"{step.milliseconds} ms", step.detail)
            for step in trial.steps
        ]
        print_table(("", "step", "time", "detail"), rows, nothing="")
    raise SystemExit(0 if ok else 1)


class Trial:
    """The steps and what came of each."""

    def __init__(self, gallery: Gallery, *, keep: bool) -> None:
        self.steps: list[Step] = []
        self._gallery = gallery
        self._artwork: Artwork | None = None
        self._keep = keep
        self._title = f"{'Kept smoke' if keep else 'Smoke'} test {secrets.token_hex(4)}"

    def run(self) -> None:
        self._try("health", self._health)
        self._try("read artworks", self._read)
        if not self._gallery.has_token:
            return
        self._try("who am I", self._me)
        self._try("tidy up", self._tidy_up)
        self._try("upload and render", self._upload)
        if self._artwork is None:
            return
        self._try("renditions", self._renditions)
        self._try("read it back", self._read_back)
        self._try("originals are private", self._copy)
        if not self._keep:
            self._try("remove it", self._remove)

    def _try(self, name: str, step: Callable[[], str]) -> None:
        started = time.perf_counter()
        try:
            ok, detail = True, step()
        except Unreachable as error:
            if not self.steps:
                raise  # every further step would fail alike
            ok, detail = False, str(error)
        except GalleryError as error:
            ok, detail = False, f"{error.code}: {error} (request {error.request_id})"
        except Wrong as error:
            ok, detail = False, str(error)
        self.steps.append(Step(name, ok, round((time.perf_counter() - started) * 1000), detail))

    def _health(self) -> str:
        try:
            answer = json.loads(self._gallery.fetch(f"{self._gallery.base_url}/healthz"))
        except ValueError:
            raise Wrong("the answer is not JSON") from None
        return _expect(isinstance(answer, dict) and answer.get("status") == "ok", "ok", f"answered {answer}")

    def _read(self) -> str:
        newest = next(self._gallery.artworks(page_size=1), None)
        return newest.title if newest else "none yet"

    def _me(self) -> str:
        user = self._gallery.me()
        return f"{user.username}, room for {user.artwork_remaining}"

    def _tidy_up(self) -> str:
        """An upload whose answers were all lost leaves an artwork, which counts in the user's quota."""
        mine = self._gallery.artworks(username=self._gallery.me().username, query="Smoke test")
        found = [artwork for artwork in mine if LEFT_BEHIND.fullmatch(artwork.title)]
        for artwork in found:
            with suppress(NotFound):
                self._gallery.delete(artwork)
        return f"{len(found)} left behind by earlier tests"

    def _upload(self) -> str:
        self._artwork = self._gallery.upload(_picture(), filename="smoke.jpg", title=self._title)
        return self._artwork.id

    def _renditions(self) -> str:
        artwork = self._made()
        wanted = {
            artwork.display_url: (WIDTH, HEIGHT),
            artwork.thumbnail_url: (300, 300),
            artwork.icon_url: (128, 128),
        }
        for url, size in wanted.items():
            found = _size(self._gallery.fetch(url))
            _expect(found == size, "", f"{url} has {found} pixels instead of {size}")
        return "three, of the expected sizes"

    def _read_back(self) -> str:
        found = self._gallery.get(self._made().id)
        return _expect(found.title == self._title, found.slug, f"its title is {found.title}")

    def _copy(self) -> str:
        if self._gallery.copies_unsigned(_picture(), self._made()):
            raise Wrong(
                "the bucket accepts x-amz-copy-source without a signature: whoever has a ticket can copy any "
                "original; allow no uploads until its operator refuses unsigned x-amz-* headers"
            )
        return "an unsigned copy is refused"

    def _remove(self) -> str:
        self._gallery.delete(self._made())
        try:
            self._gallery.get(self._made().id)
        except NotFound:
            return "gone"
        raise Wrong("it is still there")

    def _made(self) -> Artwork:
        if self._artwork is None:
            raise Wrong("there is no artwork")
        return self._artwork


def _expect(right: bool, seen: str, otherwise: str) -> str:
    if not right:
        raise Wrong(otherwise)
    return seen


def _picture() -> bytes:
    """A JPEG of WIDTH × HEIGHT pixels."""
    from PIL import Image

    ramps = [Image.linear_gradient("L"), Image.radial_gradient("L"), Image.linear_gradient("L").rotate(90)]
    image = Image.merge("RGB", [ramp.resize((WIDTH, HEIGHT)) for ramp in ramps])
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def _size(picture: bytes) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(picture)) as image:
            width, height = image.size
            return width, height
    except (OSError, SyntaxError, Image.DecompressionBombError):
        raise Wrong("a rendition is not a picture") from None
