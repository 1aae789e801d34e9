"""A stranger's file whose objective trains similarity: pretrained, killed, scored, scored again, and in a table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vlpbench as package

TOKENS = '''
from torch import nn
from vlpbench.plugin import gather, mine, own, parts

class TokenWise(Objective):
    """Patches find words and words find patches."""
    name, needs, coupled = "token-wise", frozenset({"image_tokens", "text_tokens"}), "all"
    trains = frozenset({"similarity"})

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.image, self.text = (nn.Linear(spec.width, 16, bias=False) for _ in range(2))

    def encode(self, backbone, batch):
        return {**self.tokens(backbone, batch.image, batch.text), "there": batch.text.mask}

    def tokens(self, backbone, image, text):
        unit = nn.functional.normalize
        return {"image": unit(self.image(backbone.image_tokens(image)), dim=-1),
                "text": unit(self.text(backbone.text_tokens(text)), dim=-1)}

    def both(self, image, text, there):
        near = torch.einsum("npe,mte->nmpt", image, text).masked_fill(~there[None, :, None], -2.0)
        words = there[None].float()
        return near.amax(3).mean(2), (near.amax(2) * words).sum(2) / words.sum(2)

    def loss(self, features, batch):
        image, text, there = (features[name] for name in ("image", "text", "there"))
        to_text = self.both(own(image), gather(text), gather(there))[0]
        to_image = self.both(gather(image), own(text), own(there))[1].T
        targets = parts.spread(parts.same(batch.image_ids) | parts.same(batch.caption_ids))
        return Step(parts.two_sided_cross_entropy(20 * to_text, 20 * to_image, targets, targets))

    def similarity(self, backbone, image, text):
        mark = os.environ.get("MARK")
        if mark and not os.path.exists(mark):
            open(mark, "w").close()
            time.sleep(1000)  # until somebody pulls the plug
        return self.both(**self.tokens(backbone, image, text), there=text.mask)

FOUND.append(TokenWise)
'''

ROWS = {"tokens": 'objective = "good + 0.5 * token-wise"', "vectors": ""}
TASKS = 'tasks = ["retrieval@zero-shot", "classification@zero-shot"]'
SIMILAR = {"retrieval@zero-shot": "similarity", "classification@zero-shot": "class prompts, similarity"}
NEAR = {"retrieval@zero-shot": "vectors", "classification@zero-shot": "class prompts"}


def run(found: Any) -> Any:
    """`vlpbench -p mine.py run grid`."""
    return found.say("-p", str(found.folder / "mine.py"), *command(found))


def command(found: Any) -> list[str]:
    return ["run", "grid", str(found.file), "--results", str(found.results), "--device", "cpu"]


def named_on_the_command_line(found: Any) -> Any:
    """The grid file without its line of plugins, which come by `-p`."""
    text = found.file.read_text().replace('plugins = ["mine.py"]\n', "")
    found.file.write_text(text.replace('tasks = ["retrieval@zero-shot"]', TASKS))
    return found


@pytest.fixture(scope="module")
def finished(ground: Callable[..., Any]) -> Any:
    found = named_on_the_command_line(ground(ROWS, TOKENS))
    said = run(found)
    assert said.code == 0, said.err
    return found


def test_rows_are_scored_by_what_they_trained_and_similarity_goes_before_vectors(finished: Any) -> None:
    heads = {
        row: {task: one["head"] for task, one in finished.cell(row).read("scores.json")["tasks"].items()}
        for row in ROWS
    }
    assert heads == {"tokens": SIMILAR, "vectors": NEAR}
    for row in ROWS:
        tasks = finished.cell(row).read("scores.json")["tasks"]
        assert 0 < tasks["retrieval@zero-shot"]["values"]["rsum"] <= 600
        assert 0 <= tasks["classification@zero-shot"]["values"]["accuracy"] <= 100
    assert finished.cell("tokens").read("scores.json")["tasks"]["retrieval@zero-shot"]["told"]["rule"] == "similarity"


def test_the_weights_are_those_of_pretraining(finished: Any) -> None:
    """With weights drawn anew the scores would be others."""
    import numpy as np
    import torch

    from vlpbench.registry import load_registry
    from vlpbench.runner.export import load_cell

    registry = load_registry([finished.folder / "mine.py"])
    model = load_cell(finished.cell("tokens").path, "cpu", registry)
    heads = {name: value for name, value in model.pretrained.heads.items() if name.startswith("token-wise.")}
    assert set(heads) == {"token-wise.image.weight", "token-wise.text.weight"}
    _, asked = model._of("retrieval@zero-shot")
    (head,) = asked.readout.objectives
    assert all(torch.equal(value, heads[f"token-wise.{name}"]) for name, value in head.state_dict().items())
    fresh = model.bench.terms[1].build(model.bench.blueprint.spec, 0)
    assert not torch.equal(fresh.state_dict()["image.weight"], heads["token-wise.image.weight"]), "it has learnt"
    scores = model.evaluate("retrieval@zero-shot").values
    told = finished.cell("tokens").read("scores.json")["tasks"]["retrieval@zero-shot"]["values"]
    assert {name: np.float64(value) for name, value in scores.items()} == pytest.approx(told)


def test_the_table_names_the_heads(finished: Any) -> None:
    said = finished.say("report", "table", str(finished.home))
    assert said.code == 0
    assert "retrieval@zero-shot: readout 'similarity' in rows tokens" in said.out
    assert "retrieval@zero-shot: readout 'vectors' in rows vectors" in said.out
    assert "all pairs ordered by similarity" in said.out
    assert "classification@zero-shot: readout 'class prompts, similarity' in rows tokens" in said.out


def test_stored_rows_are_scored_alike_without_a_model(finished: Any) -> None:
    before = {row: finished.cell(row).read("scores.json") for row in ROWS}
    said = finished.say("run", "score", str(finished.home))
    assert said.code == 0
    assert {row: finished.cell(row).read("scores.json") for row in ROWS} == before


def test_a_run_killed_while_it_compares_ends_in_the_same_bytes(
    finished: Any, ground: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = named_on_the_command_line(ground({"tokens": ROWS["tokens"]}, TOKENS))
    mark = tmp_path / "mark"
    monkeypatch.setenv("MARK", str(mark))
    monkeypatch.setenv("PYTHONPATH", str(Path(package.__path__[0]).parent))
    arguments = ["-p", str(found.folder / "mine.py"), *command(found), "--jobs", "1"]
    with (tmp_path / "told.txt").open("w") as told:
        runner = subprocess.Popen([sys.executable, "-m", "vlpbench", *arguments], stdout=told, stderr=told,
                                  start_new_session=True)
        for _ in range(2400):
            if mark.exists() or runner.poll() is not None:
                break
            time.sleep(0.05)
        assert mark.exists(), (tmp_path / "told.txt").read_text()
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait()
    assert found.stage("pretrain").closed
    said = run(found)
    assert said.code == 0, said.err
    assert found.bytes("tokens") == finished.bytes("tokens")
