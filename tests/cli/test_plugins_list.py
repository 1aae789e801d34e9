from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from vlpbench.cli.main import main


def test_strangers_stand_first_and_ours_on_one_line(site, capsys, texts):
    site("vlpbench-half", texts["good"], "half")
    assert main(["plugins", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["PLUGIN", "DISTRIBUTION", "VERSION", "API", "STATUS", "BRINGS"]
    assert lines[1].split() == ["half", "vlpbench-half", "0.2", "1", "loaded", "objective", "half-said"]
    assert re.match(r"\(built in\) +vlpbench +0\.1\.0 +1 +loaded +\d+ objectives, \d+ stems", lines[2])
    assert len({line.index("0.") for line in lines[1:3]}) == 1, "columns are aligned"
    assert main(["plugins", "list", "--all"]) == 0
    shown = capsys.readouterr().out
    assert "vlpbench.objectives" in shown and "prefix-lm" in shown and "(built in)" not in shown


def test_failed_ones_have_cause_and_remedy_under_them(site, capsys, texts):
    site("vlpbench-simvlm", texts["broken"])
    site("vlpbench-thief", texts["thief"])
    assert main(["plugins", "list"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"vlpbench_simvlm +vlpbench-simvlm +0\.2 +\? +failed\n    cause: no module named", shown.out)
    assert "    to do: pip install no-such-thing-here" in shown.out
    assert re.search(r"vlpbench_thief +vlpbench-thief +0\.2 +1 +in part\n    objective 'prefix-lm' con", shown.out)
    assert "taken by vlpbench 0.1.0 and vlpbench-thief 0.2: the built-in one is kept" in shown.out
    assert "vlpbench plugins doctor shows where" in shown.err
    assert "Traceback" not in shown.out
    assert main(["-v", "plugins", "list"]) == 0
    assert "    | Traceback" in capsys.readouterr().out


def test_left_out_ones_are_told_with_who_left_them_out(site, capsys, monkeypatch, texts):
    site("vlpbench-half", texts["good"], "half")
    assert main(["--no-plugin", "VLPBENCH_HALF", "plugins", "list"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"half +vlpbench-half +0\.2 +\? +left out +by --no-plugin", shown.out) and shown.err == ""
    monkeypatch.setenv("VLPBENCH_PLUGINS", "vlpbench-halb")
    assert main(["plugins", "list"]) == 0
    shown = capsys.readouterr()
    assert re.search(r"left out +by VLPBENCH_PLUGINS", shown.out)
    assert "Warning: VLPBENCH_PLUGINS vlpbench-halb: no plugin of this name is installed" in shown.err
    assert "did you mean 'vlpbench-half'?" in shown.err


@pytest.mark.parametrize(
    ("name", "said"),
    [("nothing-like-it", "there are: half, vlpbench-half"), ("halff", "did you mean 'half'?"),
     ("vlpbench.objectives", "what is built in cannot be left out")],
)
def test_an_unknown_name_to_leave_out_is_told(site, capsys, name, said, texts):
    site("vlpbench-half", texts["good"], "half")
    assert main(["--no-plugin", name, "plugins", "list", "--no-import"]) == 0
    assert said in capsys.readouterr().err


def test_as_json(site, tmp_path, capsys, texts):
    site("vlpbench-half", texts["good"], "half")
    (tmp_path / "bad.py").write_text("1 / 0\n")
    assert main(["-p", str(tmp_path / "bad.py"), "plugins", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    half, bad = found["plugins"][1], found["plugins"][0]
    assert (half["name"], half["distribution"], half["version"]) == ("half", "vlpbench-half", "0.2")
    assert (half["status"], half["api_version"], half["built_in"]) == ("loaded", 1, False)
    assert half["brings"] == ["objective half-said"] and half["hooks"] == ["vlpbench_objectives"]
    assert bad["status"] == "failed"
    (failure,) = found["failures"]
    assert failure["name"] == "bad.py" and "ZeroDivisionError" in failure["cause"] and failure["remedy"]
    ours = {one for row in found["plugins"] if row["built_in"] for one in row["brings"]}
    assert {"launcher local", "grid demo"} <= ours


def run(folder, *words, **variables):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)]), **variables}
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=env, timeout=120, check=False)


def test_without_importing_anything_even_what_ends_python_is_listed(site, tmp_path, texts):
    site("vlpbench-simvlm", texts["broken"])
    folder = site("vlpbench-ender", texts["ends"])
    (tmp_path / "mine.py").write_text(texts["good"])
    words = ["-X", "importtime", "-m", "vlpbench", "-p", str(tmp_path / "mine.py"), "plugins", "list", "--no-import"]
    done = run(folder, *words)
    assert done.returncode == 0
    assert re.search(r"vlpbench_ender +vlpbench-ender +0\.2 +1 +not imported +objective ender", done.stdout)
    assert re.search(r"vlpbench_simvlm +vlpbench-simvlm +0\.2 +1 +not imported +objective simvlm", done.stdout)
    assert re.search(r"mine\.py +\(single file\) +- +1 +not imported +objective half-said", done.stdout)
    assert "nothing was imported" in done.stderr
    lines = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time:")]
    names = {line[2].strip() for line in lines}
    assert not names & {"torch", "numpy", "pydantic", "pandas", "vlpbench.plugin", "vlpbench_ender", "vlpbench_simvlm"}
    assert "vlpbench.registry.find" in names


def test_what_ends_python_is_found_by_the_trace_and_can_be_left_out(site, texts):
    folder = site("vlpbench-ender", texts["ends"])
    done = run(folder, "-m", "vlpbench", "plugins", "list", VLPBENCH_TRACE_PLUGINS="1")
    assert done.returncode == 9
    assert done.stderr.splitlines()[-1] == "plugins: import 'vlpbench_ender' (vlpbench-ender 0.2)"


def test_hooks_are_traced_on_stderr(site, capsys, monkeypatch, texts):
    site("vlpbench-half", texts["good"], "half")
    monkeypatch.setenv("VLPBENCH_TRACE_PLUGINS", "1")
    assert main(["plugins", "list", "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["failures"] == []
    assert "plugins: call vlpbench_objectives of vlpbench-half 0.2" in shown.err


def test_strict_plugins_stop_all_commands_but_these(site, capsys, monkeypatch, texts):
    site("vlpbench-simvlm", texts["broken"])
    assert main(["recipes", "list"]) == 0
    assert main(["--strict-plugins", "recipes", "list"]) == 3
    assert "no module named 'no_such_thing_here'" in capsys.readouterr().err
    assert "VLPBENCH_STRICT_PLUGINS" not in os.environ
    assert main(["--strict-plugins", "plugins", "list"]) == 0
    assert main(["--strict-plugins", "--no-plugin", "vlpbench-simvlm", "recipes", "list"]) == 0
    monkeypatch.setenv("VLPBENCH_STRICT_PLUGINS", "1")
    assert main(["recipes", "list"]) == 3
    assert main(["plugins", "list"]) == 0
    assert os.environ["VLPBENCH_STRICT_PLUGINS"] == "1"
    monkeypatch.setenv("VLPBENCH_STRICT_PLUGINS", "0")
    assert main(["recipes", "list"]) == 0
