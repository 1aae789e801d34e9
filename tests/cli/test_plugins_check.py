"""`plugins check`: what is checked, what is told of a failure and where, exit codes, and mistakes in the command."""

from __future__ import annotations

import json

import pytest

from vlpbench.cli.main import main
from vlpbench.testing import n_checks

FILE = '''"""Half of a text from the other half."""
from dataclasses import dataclass
import numpy as np
from torch import nn
from vlpbench.plugin import Objective, Stem, Step, hookimpl

@dataclass(frozen=True)
class Config:
    """Settings."""
    share: float = 0.5
    """Share of the words that is given."""

    def __post_init__(self):
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is between 0 and 1, not {self.share}")

class HalfSaid(Objective):
    name, config_class = "half-said", Config
    needs, trains = {"context", "decode"}, {"decode"}

    @staticmethod
    def corrupt(batch, rng, config):
        words = batch.mask.sum(1)[:, None]
        given = np.minimum((config.share * words).astype(int), words - 1)
        at = np.arange(batch.tokens.shape[1])[None]
        inputs = np.roll(batch.tokens, 1, axis=1)
        inputs[:, 0] = batch.vocabulary.bos
        said = (at >= given) & batch.mask
        return {"known": at < given, "inputs": inputs, "said": said, "count": said.sum(1)}

    def encode(self, backbone, batch):
        context = backbone.context(batch.image, backbone.read(batch.tokens, batch["known"]))
        features = backbone.decode(context, backbone.read(batch["inputs"], batch.mask))
        return {"nll": backbone.token_losses(features, batch.tokens)}

    def loss(self, features, batch):
        return Step((features["nll"] * batch["said"]).sum(1))

@hookimpl
def vlpbench_objectives():
    return [HalfSaid]
'''

