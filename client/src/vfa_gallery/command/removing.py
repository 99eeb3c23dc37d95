"""`vfa rm`: remove artworks, and say what was removed however it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from vfa_gallery.batch import fatal
from vfa_gallery.command.options import gallery_options, print_json
from vfa_gallery.command.problem import INTERRUPTED, SOME_FAILED, error_to_wire
from vfa_gallery.errors import GalleryError
from vfa_gallery.gallery import Gallery


@click.command()
@click.argument("artwork_ids", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_options
def rm(gallery: Gallery, as_json: bool, artwork_ids: tuple[str, ...], yes: bool) -> None:
    """Remove artworks for good, with their originals.

    Exit status: 0 all removed, 3 some were not, 1 no more could be removed, 130 interrupted.

    \b
    Example:
      vfa rm art_5f0c art_77ab --yes
    """
    removal = Removal(list(dict.fromkeys(artwork_ids)))
    if not yes:
        click.confirm(f"Remove {len(removal.left)} artworks for good?", abort=True, err=True)
    try:
        status = removal.carry_out(gallery)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if as_json:
        print_json(removal.to_wire())
    else:
        removal.show()
    raise SystemExit(status)


@dataclass(slots=True)
class Removal:
    """What was removed, what was not, and what was not tried or not answered."""

    left: list[str]
    removed: list[str] = field(default_factory=list)
    failed: dict[str, GalleryError] = field(default_factory=dict)

    def carry_out(self, gallery: Gallery) -> int:
        """The exit status."""
        while self.left:
            artwork_id = self.left[0]
            try:
                gallery.delete(artwork_id)
                self.removed.append(artwork_id)
            except GalleryError as error:
                self.failed[artwork_id] = error
            self.left.pop(0)
            if artwork_id in self.failed and fatal(self.failed[artwork_id]):
                return 1
        return SOME_FAILED if self.failed else 0

    def to_wire(self) -> dict[str, Sequence[object]]:
        failed = [{"id": artwork_id, **error_to_wire(reason)} for artwork_id, reason in self.failed.items()]
        return {"removed": self.removed, "failed": failed, "left": self.left}

    def show(self) -> None:
        for artwork_id in self.removed:
            click.echo(f"removed {artwork_id}")
        for artwork_id, reason in self.failed.items():
            click.echo(f"not removed {artwork_id}: {reason}", err=True)
        for artwork_id in self.left:
            click.echo(f"left {artwork_id}", err=True)
