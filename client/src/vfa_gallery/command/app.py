"""The `vfa` command and its subcommands."""

from importlib.metadata import entry_points

import click

from vfa_gallery.command.artworks import edit, list_artworks, me, show
from vfa_gallery.command.completion import completion
from vfa_gallery.command.program import Program
from vfa_gallery.command.removing import rm
from vfa_gallery.command.reprocessing import reprocess
from vfa_gallery.command.smoke import smoke
from vfa_gallery.command.sweeping import sweep
from vfa_gallery.command.uploading import upload
from vfa_gallery.command.users import gallery_users_options, user_commands

PLUGINS = "vfa_gallery.commands"


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vfa-gallery-client")
def vfa() -> None:
    """Upload pictures to a VFA gallery and look after them.

    \b
    Example:
      export VFA_URL=https://gallery.example VFA_TOKEN=…
      vfa upload ~/pictures --title-from-name
    """


user = user_commands(gallery_users_options)
for command in (upload, list_artworks, show, edit, rm, me, user, reprocess, sweep, smoke, completion):
    vfa.add_command(command)


def load_plugins() -> None:
    """Let other packages add commands: each entry point is a function that is called with the group."""
    for plugin in entry_points(group=PLUGINS):
        try:
            plugin.load()(vfa)
        except Exception as error:  # a plug-in must not break the other commands
            click.echo(f"warning: the plug-in {plugin.name} does not load: {error!r}", err=True)


load_plugins()
