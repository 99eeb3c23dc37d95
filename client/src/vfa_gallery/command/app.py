"""The `vfa` command and its subcommands."""

import click

from vfa_gallery.command.artworks import edit, list_artworks, me, show
from vfa_gallery.command.completion import completion
from vfa_gallery.command.program import Program
from vfa_gallery.command.removing import rm
from vfa_gallery.command.reprocessing import reprocess
from vfa_gallery.command.smoke import smoke
from vfa_gallery.command.sweeping import sweep
from vfa_gallery.command.uploading import upload
from vfa_gallery.command.users import token, user


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vfa-gallery-client")
def vfa() -> None:
    """Upload pictures to a VFA gallery and look after them.

    \b
    Example:
      export VFA_BASE_URL=https://gallery.example VFA_TOKEN=…
      vfa upload ~/pictures --title-from-name
    """


for command in (upload, list_artworks, show, edit, rm, me, user, token, reprocess, sweep, smoke, completion):
    vfa.add_command(command)
