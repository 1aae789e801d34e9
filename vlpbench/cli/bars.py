"""The part of a run's progress that moves, on a terminal: one bar for the whole, one for each cell that runs."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

__all__ = ["WHOLE", "Bars"]

WHOLE = ""
"""The key of the bar that stands for the whole run."""


class Bars:
    """Bars below the lines that were printed; they go when the run ends."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[said]}")
        self.progress = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
        self.tasks: dict[str, TaskID] = {}

    def show(self, key: str, name: str, share: float, said: str) -> None:
        """Move the bar of `key` to a share of 0 to 1; a new key gets a new bar."""
        if not self.tasks:
            self.progress.start()
        if key not in self.tasks:
            self.tasks[key] = self.progress.add_task(name, total=1.0, said=said)
        self.progress.update(self.tasks[key], completed=share, said=said)

    def drop(self, key: str) -> None:
        """Take a bar away."""
        if key in self.tasks:
            self.progress.remove_task(self.tasks.pop(key))

    def line(self, text: str) -> None:
        """Print a line above the bars."""
        self.progress.console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take all bars away."""
        self.progress.stop()
