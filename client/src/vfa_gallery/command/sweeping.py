"""`vfa sweep`: tidy a gallery's bucket up, for operators."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce

import click

from vfa_gallery.command.options import gallery_options, print_json
from vfa_gallery.gallery import Gallery
from vfa_gallery.models import SweepReport


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--audit", is_flag=True, help="Look at everything there is, not at uploads alone.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gallery_options
def sweep(gallery: Gallery, as_json: bool, dry_run: bool, audit: bool, yes: bool) -> None:
    """Remove what is left of uploads that are over; needs an operator's token.

    One run ends a bounded number of uploads, the next one goes on from there. An audit walks through the
    whole bucket and all artworks, page by page: it removes objects that no record knows, and names artworks
    whose files are missing or whose original was replaced.

    Exit status: 0 done, 1 refused, or a part could not be looked at.

    \b
    Examples:
      vfa sweep --dry-run
      vfa sweep --yes
      vfa sweep --audit --dry-run
    """
    if not (dry_run or yes):
        click.confirm("Remove objects that belong to no artwork for good?", abort=True, err=True)
    report = _audit(gallery, dry_run=dry_run) if audit else gallery.sweep(dry_run=dry_run)
    if as_json:
        print_json(report.to_wire())
    else:
        _show(report)
    raise SystemExit(1 if report.failed else 0)


def _audit(gallery: Gallery, *, dry_run: bool) -> SweepReport:
    """The reports of all pages in one."""
    return reduce(_sum, gallery.audit(dry_run=dry_run))


def _sum(one: SweepReport, other: SweepReport) -> SweepReport:
    return replace(
        other,
        objects_seen=one.objects_seen + other.objects_seen,
        artworks_seen=one.artworks_seen + other.artworks_seen,
        objects_removed=one.objects_removed + other.objects_removed,
        uploads_seen=(one.uploads_seen or 0) + (other.uploads_seen or 0),
        removed=one.removed + other.removed,
        missing=one.missing + other.missing,
        replaced=(one.replaced or ()) + (other.replaced or ()),
        renewed=(one.renewed or ()) + (other.renewed or ()),
        failed=one.failed + other.failed,
    )


def _show(report: SweepReport) -> None:
    verb = "would be removed" if report.dry_run else "removed"
    uploads = "" if report.uploads_seen is None else f"{report.uploads_seen} uploads, "
    click.echo(f"{uploads}{report.objects_seen} objects and {report.artworks_seen} artworks looked at")
    click.echo(f"{report.objects_removed} objects {verb}")
    for key in report.removed:
        click.echo(f"  {key}")
    for row in report.missing:
        click.echo(f"missing objects: {json.dumps(row, ensure_ascii=False)}")
    for artwork in report.replaced or ():
        click.echo(f"original replaced: {artwork}")
    for artwork in report.renewed or ():
        click.echo(f"rendered again: {artwork}")
    for part in report.failed:
        click.echo(f"not looked at: {part}", err=True)
