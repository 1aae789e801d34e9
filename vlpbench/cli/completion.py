"""`vlpbench completion`: the script with which a shell completes commands, options, grids, rows and settings."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from vlpbench.cli.lazy import LazyGroup
from vlpbench.cli.stand_in import VARIABLE, outline_of

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script with which a SHELL completes commands, options, grids, rows, metrics and settings.

    bash (4.4 or newer): write it to a file once, and read that file in ~/.bashrc.

    \b
    vlpbench completion bash > ~/.vlpbench-completion.bash
    echo '. ~/.vlpbench-completion.bash' >> ~/.bashrc

    zsh: the same, read in ~/.zshrc behind the line that calls compinit.

    \b
    vlpbench completion zsh > ~/.vlpbench-completion.zsh
    echo '. ~/.vlpbench-completion.zsh' >> ~/.zshrc

    fish: it finds the file by itself.

    \b
    vlpbench completion fish > ~/.config/fish/completions/vlpbench.fish

    Then open a new shell. What can be typed is looked up once and kept in the cache folder.
    """  # noqa: D301 (click reads \b)
    group = context.find_root().command
    assert isinstance(group, LazyGroup)
    outline_of(group)
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(group, {}, "vlpbench", VARIABLE).source())
