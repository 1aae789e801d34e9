"""Other processes: heavy imports, classes that cannot be found again, gradients that are not the whole's."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from vlpbench.objectives.contrastive import Contrastive
from vlpbench.objectives.image_text_matching import ImageTextMatching
from vlpbench.plugin import Step
from vlpbench.testing import CheckFailed, CheckSkipped, Subject, objective_checks
from vlpbench.testing.objective_processes import check_two_processes

MODULE = '''
from vlpbench.objectives.contrastive import Contrastive
{line}

class Named(Contrastive):
    name = "named"
'''


class MeanOfMeans(Contrastive):
    """Divides by the samples of this process."""

    name = "mean-of-means"

    def loss(self, features, batch):
        return Step(super().loss(features, batch).losses / len(batch))


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A class of a module of its own that begins with a line."""

    def make(name, line=""):
        path = tmp_path / f"{name}.py"
        path.write_text(MODULE.format(line=line), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module.Named

    return make


def test_a_light_module_passes(written):
    assert objective_checks()["light-import"](written("light_one")) is None


def test_a_heavy_import_is_found(written):
    with pytest.raises(CheckFailed, match="loads pandas"):
        objective_checks()["light-import"](written("heavy_one", "import pandas"))


def test_a_file_that_is_read_is_found(written, tmp_path):
    (tmp_path / "words.txt").write_text("a b c", encoding="utf-8")
    line = "from pathlib import Path\nWORDS = (Path(__file__).parent / 'words.txt').read_text()"
    with pytest.raises(CheckFailed, match=r"reads .*words\.txt"):
        objective_checks()["light-import"](written("reading_one", line))


def test_a_local_class_is_skipped_and_says_why():
    class Local(Contrastive):
        name = "local"

    with pytest.raises(CheckSkipped, match="not-importable"):
        objective_checks()["two-processes"](Local)


def test_a_mean_over_the_samples_of_a_process_is_found():
    with pytest.raises(CheckFailed, match="in two processes"):
        objective_checks()["two-processes"](MeanOfMeans)


def test_settings_travel_to_the_other_processes():
    subject = Subject(ImageTextMatching, ImageTextMatching.config_class(group=4))
    assert subject.samples == 8
    assert check_two_processes(subject) is None
