"""The pages of docs/ do what they say: files are written, commands run, and what they print is what the page shows.

A block of `python` or `toml` whose paragraph names a file in backquotes is written to that file. Lines of `console`
blocks that begin with "$ " are run; the lines under one are what it prints, with "..." for what is left out. Trainings
run with tiny budgets, said with -S behind the page's own words.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import importlib
import inspect
import io
import itertools
import json
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import vlpbench
from vlpbench import hookspecs
from vlpbench.cli.diff import diff
from vlpbench.cli.grid import grid as grids
from vlpbench.cli.main import main
from vlpbench.cli.plugins import plugins as plugin_commands
from vlpbench.cli.report import report as reports
from vlpbench.cli.run import run as runs
from vlpbench.config.settings import Protocol
from vlpbench.config.task_name import TASKS
from vlpbench.metrics.vqa_accuracy import RULES, soft_score
from vlpbench.plugin import API_VERSION
from vlpbench.registry.switches import ALLOWED, STRICT, TRACED
from vlpbench.results.plots import PLOTS
from vlpbench.runner.standing import STATES
from vlpbench.testing import launcher_checks

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w./-]+\.(?:py|toml))`[^`]*:$")
ANY = {
    r"\b[0-9a-f]{12}\b": "[0-9a-f]{12}",
    r"\b[0-9a-f]{16}\b": "[0-9a-f]{16}",
    r"\b\d+:\d\d\b": r"\d+:\d\d",
    r"goes\\s\+on\\s\+at\\s\+step\\s\+\d+": r"goes\s+on\s+at\s+step\s+\d+",
    r"\b[\d.\\]+\\s\+(?:[KMG]i)?B\b": r"[\d.]+\s+(?:[KMG]i)?B",
    r"\b[\d.\\]+\\s\+core\b": r"[\d.]+\s+core",
    r"\\\(\d+%\\s\+too\\s\+\w+\\\)": r"\((?:exactly|\d+%\s+too\s+\w+)\)",
}
"""What differs from run to run, as `re.escape` writes it, and what may stand there."""
TINY = {
    "seeds": "[0]", "floors": "false", "budget.samples": "8", "budget.batch": "4",
    "protocol.vqa.samples": "8", "protocol.vqa.batch": "4",
    "protocol.captioning.samples": "8", "protocol.captioning.batch": "4",
    "protocol.retrieval.samples": "8", "protocol.retrieval.batch": "4",
}
DIGITS = {"data.digits.train": "40", "data.digits.val": "8", "data.digits.test": "8"}
SHAPES = {"tune.samples": "8", "data.shapes.train": "40", "data.shapes.val": "8", "data.shapes.test": "8"}
PHOTOGRAPHS = {"data.flickr.limit": "24", "data.visual7w.limit": "24"}


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    kind: str
    text: str
    file: str
    """The file that the paragraph before it names; empty if none."""
    added: bool = False
    """Whether it goes behind what is in that file ("Add this to ...")."""


def blocks(page: str) -> list[Block]:
    """All blocks of a page in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        paragraph = " ".join(text[: match.start()].rstrip().rpartition("\n\n")[2].split())
        named = NAMED.search(paragraph)
        found.append(Block(match[1], match[2], named[1] if named else "", paragraph.startswith("Add this to ")))
    return found


