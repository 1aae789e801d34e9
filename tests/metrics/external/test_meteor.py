"""METEOR is pycocoevalcap's to the digit, in any locale and from any path, and cannot hang."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.external.java import Unavailable
from vlpbench.metrics.external.meteor import brought_by_pycocoevalcap, meteor_scores, meteor_sets

SAID = """
a brown dog runs over the grass|two men play football|a girl in a red dress is dancing|a small boat on the lake
a child eats an ice cream|the cat sleeps on a sofa|a cyclist jumps over a ramp|people are waiting for a bus
an old man reads a newspaper|a horse jumps an obstacle|three birds sit on a wire|a woman takes a photograph
a boy throws a ball|a train passes the station|a kite in the sky|the chef is cooking pasta|a|dog dog dog dog
a surfer rides a wave|children swim in a pool|a café in münchen|a black-and-white picture of 1,000 people
the man 's t-shirt is n't blue|-lrb- left -rrb- # 1|two|
""".replace("\n", "|").strip("|").split("|") + [""]
MORE = ["the dogs are running on green grass", "two boys playing soccer", "a young lady dances", "a café", ""]
GIVEN = [[MORE[i % 5], SAID[(i * 7 + 3) % len(SAID)], SAID[i - 1] + " today"][: 1 + i % 3] for i in range(len(SAID))]
LONG = " ".join(f"word{i}" for i in range(500))

THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pycocoevalcap.meteor.meteor import Meteor
said, given = json.load(sys.stdin)
print(json.dumps(Meteor().compute_score(dict(enumerate(given)), {i: [one] for i, one in enumerate(said)})))
"""


@pytest.mark.java
def test_the_numbers_are_those_of_pycocoevalcap():
    assert len(SAID) >= 25
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", THEIRS], stdin=pipe, stdout=pipe) as theirs:
        # Ours starts while theirs does. A second set in the same start is not coloured by the first.
        odd = ["a dog ||| runs", "a\ncat\r\nsits", "\ud83d", LONG]
        good = ["a dog  runs", "a cat  sits", "\ufffd", LONG]
        found = meteor_sets([(SAID, GIVEN), (odd, [[one, one] for one in odd]), (good, [[one] for one in good])])
        printed, _ = theirs.communicate(json.dumps([SAID, GIVEN]).encode(), timeout=300)
    whole, each = json.loads(printed)
    assert found[0] == (whole, each)
    assert len(set(each)) > 15 and each[-1] == 0 and 0 < whole < 1
    # What would break the protocol costs nothing: the segments are those of the same texts without it.
    assert found[1][1] == found[2][1] and found[1][1][0] > 0.9


@pytest.mark.java
def test_neither_a_decimal_comma_nor_a_space_in_the_path_matters(tmp_path, monkeypatch):
    folder = tmp_path / "my süß pack%20ages"
    for name in ("meteor-1.5.jar", "data/paraphrase-en.gz"):
        copy = folder / "pycocoevalcap" / "meteor" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(brought_by_pycocoevalcap(f"meteor/{name}"), copy)
    monkeypatch.syspath_prepend(str(folder))
    assert folder in brought_by_pycocoevalcap("meteor/meteor-1.5.jar").parents
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Duser.language=de -Duser.country=DE")
    monkeypatch.setenv("_JAVA_OPTIONS", "-Duser.language=de -Duser.country=DE")
    whole, each = meteor_scores(["a dog runs", "a café"], [["a brown dog runs"], ["a café", "a bar"]])
    assert 0.3 < each[0] < 0.7 and each[1] > 0.9 and each[0] < whole < each[1]


@pytest.mark.java
def test_the_time_limit_leaves_no_java_behind():
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"meteor-1\.5\.jar did not finish within 0\.5 s"):
        meteor_scores(["a dog"], [["a cat"]], seconds=0.5)
    assert time.monotonic() - begun < 20
    assert not [child for child in psutil.Process().children(recursive=True) if "java" in child.name()]


@pytest.mark.java
@pytest.mark.parametrize("kill", [False, True], ids=["interrupted", "killed"])
def test_python_s_end_is_java_s_end(ends: Callable[..., bool], python_path: None, tmp_path: Path, kill: bool):
    code = "from vlpbench.metrics.external.meteor import meteor_scores; meteor_scores(['a'], [['a']])"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL) as python:
        try:
            until = time.monotonic() + 60
            while not (found := [one for one in psutil.Process(python.pid).children() if one.name() == "java"]):
                assert time.monotonic() < until and python.poll() is None
                time.sleep(0.02)
            while found[0].cpu_times().user < 0.3:  # by then, Python waits for its answers
                assert time.monotonic() < until
                time.sleep(0.02)
            python.kill() if kill else python.send_signal(2)
            assert python.wait(30) != 0
        finally:
            python.kill()
    # After a kill, the program reads that its input has ended, once it has started up.
    assert ends(found[0].pid, 120 if kill else 5)


def test_java_that_is_off_the_path_is_unavailable(no_java):
    with pytest.raises(Unavailable, match="install a Java runtime"):
        meteor_scores(["a dog"], [["a dog"]])


def test_a_package_without_its_files_is_unavailable(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"meteor-1.5.jar was not found: .*pip install"):
        meteor_scores(["a dog"], [["a dog"]])


def test_a_java_that_stops_working_is_unavailable(stand_in):
    stand_in("for line in sys.stdin: sys.exit('Error: Could not reserve enough space for object heap')")
    with pytest.raises(Unavailable, match=r"meteor-1\.5\.jar failed .*Could not reserve enough space"):
        meteor_scores(["a dog"] * 50_000, [["a dog"]] * 50_000)


def test_answers_that_are_no_numbers_are_unavailable(stand_in):
    stand_in("for line in sys.stdin: print('0,5\\n0,5', flush=True)\n")
    with pytest.raises(Unavailable, match="no number"):
        meteor_scores(["a dog"], [["a dog"]])


def test_no_sets_need_no_java_and_captions_are_checked_first(no_java):
    assert meteor_sets([]) == []
    with pytest.raises(UserError, match="METEOR: caption 1"):
        meteor_sets([(["a"], [["b"]]), (["a", "b"], [["c"], "d"])])
    with pytest.raises(UserError, match="0 captions"):
        meteor_scores([], [])


def test_looking_for_the_package_does_not_import_it(python_path, tmp_path):
    code = (
        "import sys; from vlpbench.metrics.external import java_tokenizer, meteor, spice\n"
        "meteor.brought_by_pycocoevalcap('meteor/meteor-1.5.jar')\n"
        "sys.exit(', '.join({'pycocoevalcap', 'numpy', 'torch', 'pandas'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
