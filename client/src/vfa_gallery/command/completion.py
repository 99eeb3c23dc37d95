"""`vfa completion`: the script that makes the shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from vfa_gallery.command.problem import Problem


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
    command = context.find_root().command
    click.echo(kind(command, {}, "vfa", "_VFA_COMPLETE").source())
