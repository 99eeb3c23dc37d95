"""The `vfa` command: its subcommands, and those that other packages add."""

from __future__ import annotations

from importlib.metadata import entry_points

import click
from click.shell_completion import get_completion_class

from vfa_gallery.command.artworks import download, edit, list_artworks, me, rm, show
from vfa_gallery.command.operators import reprocess, sweep
from vfa_gallery.command.problem import Problem, Program
from vfa_gallery.command.smoke import smoke
from vfa_gallery.command.uploading import upload
from vfa_gallery.command.users import gallery_users_options, user_commands
from vfa_gallery.version import __version__

PLUGINS = "vfa_gallery.commands"


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def vfa() -> None:
    """Upload pictures to a VFA gallery and manage them.

    \b
    Example:
      export VFA_URL=https://gallery.example VFA_TOKEN=…
      vfa upload ~/pictures
    """


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Examples:
      eval "$(vfa completion bash)"     # in ~/.bashrc
      eval "$(vfa completion zsh)"      # in ~/.zshrc
      vfa completion fish > ~/.config/fish/completions/vfa.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Problem(f"no completion for {shell}")
    click.echo(kind(context.find_root().command, {}, "vfa", "_VFA_COMPLETE").source())


for command in (
    upload,
    list_artworks,
    show,
    edit,
    rm,
    download,
    me,
    user_commands(gallery_users_options),
    reprocess,
    sweep,
    smoke,
    completion,
):
    vfa.add_command(command)


def load_plugins() -> None:
    """Let other packages add commands: each entry point is a function that is called with the group."""
    for plugin in entry_points(group=PLUGINS):
        try:
            plugin.load()(vfa)
        except Exception as error:  # a plug-in must not break the other commands
            click.echo(f"warning: the plug-in {plugin.name} does not load: {error!r}", err=True)


load_plugins()
