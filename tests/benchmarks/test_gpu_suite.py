"""What fits is run, each in a process of its own; what has finished is kept, what failed is tried again later."""

from __future__ import annotations

import json

import pytest

MACHINE = {"model": "Chip 1", "torch": "2.x"}
MEASURES = """
import json, pathlib, sys
said = pathlib.Path(sys.argv[sys.argv.index("--json") + 1])
line = {"what": "a", "unit": "s", "ours": 1.0, "theirs": 2.0, "ratio": 2.0, "limit": 1.5, "most": False, "kept": True}
said.write_text(json.dumps({"machine": {"model": "Chip 1"}, "lines": [line], "words": sys.argv[1:]}))
with (pathlib.Path(__file__).parent / "runs").open("a") as file:
    file.write(pathlib.Path(__file__).stem + " ")
sys.exit(int("broken" in sys.argv))
"""


@pytest.fixture
def suite(script, tmp_path, monkeypatch):
    """The suite over three scripts of its own: one measures, one crashes, one never ends."""
    made = script("gpu_suite")
    claims = script("claims")
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "good.py").write_text(MEASURES)
    (folder / "crashes.py").write_text("raise SystemExit(3)")
    (folder / "hangs.py").write_text("import time; time.sleep(60)")
    said = [("crash", "crashes", 1.0), ("hang", "hangs", 0.02), ("one", "good --n 1", 1.0), ("two", "good --n 2", 1.0)]
    monkeypatch.setattr(made, "HERE", folder)
    monkeypatch.setattr(made, "CLAIMS", tuple(claims.Claim(name, words, words, most) for name, words, most in said))
    monkeypatch.setattr(made, "table_of_peaks", lambda small: [])
    monkeypatch.setattr(made, "looked_around", lambda claims, device: (MACHINE, {}))
    monkeypatch.setitem(made.LEAST, "cpu", 0)

    def run(*more):
        words = ["--device", "cpu", "--minutes", "1", "--out", str(tmp_path / "out"), *more]
        return made.main(words), (folder / "runs").read_text().split() if (folder / "runs").exists() else []

    return run


def test_one_that_fails_costs_its_own_time_alone(suite, tmp_path):
    code, runs = suite()
    assert code == 0 and runs == ["good", "good"]
    told = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [one["claim"] for one in told["claims"]] == ["one", "two"]
    assert {one["claim"]: one["why"] for one in told["failed"]}["crash"] == "ended with code 3"
    page = (tmp_path / "out" / "table.md").read_text()
    assert "# Chip 1" in page and "| one | a | 1 s | 2 s | 2 | at least 1.5: kept |" in page
    assert "hang: failed 1 times: stopped after" in page
    assert not list((tmp_path / "out" / "claims").glob("*.new.json"))


def test_called_again_it_goes_on(suite, tmp_path):
    suite("--only", "one")
    code, runs = suite("--only", "one,two,crash")
    assert code == 0 and runs == ["good", "good"]  # the second one ran, the first was kept
    assert json.loads((tmp_path / "out" / "claims" / "crash.failed.json").read_text())["tries"] == 1
    _, runs = suite("--only", "one,two", "--again")
    assert len(runs) == 4


def test_what_another_device_measured_is_made_anew(suite, tmp_path, monkeypatch):
    suite("--only", "one")
    kept = tmp_path / "out" / "claims" / "one.json"
    other = json.loads(kept.read_text()) | {"machine": {"model": "Chip 2"}}
    kept.write_text(json.dumps(other))
    assert suite("--only", "one")[1] == ["good", "good"]
    kept.write_text("{ torn")
    assert suite("--only", "one")[1] == ["good"] * 3


def test_a_broken_limit_is_the_exit_code(suite, script, monkeypatch):
    made, claims = script("gpu_suite"), script("claims")
    monkeypatch.setattr(made, "CLAIMS", (claims.Claim("one", "good broken", "good broken", 1.0),))
    assert suite()[0] == 1
    assert suite()[0] == 1  # and still when it is only looked at


def test_no_time_runs_nothing(suite, script, monkeypatch, capsys):
    monkeypatch.setitem(script("gpu_suite").LEAST, "cpu", 1000)
    assert suite()[1] == []
    assert "one: no time is left; call again" in capsys.readouterr().out
    assert suite("--list")[1] == []


def test_an_unknown_claim_is_refused(suite, capsys):
    with pytest.raises(SystemExit):
        suite("--only", "onne")
    assert "no claim is called onne" in capsys.readouterr().err


def test_what_is_missing_is_told_before_anything_runs(script, tmp_path, monkeypatch):
    made, claims = script("gpu_suite"), script("claims")
    (tmp_path / "fine.py").write_text("")
    (tmp_path / "lacks.py").write_text("import no_such_library")
    monkeypatch.setattr(made, "HERE", tmp_path)
    monkeypatch.setattr(made, "LOOK", made.LOOK.partition("try:\n    from side_by_side")[0] +
                        "open(sys.argv[1], 'w').write(json.dumps({'broken': broken, 'machine': {'model': 'x'}}))")
    found, why = made.looked_around(
        [claims.Claim("a", "fine", "fine", 1), claims.Claim("b", "lacks", "lacks", 1),
         claims.Claim("c", "fine", "fine", 1, ("no_such_library", "nor_this"))], "cpu",
    )
    assert found == {"model": "x"}
    assert set(why) == {"b", "c"}
    assert "No module named 'no_such_library'" in why["b"] and why["c"].startswith("needs no_such_library or nor_this")


def test_every_claim_is_a_script_that_is_there(script):
    claims, suite = script("claims"), script("gpu_suite")
    every = [*claims.CLAIMS, *claims.table_of_peaks(False), *claims.table_of_peaks(True)]
    assert {claim.script for claim in every} <= {path.stem for path in suite.HERE.glob("*.py")}
    assert {claim.small.split()[0] for claim in every} <= {claim.script for claim in every}
    assert len({claim.name for claim in claims.CLAIMS} | {one.name for one in claims.table_of_peaks(False)}) == 61