def commands(block: Block) -> Iterator[tuple[str, str]]:
    """Each command of a console block with what the page says it prints."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def shortened(command: str, extra: dict[str, str]) -> str:
    """The command with tiny budgets, where it trains."""
    if not re.search(r"vlpbench .*run grid", command) or "--dry-run" in command:
        return command
    return " ".join([command, *(f"-S '{key}={value}'" for key, value in {**TINY, **extra}.items())])


def pattern(printed: str) -> str:
    """What the page shows as a regular expression: "..." is anything, an id is any id, blanks are any blanks.

    So are times, sizes, and the step at which something was stopped.
    """
    pieces = [r"\s+".join(map(re.escape, part.split())) for part in re.split(r"\.\.\.\n?", printed)]
    found = r"[\s\S]*?".join(rf"\s*{piece}\s*" for piece in pieces)
    for shown, meant in ANY.items():
        found = re.sub(shown, lambda match, meant=meant: meant, found)
    return found


class Shell:
    """Runs a page's commands in a folder of its own, with `vlpbench` and `python` those of this test."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        site = folder / "site"  # what a page installs goes there, and not beside this test
        pip = f"{sys.executable} -m pip --quiet --disable-pip-version-check"
        install = f'shift; exec {pip} install --no-deps --no-build-isolation --no-index --target {site}'
        for name, words in (("vlpbench", f"exec {sys.executable} -m vlpbench"), ("python", f"exec {sys.executable}"),
                            ("pip", install)):
            (programs / name).write_text(f'#!/bin/sh\n{words} "$@"\n')
            (programs / name).chmod(0o755)
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        where = str(Path(vlpbench.__path__[0]).parent)  # the very package that is tested, installed or not
        self.environment = {
            **os.environ, "PATH": path, "PYTHONPATH": f"{where}{os.pathsep}{site}", "COLUMNS": "100", **environment,
        }
        self.environment.pop("PYTHONSAFEPATH", None)  # a reader's own files may import each other

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and all that is printed; `export NAME=VALUE` holds for what comes after."""
        if said := re.fullmatch(r"export (\w+)=(\S+)", command):
            self.environment.setdefault(said[1], said[2])
            return 0, ""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.environment, text=True, timeout=300,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout

    def here(self, text: str) -> str:
        """A cell's folder on a page is the folder of that name here, whatever its id."""
        def found(match: re.Match[str]) -> str:
            (cell,) = self.folder.glob(f"{match[1]}*")
            return str(cell.relative_to(self.folder))

        return re.sub(r"(results/[\w/.-]+-s\d+-)[0-9a-f]{12}", found, text)

    def interrupted(self, command: str, printed: str) -> tuple[int, str]:
        """The same for a command that gets a Ctrl-C once it has printed the line above "^C"."""
        last = printed.partition("^C\n")[0].splitlines()[-1]
        said = []
        with subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=self.environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:
            for line in process.stdout:
                said.append(line)
                if re.fullmatch(pattern(last), line):
                    said.append("^C\n")
                    process.send_signal(signal.SIGINT)
        assert process.returncode == 130, "".join(said)
        return 0, "".join(said)

    def follow(self, page: list[Block], extra: dict[str, str] | None) -> list[str]:
        """Do all that a page says; give what was run. `extra` settings, and tiny budgets, for what trains, or None."""
        ran = []
        for block in page:
            if block.file:
                (self.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                with (self.folder / block.file).open("a" if block.added else "w", encoding="utf-8") as file:
                    file.write(self.here(block.text))
            for command, printed in commands(block) if block.kind == "console" else ():
                if "^C\n" in printed:
                    code, output = self.interrupted(command, printed)
                else:
                    code, output = self.run(command if extra is None else shortened(command, extra))
                wrong = "Error:" in printed
                assert (code != 0) == (wrong and "exit code" not in printed), f"{command}: exit code {code}\n{output}"
                if printed.strip():
                    assert re.fullmatch(pattern(printed), output), f"$ {command}\n{output}\nthe page says:\n{printed}"
                ran.append(command)
        return ran


class QuickShell(Shell):
    """The same, but what trains no grid and needs no shell is run in this process, which has torch loaded."""

    def run(self, command: str) -> tuple[int, str]:
        """Exit code and all that is printed, with the exit code behind it where the page asks for that."""
        asked, _, rest = command.partition("; ")
        if rest not in ("", 'echo "exit code $?"') or re.search("[|>]", asked):
            return super().run(command)
        words = [found for word in shlex.split(asked) for found in self.named(word)]
        if words[0] not in ("vlpbench", "python") or "seeds=[0]" in words or words[1] == "-m":
            return super().run(command)
        said = io.StringIO()
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", self.environment["COLUMNS"])
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = main(words[1:]) if words[0] == "vlpbench" else script(words[1])
        return (0, f"{said.getvalue()}exit code {code}\n") if rest else (code, said.getvalue())

    def named(self, word: str) -> list[str]:
        """The files that a word with a star names, as a shell finds them; else the word."""
        found = sorted(str(path.relative_to(self.folder)) for path in self.folder.glob(word)) if "*" in word else []
        return found or [word]


def script(name: str) -> int:
    """Run a page's script as a program; what it raises is the test's failure."""
    runpy.run_path(name, run_name="__main__")
    return 0


def body(file: Path) -> str:
    """A file without the comment at its top."""
    lines = file.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    return "\n".join(lines[start:])


@pytest.fixture
def imported(tmp_path, monkeypatch):
    """What a page writes or installs can be imported here, too, until its test is over."""
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.usefixtures("imported")
def test_your_objective(tmp_path):
    page = blocks("your-objective.md")
    ran = QuickShell(tmp_path).follow(page, DIGITS)
    assert [command for command in ran if command == "vlpbench run grid my-grid.toml"]
    assert (tmp_path / "batch.png").read_bytes().startswith(b"\x89PNG")
    assert len(list((tmp_path / "results" / "my-grid" / "cells").iterdir())) == 4


def test_the_objective_of_the_page_is_short():
    """And it is the one of the README."""
    files = {block.file: block.text for block in blocks("your-objective.md") if block.file}
    assert len(files["cappa.py"].splitlines()) < 40
    assert f"```python\n{files['cappa.py']}```" in (DOCS.parent / "README.md").read_text(encoding="utf-8")


def test_the_readme_leads_somewhere():
    """Every file that it links to is there, and is in the navigation if it is a page."""
    linked = re.findall(r"\]\(([\w./-]+)\)", (DOCS.parent / "README.md").read_text(encoding="utf-8"))
    assert len(linked) > 12
    assert [name for name in linked if not (DOCS.parent / name).is_file()] == []


def test_other_code_of_the_objective_page_is_right(tmp_path, capsys, monkeypatch):
    page = blocks("your-objective.md")
    files = {block.file: block.text for block in page if block.file.endswith(".py")}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    loose = [block for block in page if not block.file]
    for block in loose:
        if block.kind == "python":
            exec(compile(block.text, "page", "exec"), {"__name__": "page"})
    for name in files:
        sys.modules.pop(Path(name).stem, None)
    grids = [block.text for block in loose if block.kind == "toml" and "schema" in block.text]
    assert grids
    for number, text in enumerate(grids):
        (tmp_path / f"{number}.toml").write_text(text)
    for number in range(len(grids)):
        assert main(["run", "grid", str(tmp_path / f"{number}.toml"), "--dry-run"]) == 0
        assert "to run" in capsys.readouterr().out


@pytest.mark.slow
def test_your_grid(tmp_path):
    page = blocks("your-grid.md")
    ran = QuickShell(tmp_path).follow(page, SHAPES)
    grids = [block.file for block in page if block.file]
    assert len(grids) == 8
    assert [file for file in grids if not any(file in command for command in ran)] == []
    loose = [block.text for block in page if block.kind == "toml" and not block.file]
    assert loose == ["#:schema ./vlpbench.schema.json\n"]
    assert (tmp_path / "vlpbench.schema.json").is_file()
    trained = {file.parent.name for file in (tmp_path / "results").rglob("grid.json")}
    assert trained == {"first", "larger", "tasks", "tuned"}
    frame = vlpbench.results.load(tmp_path / "results" / "tasks").frame
    assert set(frame[frame["status"] == "n/a"]["reason"]) == {
        "n/a: pretraining did not train decode", "n/a: pretraining trained no matching head",
    }
    assert {"protocol", "head", "split", "images", "normalisation", "metrics_version"} <= set(frame.columns)


@pytest.fixture
def long_grids():
    """The page of long grids, its pretraining an eighth as long, and two checks of its launcher."""
    shorter = {
        "12_800": "1_600", "12,800": "1,600", "of 400": "of 50",
        "-q test_commands.py": "-q test_commands.py -k 'exit or log'", "15 passed": "2 passed, 13 deselected",
    }
    page = blocks("long-grids.md")
    for long, short in shorter.items():
        assert any(long in block.text for block in page)
        page = [dataclasses.replace(block, text=block.text.replace(long, short)) for block in page]
    return page


@pytest.mark.slow
def test_long_grids(tmp_path, long_grids):
    """Stopped, gone on with, failed, mended, cleaned; and what the page says of it."""
    path = tmp_path / "results" / "long"
    shell = QuickShell(tmp_path)
    ran = shell.follow(long_grids, None)
    assert sum(command.split(";")[0] == "vlpbench run grid long.toml" for command in ran) == 4
    starts = [read(file)["starts"] for file in path.glob("stages/pretrain-*/run.json")]
    assert sorted(starts) == [1, 2]
    frame = vlpbench.results.load(path).frame
    assert set(frame["row"]) == {"contrastive", "more questions", "another rate"}
    assert set(frame["status"]) == {"done"}
    assert len(list(path.glob("stages/pretrain-*"))) == 2
    assert not list(path.glob("stages/*/checkpoint"))


def read(file: Path) -> dict:
    """A JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def test_the_page_of_long_grids_names_what_there_is():
    """Every state, every check of launchers, and no option that is none."""
    text = (DOCS / "long-grids.md").read_text(encoding="utf-8")
    states = re.findall(r"^\| `(\w+)` \|", text.partition("| state | |")[2].partition("\n\n")[0], re.MULTILINE)
    assert states == list(STATES)
    checks = text.partition("| checks | |\n|---|---|\n")[2].partition("\n\n")[0]
    named = [name for line in checks.splitlines() for name in re.findall(r"`([\w-]+)`", line.split("|")[1])]
    assert sorted(named) == sorted(launcher_checks())
    known = {name for command in (*runs.commands.values(), *grids.commands.values(), diff)
             for option in command.params for name in (*option.opts, *option.secondary_opts)}
    said = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert "--checkpoint-every" in said and said - known == {"--nproc-per-node"}, "which is torchrun's"
    of_a_run = {name for option in runs.commands["grid"].params for name in option.opts if name.startswith("--")}
    assert of_a_run - said == {"--set", "--at-once", "--device"}


@pytest.mark.slow
def test_your_model_and_then_scoring(tmp_path):
    """Both pages in one folder: the second scores the grid of the first again."""
    shell, page = QuickShell(tmp_path), blocks("your-model.md")
    shell.follow(page, DIGITS)
    assert (tmp_path / "my-model" / "exported.json").is_file()
    outside = vlpbench.results.load(tmp_path / "results" / "outside").frame
    assert set(outside["row"]) == {"bag of words"}
    assert set(outside[outside["status"] == "n/a"]["reason"]) == {"n/a: needs decode"}
    ran = shell.follow(blocks("scoring.md"), DIGITS)
    assert {" ".join(command.split()[:3]) for command in ran if " score " in command} == {
        "vlpbench score vqa", "vlpbench score captioning", "vlpbench score retrieval", "vlpbench run score",
    }
    answers = json.loads(next((tmp_path / "submit").glob("vqa_*.json")).read_text())
    assert answers and all(set(one) == {"question_id", "answer"} for one in answers)


def test_what_the_scoring_page_tells_of_rules_is_so():
    """The table of rules, by the answers that tell them apart."""
    said = {rule: (soft_score("Yes.", ["yes"] * 10, rule), soft_score("dark red", ["Dark red"] * 10, rule))
            for rule in RULES}
    assert said == {"always": (1.0, 1.0), "2016": (1.0, 0.0), "2021": (0.0, 0.0)}
    matches = [soft_score("a dog", ["a dog"] * many + ["cat"] * (10 - many)) for many in range(6)]
    assert matches == pytest.approx([0, 0.3, 0.6, 0.9, 1, 1])


def test_the_page_of_models_shows_code_for_open_clip():
    """It is not run, since it downloads, but it is Python and says what an outside model must."""
    (shown,) = [block.text for block in blocks("your-model.md") if "import open_clip" in block.text]
    (model,) = [node for node in ast.parse(shown).body if isinstance(node, ast.ClassDef)]
    methods = {node.name for node in model.body if isinstance(node, ast.FunctionDef)}
    assert methods == {"__init__", "cut", "image_vector", "text_vector"}
    said = {name.id for node in ast.walk(model) if isinstance(node, ast.Assign) for target in node.targets
            for name in ast.walk(target) if isinstance(name, ast.Name)}
    assert said - {"ids", "self"} <= set(dir(vlpbench.Outside))


def test_paper(tmp_path, five_seeds, monkeypatch):
    """All but the training, whose records are the committed frame's; then the LaTeX that came out of it."""
    shell, page = QuickShell(tmp_path), blocks("paper.md")
    assert [command for command, _ in commands(page[0])] == ["vlpbench run grid demo -S 'seeds=[0, 1, 2, 3, 4]'"]
    monkeypatch.setenv("MPLBACKEND", "agg")
    five_seeds(tmp_path)
    ran = shell.follow(page[1:], None)
    assert {" ".join(command.split()[1:3]) for command in ran if command.startswith("vlpbench report")} == {
        f"report {name}" for name in reports.list_commands(None) if name != "submission"
    }
    made = {"vqa.pdf": b"%PDF", "bars.png": b"\x89PNG", "demo.parquet": b"PAR1", "coloured.html": b"<style"}
    assert {name: (tmp_path / name).read_bytes()[: len(start)] for name, start in made.items()} == made
    assert "contrastive" in (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert "@misc{vlpbench," in (tmp_path / "paper.bib").read_text(encoding="utf-8")
    (paper,) = [block.text for block in page if block.kind == "latex"]
    (tmp_path / "paper.tex").write_text(paper, encoding="utf-8")
    if not shutil.which("pdflatex"):
        pytest.skip("there is no pdflatex on this machine: the page's LaTeX was not compiled, all else was done")
    assert shell.run("pdflatex -interaction=nonstopmode -halt-on-error paper.tex")[0] == 0


def test_the_page_of_papers_names_no_option_that_is_none():
    text = (DOCS / "paper.md").read_text(encoding="utf-8")
    known = {name for command in reports.list_commands(None) for option in reports.get_command(None, command).params
             for name in (*option.opts, *option.secondary_opts)}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - known == set()
    kinds = re.findall(r"^\| `(\w+)` \|", text.partition("| `--kind` |")[2].partition("\n\n")[0], re.MULTILINE)
    assert kinds == list(PLOTS)
    assert len(text.splitlines()) < 240


@pytest.mark.slow
def test_your_data(tmp_path):
    page = blocks("your-data.md")
    last = next(number for number, block in enumerate(page) if "photographs" in block.text)
    shell = Shell(tmp_path)
    shell.environment.pop("VLPBENCH_DATA", None)
    ran = shell.follow(page[:last], {})
    assert [command for command in ran if command.startswith("vlpbench run grid squares.toml")]
    assert (tmp_path / "batch.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_of_grids_names_every_task_and_its_settings():
    """Each name in the tables of the page is one, and none is left out."""
    text = (DOCS / "your-grid.md").read_text(encoding="utf-8").partition("## Tasks")[2].partition("## Axes")[0]
    said = set()
    for line in text.partition("| task |")[2].partition("\n\n")[0].splitlines()[2:]:
        names, _, trained = line.strip("|").split("|")
        for name in re.findall(r"`([\w@-]+)`", names):
            said.add(name)
            if "`" in trained and "@probe" not in name and "@zero-shot" not in name:
                said.add(f"{name}@zero-shot")
    assert said == set(TASKS)
    settings = {one.name for one in dataclasses.fields(Protocol)}
    assert settings == {name for name in settings if re.search(rf"\b{name}\b", text)}


def test_every_kind_on_the_page_can_be_said(tmp_path, monkeypatch, capsys):
    said = [block.text for block in blocks("your-data.md") if block.text.startswith("[data.mine]")]
    kinds = [tomllib.loads(text)["data"]["mine"]["kind"] for text in said]
    assert kinds == ["coco", "karpathy", "vqa", "table", "folders", "shards", "text"]
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("VLPBENCH_DATA", str(tmp_path / "empty"))
    for kind, text in zip(kinds, said, strict=True):
        grid = tmp_path / f"{kind}.toml"
        key = "texts" if kind == "text" else "data"
        grid.write_text(f'[base]\n{key} = "mine"\n{text}')
        assert main(["data", "check", str(grid)]) in (1, 2)
        shown = capsys.readouterr()
        folder = tomllib.loads(text)["data"]["mine"]["folder"]
        assert f"'{folder}' does not exist" in shown.out + shown.err


def test_worlds_and_what_every_set_may_say(tmp_path, capsys):
    said = [block.text for block in blocks("your-data.md") if block.text.startswith("[base]")]
    assert len(said) == 3
    for text in said:
        (tmp_path / "grid.toml").write_text(text)
        assert main(["run", "grid", str(tmp_path / "grid.toml"), "--dry-run"]) == 0
        assert "to run" in capsys.readouterr().out


def test_the_page_shows_the_grid_of_photographs():
    shown = next(block.text for block in blocks("your-data.md") if 'name = "photographs"' in block.text)
    assert shown.strip() == body(DOCS / "grids" / "photographs.toml").strip()


@pytest.mark.slow
def test_photographs(tmp_path, data_root):
    page = blocks("your-data.md")
    first = next(number for number, block in enumerate(page) if 'name = "photographs"' in block.text)
    shutil.copytree(DOCS / "grids", tmp_path / "docs" / "grids")
    shell = Shell(tmp_path, VLPBENCH_DATA=str(data_root))
    ran = shell.follow(page[first:], PHOTOGRAPHS)
    assert ran[-1] == "vlpbench run grid docs/grids/photographs.toml"
    code, table = shell.run("vlpbench report table results/photographs")
    assert code == 0
    assert "vqa exact" in table and "retrieval TR@1" in table


@pytest.mark.slow
def test_start_here(tmp_path):
    """From the README's own command to a table and a page of it."""
    page = blocks("index.md")
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert [block.text for block in page if block.kind == "sh"] == [FENCE.findall(readme)[0][1]]
    shell = QuickShell(tmp_path)
    shell.follow(page, DIGITS)
    assert (tmp_path / "demo.html").is_file()
    frame = vlpbench.results.load(tmp_path / "results" / "demo").frame
    assert set(frame["row"]) == {"none", "prefix-lm", "contrastive"}


def test_reading_the_table(tmp_path, five_seeds):
    """Each number of the page is one that the committed frame gives."""
    five_seeds(tmp_path)
    ran = QuickShell(tmp_path).follow(blocks("reading.md"), None)
    assert len(ran) == 4


@pytest.mark.slow
def test_errors(tmp_path):
    """Every message of the page is produced by the command above it."""
    page = blocks("errors.md")
    shell = QuickShell(tmp_path)
    ran = shell.follow(page, None)
    said = [printed for block in page if block.kind == "console" for _, printed in commands(block)]
    assert len(ran) == len(said) and sum("Error:" in printed for printed in said) >= 15
    assert vlpbench.results.load(tmp_path / "results" / "crash").frame["status"].tolist() == ["failed"]


def test_the_page_of_errors_has_every_exit_code():
    table = (DOCS / "errors.md").read_text(encoding="utf-8").partition("| exit code | |")[2].partition("\n\n")[0]
    told = cli_help().partition("Exit codes")[2].partition("\n\n")[0]
    found = dict(re.findall(r"^\| (\d+) \| (.*) \|$", table, re.MULTILINE))
    assert found.keys() == set(re.findall(r"^ +(\d+) ", told, re.MULTILINE))


def cli_help() -> str:
    """What `vlpbench --help` prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["--help"]) == 0
    return said.getvalue()


@pytest.mark.parametrize("page", ["recipes.md", "simvlm.md", "design.md"])
def test_pages_that_train_nothing(tmp_path, page):
    ran = QuickShell(tmp_path).follow(blocks(page), None)
    assert [command for command in ran if "run grid" in command and "--dry-run" not in command] == []


def test_the_page_of_recipes_has_every_recipe_once():
    """Those of the core and those of the packages in plugins/, and no other."""
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `([\w-]+)` \| (?:arXiv )?[\d.]+", text, re.MULTILINE)
    ours = Path(vlpbench.__path__[0]).glob("recipes/*.toml")
    files = [*ours, *DOCS.parent.glob("plugins/[!_]*/src/*/recipes/*.toml")]
    assert len(files) >= 4 and sorted(said) == sorted(file.stem for file in files)
    for file in files:
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{file.stem}` |")]
        assert tomllib.loads(file.read_text(encoding="utf-8"))["paper"].removeprefix("arXiv ") in line


def test_the_reading_card_names_settings_that_there_are():
    """Each dotted name in its table is a setting, and the published numbers are those of the grid."""
    text = (DOCS / "simvlm.md").read_text(encoding="utf-8")
    said = set(re.findall(r"`([a-z]+(?:\.[\w\"@-]+)+)`", text.partition("## What it leaves open")[2]))
    known = set()
    for row in ("SimVLM small", "decoder-only, LM", "span corruption"):
        shown = io.StringIO()
        task = ("-S", 'tasks=["vqa", "captioning@zero-shot"]', "-S", "protocol.captioning.data=shapes")
        with contextlib.redirect_stdout(shown):
            assert main(["config", "show", "simvlm-ablation", "--row", row, *task]) == 0
        names = {line.split()[0] for line in shown.getvalue().splitlines() if line.strip()}
        known |= names | {name.replace("@zero-shot", "") for name in names}
    files = {"objective.span-corruption", "data.NAME.share", *(f"vlpbench/recipes/simvlm-{one}.toml" for one in "*")}
    assert {name.replace('"', "") for name in said} - known <= files
    assert len(said & known) >= 9
    printed = dict(re.findall(r"\| ([A-Za-z0-9 ,%-]+?) \| (\d\d\.\d\d) ", text))
    grid = tomllib.loads((Path(vlpbench.__path__[0]) / "grids" / "simvlm-ablation.toml").read_text(encoding="utf-8"))
    assert {name: float(value) for name, value in printed.items()} == {
        row["name"]: row["published"]["vqa.accuracy"] for row in grid["rows"]
    }


def test_rooms_of_the_picture_are_those_of_the_contracts():
    """Floor by floor, from the roof down."""
    drawn = (DOCS / "pictures" / "design.svg").read_text(encoding="utf-8")
    rooms = re.findall(r'data-room="(\w+)"', drawn)
    tools = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    floors = [re.findall(r"\w+", layer) for layer in tools["importlinter"]["contracts"][0]["layers"]]
    assert sorted(rooms) == sorted(itertools.chain(*floors))
    at = {room: number for number, room in enumerate(rooms)}
    assert all(at[above] < at[below] for upper, lower in itertools.pairwise(floors)
               for above in upper for below in lower if {above, below} != {"contract", "plugin"})


@pytest.mark.parametrize("name", ["design.svg", "demo.png"])
def test_pictures_are_what_their_programs_draw(tmp_path, name):
    program = DOCS / "drawing" / f"{Path(name).stem}.py"
    subprocess.run([sys.executable, str(program), str(tmp_path / name)], check=True, timeout=120)
    committed, drawn = (DOCS / "pictures" / name).read_bytes(), (tmp_path / name).read_bytes()
    assert len(committed) < 200_000
    assert committed == drawn or (name.endswith(".png") and drawn.startswith(b"\x89PNG"))


@pytest.mark.slow
@pytest.mark.usefixtures("imported")
def test_plugins(tmp_path):
    """Two packages are written, installed into a folder of this test, listed, and found broken."""
    ran = QuickShell(tmp_path).follow(blocks("plugins.md"), None)
    assert len(ran) == 11


def test_the_page_of_plugins_names_every_hook_command_and_switch():
    text = (DOCS / "plugins.md").read_text(encoding="utf-8")
    hooks = [name for name, _ in inspect.getmembers(hookspecs, inspect.isfunction) if name.startswith("vlpbench_")]
    assert sorted(re.findall(r"^\| `(vlpbench_\w+)` \|", text, re.MULTILINE)) == sorted(hooks)
    said = re.findall(r"^\| `vlpbench plugins (\w+)", text, re.MULTILINE)
    assert set(plugin_commands.list_commands(None)) <= set(said)
    assert f"now {API_VERSION}." in text
    assert {ALLOWED, STRICT, TRACED} <= set(re.findall(r"VLPBENCH_\w+", text))


@pytest.mark.parametrize("module", ["plugin", "testing", "results"])
def test_the_page_of_the_api_has_every_public_name(module):
    said = re.findall(rf"^::: vlpbench\.{module}\.(?:\w+\.)?(\w+)$", (DOCS / "api.md").read_text(), re.MULTILINE)
    public = set(importlib.import_module(f"vlpbench.{module}").__all__)
    assert sorted(said) == sorted(public - {"hookimpl", "parts"})


def test_every_page_is_in_the_navigation():
    listed = re.findall(r": ([\w-]+\.md)$", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))
