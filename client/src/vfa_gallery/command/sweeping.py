"""`vfa sweep`: tidy a gallery's bucket up, for operators."""

from __future__ import annotations

import json

import click

from vfa_gallery.command.options import gallery_options, print_json
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import SweepReport


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_options
def sweep(gallery: Gallery, as_json: bool, dry_run: bool, yes: bool) -> None:
    """Remove objects that belong to no artwork; needs an operator's token.

    One run looks at a bounded part of the gallery, the next one goes on from there.

    Exit status: 0 done, 1 refused, or a part could not be looked at.

    \b
    Examples:
      vfa sweep --dry-run
      vfa sweep --yes
    """
    if not (dry_run or yes):
        click.confirm("Remove objects that belong to no artwork for good?", abort=True, err=True)
    report = gallery.sweep(dry_run=dry_run)
    if as_json:
        print_json(report.to_wire())
    else:
        _show(report)
    raise SystemExit(1 if report.failed else 0)


def _show(report: SweepReport) -> None:
    verb = "would be removed" if report.dry_run else "removed"
    click.echo(f"{report.objects_seen} objects and {report.artworks_seen} artworks looked at")
    click.echo(f"{report.objects_removed} objects {verb}")
    for key in report.removed:
        click.echo(f"  {key}")
    for row in report.missing:
        click.echo(f"missing objects: {json.dumps(row, ensure_ascii=False)}")
    for part in report.failed:
        click.echo(f"not looked at: {part}", err=True)
