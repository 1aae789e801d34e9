"""The Java tokenizer gives pycocoevalcap's tokens, and no line break moves a caption to another image."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from vlpbench.errors import UserError
from vlpbench.metrics.external.java import Unavailable
from vlpbench.metrics.external.java_tokenizer import java_tokenize
from vlpbench.metrics.external.meteor import brought_by_pycocoevalcap
from vlpbench.metrics.ptb_tokenizer import tokenize

CAPTIONS = [
    *("A man's T-shirt, isn't it?", "He can't; they'd say \"cannot\".", "wow!! what?! no... way -- yes - ok", ""),
    *("vitamin C.", "The cat", "vitamin C.", "cats (two) [three] {four}", "  . ", "`quoted' ''words``"),
    *("<b c> AT&T &amp; x", "caf\u00e9 \u20ac5 \u00bd a\u2013b \u2026 \u201cx\u201d", "\U0001f600 smile :)"),
    *("22 3/4 inches", "\u732b\u304c\u5ea7\u308b", "tab\tend", ""),
]

THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
captions = json.load(sys.stdin)
found = PTBTokenizer().tokenize({i: [{"caption": one}] for i, one in enumerate(captions)})
print(json.dumps([found[i][0] for i in range(len(captions))]))
"""


@pytest.mark.java
def test_the_tokens_are_those_of_pycocoevalcap():
    folder = brought_by_pycocoevalcap("tokenizer/ptbtokenizer.py").parent
    if not os.access(folder, os.W_OK):
        pytest.skip("pycocoevalcap's own tokenizer writes into its folder, which is read-only here")
    asked = json.dumps(CAPTIONS)
    done = subprocess.run([sys.executable, "-c", THEIRS], input=asked, capture_output=True, text=True, check=True)
    before = sorted(folder.iterdir())
    assert java_tokenize(CAPTIONS) == json.loads(done.stdout)
    assert sorted(folder.iterdir()) == before
    assert java_tokenize(CAPTIONS) == tokenize(CAPTIONS)


@pytest.mark.java
def test_line_breaks_inside_a_caption_move_no_other(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dfile.encoding=ISO-8859-1")
    captions = ["a\rb", "c\nd", "e\x0bf\x0cg", "h\u2028i\u2029j", "\n", "k\r\nl\n", "caf\u00e9 \ud83d\x85", "m"]
    found = java_tokenize(captions)
    assert found[:6] == ["a b", "c d", "e f g", "h i j", "", "k l"]
    assert found[6].startswith("caf\u00e9") and found[7] == "m"


@pytest.mark.java
@pytest.mark.parametrize("captions", [[""], ["", ""], ["a", "", ""], ["x <a href='", "y'> z"]])
def test_no_line_is_lost(captions):
    found = java_tokenize(captions)
    assert len(found) == len(captions) and [bool(line) for line in found] == [bool(line) for line in captions]


def test_no_captions_need_no_java(no_java):
    assert java_tokenize([]) == []
    with pytest.raises(UserError, match="not a string"):
        java_tokenize("a dog")
    with pytest.raises(Unavailable, match="install a Java runtime"):
        java_tokenize(["a dog"])


def test_lines_that_were_lost_are_an_error(stand_in):
    stand_in("sys.stdout.write(sys.stdin.read().replace('\\n', ' '))")
    with pytest.raises(Unavailable, match="gave 1 lines for 3 captions: use the Python tokenizer"):
        java_tokenize(["a", "b", "c"])


def test_the_command_and_the_punctuation(stand_in):
    stand_in("""
        words = sys.argv[sys.argv.index("-cp") + 2:]
        assert words == ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"], words
        assert os.path.basename(sys.argv[sys.argv.index("-cp") + 1]) == "stanford-corenlp-3.4.1.jar"
        assert sys.stdin.read() == "a\\nb"
        sys.stdout.write("'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ; -lrb- ?! \\n a \\n".rstrip("\\n"))
    """)
    assert java_tokenize(["a", "b"]) == ["-lrb- ?!", " a"]


def test_the_time_limit(stand_in):
    stand_in("time.sleep(300)")
    with pytest.raises(Unavailable, match=r"stanford-corenlp-3\.4\.1\.jar did not finish within 0\.5 s"):
        java_tokenize(["a"], seconds=0.5)
