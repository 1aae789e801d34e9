"""docs/speed.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_pages import DOCS, QuickShell, blocks
from vlpbench.results.beside import BESIDE
from vlpbench.runner.bench_parts import STEP_PARTS

TEXT = (DOCS / "speed.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_its_commands_print_what_it_shows(tmp_path: Path) -> None:
    ran = QuickShell(tmp_path).follow(blocks("speed.md"), None)
    assert [command.split()[1] for command in ran] == ["bench"] * 3
    assert list(tmp_path.glob("*")) == [tmp_path / "bin"], "nothing is kept"


def test_it_names_columns_and_parts_that_there_are() -> None:
    (named,) = re.findall(r"`beside = \[(.*?)\]`", TEXT)
    assert {name.strip(' "') for name in named.split(",")} <= set(BESIDE)
    shown = blocks("speed.md")[0].text
    assert [part for part in STEP_PARTS if f"\n{part} " in shown] == [part for part in STEP_PARTS if part != "teacher"]
