from __future__ import annotations

from pathlib import Path

import pytest

from vlpbench.config.gridfile import plugins_of
from vlpbench.config.problems import GridError
from vlpbench.config.reader import read_grid

GOOD = """\
schema = 1
name = "small"
description = "A small grid."
seeds = [0, 2]
tasks = ["vqa", "retrieval@zero-shot"]
reference = "pretrained"

[base]
data = "photos"
backbone = "timm:resnet18.a1/encoder-decoder/tiny"

[data.photos]
kind = "coco"
file = "a.json"
captions = { train = "t.json" }

[optim]
lr = 1

[objective.prefix-lm]
shortest = 2

[protocol.vqa]
samples = 128

[axes]
stem = ["conv2", "conv3"]
image.size = [32, 64]

[[rows]]
name = "scratch"
objective = "none"
published = { vqa.accuracy = 49.7, "retrieval.TR@1" = 3 }

[[rows]]
name = "pretrained"
"objective" = "contrastive + 2*prefix-lm"
"objective.prefix-lm.shortest" = 3
text.length = 12

[[exclude]]
stem = "conv2"
seed = 2
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "grid.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder, known, text, *overrides):
    with pytest.raises(GridError) as caught:
        read_grid(write(folder, text), overrides, known)
    return caught.value


def test_a_grid_is_read_whole(tmp_path, known):
    grid = read_grid(write(tmp_path, GOOD), (), known)
    assert (grid.name, grid.seeds, grid.reference, grid.floors) == ("small", (0, 2), "pretrained", True)
    assert grid.base["optim.lr"] == 1.0
    assert isinstance(grid.base["optim.lr"], float)
    assert grid.base["data.photos.captions"] == {"train": "t.json"}
    assert grid.base["objective.prefix-lm.shortest"] == 2
    assert grid.base["tasks"] == ["vqa", "retrieval@zero-shot"]
    assert grid.base["protocol.vqa.samples"] == 128
    assert grid.axes == {"stem": ("conv2", "conv3"), "image.size": (32, 64)}
    assert grid.rows[0].published == {"vqa.accuracy": 49.7, "retrieval.TR@1": 3.0}
    assert grid.rows[1].changes == {
        "objective": "contrastive + 2*prefix-lm", "objective.prefix-lm.shortest": 3, "text.length": 12,
    }
    assert grid.exclude == ({"stem": "conv2", "seed": 2},)


def test_the_smallest_grid_has_defaults(tmp_path, known):
    grid = read_grid(write(tmp_path, ""), (), known)
    assert (grid.name, grid.seeds, grid.rows, grid.axes, dict(grid.base)) == ("grid", (0,), (), {}, {})


@pytest.mark.parametrize(
    ("text", "place", "what", "remedy"),
    [
        ("schema = 2", ":1, schema", "is 2; this vlpbench reads 1", ""),
        ("[optim\nlr = 1", ":1, column", "is not TOML", "toml.io"),
        ("a = 1\na = 2", ":2", "is not TOML: Cannot overwrite", ""),
        ("name = 'a/b'", ":1, name", "names a folder", ""),
        ("sedes = [0]", ":1, sedes", "unknown key 'sedes'", "did you mean 'seeds'?"),
        ("objective = 'none'", ":1, objective", "stands outside of a table", "put it under [base]"),
        ("seeds = []", ":1, seeds", "must be different whole numbers", ""),
        ("seeds = [1, 1]", ":1, seeds", "must be different whole numbers", ""),
        ("seeds = [-1]", ":1, seeds", "must be different whole numbers", ""),
        ("seeds = [true]", ":1, seeds", "must be a list", ""),
        ("seeds = 3", ":1, seeds", "must be a list, not 3", "put it in brackets: [3]"),
        ("tasks = ['vqaa']", ":1, tasks", "unknown task 'vqaa'", "did you mean 'vqa'?"),
        ("tasks = []", ":1, tasks", "names no task", ""),
        ("tasks = ['vqa', 'vqa']", ":1, tasks", "must name each task once", ""),
        ("[base]\nobjective = 'prefixlm'", ":2, base.objective", "unknown objective 'prefixlm'", "'prefix-lm'"),
        ("[base]\nobjective = '2*'", ":2, base.objective", "it ends where", "write for example"),
        ("[base]\nobjective = 'simvlm'", ":2, base.objective", "no module named 'x'", "pip install x"),
        ("[base]\nbackbone = 'conv3'", ":2, base.backbone", "must be stem/trunk/size", "conv3/encoder"),
        ("[base]\nbackbone = 'cnv3/dual/nano'", ":2, base.backbone", "unknown stem 'cnv3'", "'conv3'"),
        ("[base]\nbackbone = 'conv3/duel/nano'", ":2, base.backbone", "unknown trunk 'duel'", "'dual'"),
        ("[base]\nsize = 'nanno'", ":2, base.size", "unknown size 'nanno'", "'nano'"),
        ("[base]\nseed = 1", ":2, base.seed", "seeds are said once", "seeds = [0, 1]"),
        ("[base]\nsplit = 'train'", ":2, base.split", "must be one of 'test', 'val'", ""),
        ("[base]\nblind = 1", ":2, base.blind", "must be true or false, not 1", ""),
        ("[base]\nfoo.bar = 1", ":2, base.foo.bar", "unknown setting 'foo.bar'", "known:"),
        ("base = 3", ":1, base", "must be a table of settings", ""),
        ("optim = 3", ":1, optim", "must be a table of settings", ""),
        ("[optim]\nlearning = 1", ":2, optim.learning", "unknown key 'learning' of optim", "known: beta1"),
        ("[optim]\nwarmpu = 1", ":2, optim.warmpu", "unknown key", "did you mean 'optim.warmup'?"),
        ("[optim]\nlr = '1e-4'", ":2, optim.lr", 'must be a number, not "1e-4"', "without quotes"),
        ("[optim]\nlr = nan", ":2, optim.lr", "must be a finite number", ""),
        ("[optim]\nlr = 0", ":2, optim.lr", "must be above 0", ""),
        ("[optim]\nwarmup = 1.5", ":2, optim.warmup", "must be at most 1", ""),
        ("[optim]\nbeta2 = 1", ":2, optim.beta2", "must be below 1", ""),
        ("[budget]\nsamples = 0", ":2, budget.samples", "must be at least 1", ""),
        ("[budget]\nbatch = true", ":2, budget.batch", "must be a whole number, not true", ""),
        ("[image]\nsize = 4", ":2, image.size", "must be at least 8", ""),
        ("[text]\nlength = 1", ":2, text.length", "must be at least 2", ""),
        ("[protocol.vqq]\nlr = 1", ":2, protocol.vqq.lr", "unknown task 'vqq'", "did you mean 'vqa'?"),
        ("[protocol.vqa]\nbeams = 0", ":2, protocol.vqa.beams", "must be at least 1", ""),
        ("[objective.prefixlm]\nx = 1", ":2, objective.prefixlm.x", "unknown objective", "'prefix-lm'"),
        ("[objective.prefix-lm]\nshortst = 1", ":2, objective.prefix-lm.shortst", "unknown key 'shortst'", "shortest"),
        ("[objective.none]\nx = 1", ":2, objective.none.x", "unknown key 'x'", ""),
        ("[data.a]\nkind = 'cocoo'", ":2, data.a.kind", "unknown kind of data set 'cocoo'", "'coco'"),
        ("[data.digits]\nnoise = 'much'", ":2, data.digits.noise", "must be a number", ""),
        ("[data.a]\nkind = 'coco'\ncaptions = 'x'", ":3, data.a.captions", "must be a table", ""),
        ("[axes]\noptim.lr = 1", ":2, axes.optim.lr", "must be a list of at least one value", ""),
        ("[axes]\noptim.lr = []", ":2, axes.optim.lr", "must be a list of at least one value", ""),
        ("[axes]\nseed = [1]", ":2, axes.seed", "seeds are no axis", "seeds = [0, 1]"),
        ("[axes]\nstem = ['conv9']", ":2, axes.stem", "unknown stem 'conv9'", "conv"),
        ("axes = 3", ":1, axes", "must be a table", ""),
        ("[rows]\nname = 'a'", ":1, rows", "must be tables", "") ,
        ("[[rows]]\nname = 3", ":2, rows[1] name", "must be a text", ""),
        ("[[rows]]\noptim.lrr = 3", ":2, rows[1] optim.lrr", "unknown key 'lrr'", "optim.lr"),
        ("[[rows]]\npublished = { vqa = 3 }", ":2, rows[1] published.vqa", "'vqa' is no score", "task.metric"),
        ("[[rows]]\npublished = { vqa.x = 'a' }", ":2, rows[1] published.vqa.x", "must be a number", ""),
        ("[axes]\nstem = ['conv2']\n[[rows]]\nstem = 'conv3'", ":4, rows[1] stem", "is an axis too", "one of"),
        ("[[exclude]]", ":1, exclude[1]", "is empty", ""),
        ("[[exclude]]\nstm = 'conv2'", ":2, exclude[1] stm", "unknown setting 'stm'", "did you mean 'stem'?"),
        ("floors = 'no'", ":1, floors", "must be true or false", ""),
        ("plugins = 'a.py'", ":1, plugins", "must be a list", "['a.py']".replace("'", '"')),
    ],
)
def test_each_mistake_has_place_and_remedy(tmp_path, known, text, place, what, remedy):
    wrong = mistakes(tmp_path, known, text)
    assert len(wrong.problems) == 1, str(wrong)
    only = wrong.problems[0]
    assert f"grid.toml{place}" in only.place
    assert what in only.what
    assert remedy in only.remedy
    assert wrong.exit_code == 2


def test_all_mistakes_come_at_once_in_the_order_of_the_file(tmp_path, known):
    wrong = mistakes(tmp_path, known, "seds = 1\n[optim]\nlrr = 1\nlr = 'x'\n[[rows]]\nsplit = 'no'\n", "optm.lr=1")
    assert str(wrong).startswith("5 mistakes in grid.toml:")
    lines = [problem.place.partition("grid.toml:")[2].partition(",")[0] for problem in wrong.problems]
    assert lines == ["1", "3", "4", "6", ""]
    assert wrong.problems[-1].place == "-S optm.lr"
    assert "did you mean 'optim.lr'?" in str(wrong)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(GridError, match=r"cannot be read"):
        read_grid(tmp_path / "no.toml")
    (tmp_path / "bytes.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(GridError, match="UTF-8"):
        read_grid(tmp_path / "bytes.toml")
    with pytest.raises(GridError, match="cannot be read"):
        read_grid(tmp_path)


def test_overrides_replace_axes_seeds_and_tasks(tmp_path, known):
    path = write(tmp_path, GOOD)
    grid = read_grid(path, ["image.size=16", "seeds=[5]", "tasks=vqa", "optim.lr=3e-4", "floors=false"], known)
    assert grid.axes["image.size"] == (16,)
    assert grid.seeds == (5,)
    assert grid.base["tasks"] == ["vqa"]
    assert grid.floors is False
    assert grid.overrides == {"optim.lr": 3e-4}
    grid = read_grid(path, ["image.size=[8, 16]", "seeds=3", "axes.budget.batch=[1, 2]"], known)
    assert grid.axes == {"stem": ("conv2", "conv3"), "image.size": (8, 16), "budget.batch": (1, 2)}
    assert grid.seeds == (3,)


def test_a_wrong_override_is_said_as_it_was_typed(tmp_path, known):
    wrong = mistakes(tmp_path, known, "", "optim.lr=fast", "seeds=many", "data.photos.kind=cocoo")
    places = {problem.place.partition(" ")[2] or problem.place: problem.what for problem in wrong.problems}
    assert 'must be a number, not "fast"' in places["optim.lr"]
    assert any("must be a list" in problem.what for problem in wrong.problems)
    assert any("unknown kind" in problem.what for problem in wrong.problems)


def test_the_kind_of_a_data_set_may_come_from_another_place(tmp_path, known):
    text = "[data.photos]\nkind = 'coco'\n[[rows]]\ndata.photos.file = 'b.json'\n"
    assert read_grid(write(tmp_path, text), (), known).rows[0].changes == {"data.photos.file": "b.json"}


def test_without_known_names_the_form_is_still_checked(tmp_path):
    path = write(tmp_path, "[base]\nobjective = 'anything'\n[objective.anything]\nx = 1\n")
    assert read_grid(path).base == {"objective": "anything", "objective.anything.x": 1}
    with pytest.raises(GridError, match="unknown key 'lrr'"):
        read_grid(path, ["optim.lrr=1"])


def test_plugins_can_be_told_before_anything_else(tmp_path):
    assert plugins_of(write(tmp_path, "plugins = ['a.py', 'vlpbench-x']\nfoo = 1")) == ("a.py", "vlpbench-x")
    assert plugins_of(write(tmp_path, "plugins = 3")) == ()