STEM = '''
class Patches(Stem):
    name = "patches"

    def __init__(self, size, pixels, argument=""):
        super().__init__(size, pixels, argument)
        self.grid = (pixels // 8, pixels // 8)
        self.project = nn.Conv2d(3, size.width, 8, 8)

    def forward(self, images):
        return self.project(images).flatten(2).transpose(1, 2)

@hookimpl
def vlpbench_stems():
    return [Patches]
'''


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """run(text of half_said.py, *arguments) -> exit code, stdout, stderr; {} stands for the file."""
    monkeypatch.chdir(tmp_path)

    def call(text, *arguments):
        (tmp_path / "half_said.py").write_text(text, encoding="utf-8")
        code = main(["plugins", "check", *(one.replace("{}", "half_said.py") for one in arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_what_is_right_passes(run):
    code, out, err = run(FILE, "{}", "--only", "count", "--only", "sums", "--only", "each-backbone")
    assert code == 0 and not err
    assert out.startswith("objective half-said  (half_said.py)\n")
    assert "n/a on dual (needs context, decode)" in out
    assert "ran 3/3, skipped 0, failed 0" in out


def test_what_is_wrong_is_said_with_cause_remedy_and_line(run):
    wrong = FILE.replace("np.roll(batch.tokens, 1,", "np.roll(batch.tokens, -1,")
    code, out, _ = run(wrong, "{}", "--only", "no-future-leak", "--only", "match")
    assert code == 1
    assert "  failed   no-future-leak" in out
    lines = [line.strip() for line in out.splitlines()]
    assert any(line.startswith("cause: ") for line in lines) and any(line.startswith("to do: shift") for line in lines)
    assert f"where: half_said.py:{1 + wrong[: wrong.index('def encode')].count(chr(10))} (encode)" in lines
    assert "ran 1/2, skipped 1 (no-match), failed 1" in out


def test_an_error_is_placed_at_the_line_that_raised_it(run):
    wrong = FILE.replace("return Step((", 'raise LookupError("no");  return Step((')
    code, out, _ = run(wrong, "{}", "--only", "finite-loss")
    line = 1 + wrong[: wrong.index("raise LookupError")].count("\n")
    assert code == 1 and f"where: half_said.py:{line} (loss)" in out and "LookupError: no" in out


def test_what_stands_on_another_failure_is_skipped_and_not_said_again(run):
    code, out, _ = run(FILE.replace('"count": said.sum(1)', '"count": said.sum()'), "{}",
                       *(f"--only={name}" for name in ("count", "finite-loss", "learns-by-heart")))
    assert code == 1 and out.count("cause:") == 1
    assert "ran 1/3, skipped 2 (stands-on-another), failed 1" in out


def test_settings_are_those_of_the_component(run):
    assert run(FILE, "{}", "--only", "config-round-trip", "-S", "share=0.25")[0] == 0
    code, _, err = run(FILE, "{}", "-S", "share=7")
    assert code == 2 and "share is between 0 and 1" in err
    code, _, err = run(FILE, "{}", "-S", "shaer=0.1")
    assert code == 2 and "share" in err


def test_a_failure_may_be_expected_and_must_then_happen(run):
    wrong = FILE.replace("return Step((", "print(1); return Step((")
    code, out, _ = run(wrong, "{}", "--only", "quiet", "--expect", "quiet=it prints while it is written")
    assert code == 0 and "ran 1/1, skipped 0, failed as expected 1, failed 0" in out
    code, out, _ = run(FILE, "{}", "--only", "quiet", "--expect", "quiet=it prints")
    assert code == 1 and "expected to fail (it prints), and it passes" in out
    assert run(FILE, "{}", "--expect", "quiet")[0] == 2


def test_all_that_a_file_brings_is_checked(run):
    code, out, _ = run(FILE + STEM, "{}", "--only", "metadata", "--only", "stem-argument")
    assert code == 1, "the stem takes any argument"
    assert "objective half-said" in out and "stem patches" in out and "all 2: ran 3/3, skipped 0, failed 1" in out
    code, _, err = run(FILE + STEM, "{}", "-S", "share=0.1")
    assert code == 2 and "stem patches" in err


def test_a_file_that_cannot_be_loaded(run):
    code, out, _ = run("import no_such_module\n" + FILE, "{}")
    assert code == 3 and "no module named 'no_such_module'" in out and "to do: " in out and "half_said.py" in out
    for more in ((), ("--list",)):
        code, out, _ = run(FILE.replace("def loss", "def lost"), "{}", *more)
        assert code == 3 and "lacks loss" in out


def test_the_good_half_of_a_half_broken_file_is_checked(run):
    code, out, _ = run(FILE + STEM.replace("def forward", "def backward"), "{}", "--only", "metadata")
    assert code == 3 and "lacks forward" in out and "ran 1/1, skipped 0, failed 0" in out


def test_json_holds_all_of_it(run):
    code, out, _ = run(FILE.replace('"count": said.sum(1)', '"count": said.sum()'), "{}", "--json", "--only", "count")
    told = json.loads(out)
    assert code == 1 and told["failures"] == []
    (one,) = told["components"]
    assert (one["kind"], one["name"], one["n_checks"]) == ("objective", "half-said", n_checks())
    (found,) = one["checks"]
    assert found["check"] == "count" and found["state"] == "failed" and "half_said.py:" in found["place"]


def test_checks_can_be_listed(run):
    code, out, _ = run(FILE, "{}", "--list")
    assert code == 0 and out.startswith(f"objective: {n_checks()} checks\n")
    assert all(len(line.split()) > 3 for line in out.splitlines()[1:]), "each says what it is"
    assert set(json.loads(run(FILE, "{}", "--list", "--json")[1])["objective"]) >= {"count", "smoke-grid"}


def test_built_in_components_can_be_checked_by_name(run):
    code, out, _ = run(FILE, "linear", "--only", "stem-grid")
    assert code == 0 and out.startswith("stem linear  (vlpbench") and "4 x 4 tokens of 32 pixels" in out


@pytest.mark.parametrize(("arguments", "said"), [
    (["prefix-ml"], "did you mean 'prefix-lm'"),
    (["{}", "--only", "cuont"], "did you mean 'count'"),
    (["{}", "--expect", "cuont=no"], "did you mean 'count'"),
    (["nowhere.py"], "there is no file"),
    (["demo"], "no kit checks that"),
])
def test_mistakes_end_in_words(run, arguments, said):
    code, out, err = run(FILE, *arguments)
    assert code in (2, 3) and said in out + err
