"""What the options of `vlpbench run` mean, durations above all, and what is said to wrong ones."""

from __future__ import annotations

from typing import Any

import click
import pytest

from vlpbench.cli.main import main
from vlpbench.cli.run_options import how_cells_run, how_many_run, rules_of
from vlpbench.runner.rules import Rules
from vlpbench.training.pace import Pace


@click.command()
@how_many_run
def grid(**how: Any) -> Rules:
    """What the options of a grid come to."""
    return rules_of(**how)


@click.command()
@how_cells_run
def cell(**how: Any) -> Rules:
    """What the options of a cell come to."""
    return rules_of(**how)


def rules(*options: str, command: click.Command = grid) -> Rules:
    found: Rules = command.main(list(options), standalone_mode=False)
    return found


def test_without_options_nothing_is_limited() -> None:
    assert rules() == Rules() == rules(command=cell)


def test_each_option_says_one_thing() -> None:
    said = rules(
        "--device", "cpu", "--workers", "2", "--at-once", "16", "--checkpoint-every", "10m", "--jobs", "3",
        "--slots-per-gpu", "2", "--timeout", "2h", "--memory", "1.5", "--retries", "1", "--max-failures", "4",
        "--launcher", "mine", "--compile", "never", "--resident", "always", "--recompute", "--shard", "--no-pack",
    )
    pace = Pace(2, 16, 600.0, compiled="never", resident="always", recompute=True, sharded=True)
    assert said == Rules("cpu", 3, 2, pace, "mine", 7200.0, 1.5 * 2**30, 1, 4, pack=False)
    assert rules("--pack").pack is True


def test_failing_fast_is_one_failure_whatever_else_is_said() -> None:
    assert rules("--fail-fast").most == 1
    assert rules("--max-failures", "9", "--fail-fast").most == 1
    assert rules("--max-failures", "9").most == 9


def test_a_cell_has_the_options_of_its_work_alone() -> None:
    assert rules("--workers", "1", "--checkpoint-every", "30s", command=cell).pace == Pace(1, 0, 30.0)
    for option in ("--jobs", "--timeout", "--retries", "--launcher"):
        with pytest.raises(click.NoSuchOption):
            rules(option, "1", command=cell)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("15min", 900), ("2h", 7200), ("1h30m", 5400), ("1h 30m 5s", 5405),
     ("1d", 86_400), ("1.5h", 5400), (" 2H ", 7200), ("0", 0), ("0.25", 0.25)],
)
def test_durations(said: str, seconds: float) -> None:
    assert rules("--timeout", said).seconds == seconds
    assert rules("--checkpoint-every", said).pace.every == seconds


@pytest.mark.parametrize(
    "said", ["", " ", "soon", "5x", "h", "-5", "-5m", "1h30x", "1:30", "1e3", "nan", "inf", "1h-5m", "5 weeks", "m5"]
)
def test_what_is_no_duration_is_told_with_an_example(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.BadParameter, match="is no duration; write 90s, 15m, 2h or 1h30m"):
        rules("--timeout", said)
    assert main(["run", "grid", "demo", "--dry-run", "--checkpoint-every", said]) == 2
    shown = capsys.readouterr()
    assert repr(said) in shown.err and "--checkpoint-every" in shown.err and shown.out == ""


@pytest.mark.parametrize(
    ("option", "value"),
    [("--jobs", "-1"), ("--slots-per-gpu", "0"), ("--retries", "-1"), ("--memory", "-2"), ("--max-failures", "x"),
     ("--device", "tpu"), ("--workers", "-1"), ("--on-code-change", "ask")],
)
def test_wrong_numbers_and_words_are_usage_errors(
    option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "grid", "demo", "--dry-run", option, value]) == 2
    shown = capsys.readouterr()
    assert option in shown.err and value in shown.err and shown.out == ""


def test_help_says_the_defaults_and_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "grid", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("--jobs N", "--slots-per-gpu K", "--timeout TIME", "--memory GIB", "--fail-fast", "--launcher NAME",
                  "--on-code-change [warn|rerun|ignore]", "[default: local]", "(30s, 10m)"):
        assert words in told, words
