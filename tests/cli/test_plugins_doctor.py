from __future__ import annotations

import pytest

from vlpbench import __version__
from vlpbench.cli.main import main
from vlpbench.registry.pins import unsatisfied


def test_all_is_well(capsys):
    assert main(["plugins", "doctor"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"vlpbench {__version__}, Python 3.") and ", torch " in shown
    assert shown.endswith("no plugins are installed; what is built in works\n")


def test_a_failure_is_told_with_its_own_lines_alone(site, texts, capsys):
    site("vlpbench-deep", texts["good"].replace("return [Mine]", "return nothing_at_all"))
    assert main(["plugins", "doctor"]) == 3
    shown = capsys.readouterr().out
    assert "FAILED  vlpbench_deep (vlpbench-deep 0.2)" in shown
    assert "  cause: vlpbench_objectives raised NameError: name 'nothing_at_all' is not defined" in shown
    assert "  to do: tell its author" in shown
    assert "  |     return nothing_at_all" in shown and "registry/load.py" not in shown
    assert "1 failed; what is built in works" in shown
    assert main(["-v", "plugins", "doctor"]) == 3
    assert "registry/load.py" in capsys.readouterr().out


def test_a_component_that_is_refused_is_told_with_its_place(tmp_path, texts, capsys):
    (tmp_path / "mine.py").write_text(texts["good"].replace("    api_version = 1", "    needs = {'decoding'}"))
    assert main(["-p", str(tmp_path / "mine.py"), "plugins", "doctor"]) == 3
    shown = capsys.readouterr().out
    assert "FAILED  objective 'half-said' of mine.py (single file)" in shown
    assert "did you mean 'decode'?" in shown
    assert f"  where: {tmp_path / 'mine.py'}, line 4" in shown


def test_conflicts_name_both_once(site, texts, capsys):
    site("vlpbench-one", texts["good"], "same")
    site("vlpbench-two", texts["good"].replace("half-said", "other"), "same")
    site("vlpbench-thief", texts["thief"])
    assert main(["plugins", "doctor"]) == 3
    shown = capsys.readouterr().out
    assert shown.count("the entry point name 'same' is taken by vlpbench-one 0.2 and vlpbench-two 0.2") == 1
    assert "CONFLICT  same (vlpbench-one 0.2) and same (vlpbench-two 0.2)" in shown
    assert "pip uninstall vlpbench-one, or" in shown and "pip uninstall vlpbench-two, or" in shown
    assert "CONFLICT  vlpbench_thief (vlpbench-thief 0.2)" in shown
    assert f"is taken by vlpbench {__version__} and vlpbench-thief 0.2" in shown


def test_what_is_left_out_and_what_was_put_back_is_told(site, texts, capsys, monkeypatch):
    site("vlpbench-half", texts["good"], "half")
    site("vlpbench-loud", "import sys\nsys.path.append('/nowhere')\n" + texts["good"].replace("half-said", "loud"))
    monkeypatch.setenv("VLPBENCH_PLUGINS", "vlpbench-loud")
    assert main(["plugins", "doctor"]) == 0
    shown = capsys.readouterr().out
    assert "LEFT OUT  half (vlpbench-half 0.2)\n  by VLPBENCH_PLUGINS: add 'half'" in shown
    assert "REMARKS  vlpbench_loud (vlpbench-loud 0.2)\n  it changes sys.path, which was put back" in shown
    assert "1 left out, 1 in order" in shown


def test_it_looks_at_what_a_strict_run_would_stop_at(site, texts, capsys):
    site("vlpbench-simvlm", texts["broken"])
    assert main(["--strict-plugins", "plugins", "doctor"]) == 3
    assert "pip install no-such-thing-here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("requires", "told"),
    [
        ("vlpbench>=9", "vlpbench>=9"), ("VLPBench (<0.1)", "VLPBench (<0.1)"), ("vlpbench>=0.1", None),
        ("vlpbench>=9; extra == 'new'", None), ("vlpbench-other>=9", None), ("torch>=99", None),
        ("vlpbench nonsense!", None),
    ],
)
def test_a_distribution_made_for_another_vlpbench_is_told(site, texts, capsys, requires, told):
    folder = site("vlpbench-half", texts["good"], "half")
    metadata = folder / "vlpbench_half-0.2.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text() + f"Requires-Dist: {requires}\n")
    assert unsatisfied(["vlpbench-half", "not-installed"]) == ({"vlpbench-half": told} if told else {})
    assert main(["plugins", "doctor"]) == 0
    said = f"VERSION  vlpbench-half asks for {told}; this is vlpbench {__version__}"
    assert (said in capsys.readouterr().out) is bool(told)
