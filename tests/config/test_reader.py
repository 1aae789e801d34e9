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
        ("[axes]\nstem = ['conv2']\n[[rows]]\nbackbone = 'conv3/dual/nano'", ":4, rows[1] backbone",
         "stands beside the axis stem", "one of"),
        ("[axes]\nbackbone = ['conv3/dual/nano']\n[[rows]]\nsize = 'tiny'", ":4, rows[1] size",
         "stands beside the axis backbone", "one of"),
        ("[axes]\nbackbone = ['conv3/dual/nano']\nstem = ['conv2']", ":3, axes.stem", "is a part of backbone",
         "one of"),
        ("[[rows]]\nnmae = 'a'", ":2, rows[1] nmae", "unknown key 'nmae'", "did you mean 'name'?"),
        ("[[rows]]\nseeds = [1]", ":2, rows[1] seeds", "seeds are said once", "at the top"),
        ("[[rows]]\nbeside = ['flops']", ":2, rows[1] beside", "is said once for all rows", "at the top"),
        ("[[rows]]\npublished = 3", ":2, rows[1] published", "must be a table of numbers", "vqa.accuracy"),
        ("[[exclude]]\nrow = 3", ":2, exclude[1] row", "must be a text", ""),
        ("[[exclude]]\nseed = '1'", ":2, exclude[1] seed", "must be a whole number", "without quotes"),
        ("[base]\nstem = 'timm:'", ":2, base.stem", "names nothing behind the colon", "timm:resnet18"),
        ("[text]\ntrained_on = 'none'", ":2, text.trained_on", "'none' has no texts", "leave it out"),
        ("[text]\ntrained_on = 'a + 2*b'", ":2, text.trained_on", "'b' has no weight", "alone"),
        ("[[exclude]]", ":1, exclude[1]", "is empty", ""),
        ("[[exclude]]\nstm = 'conv2'", ":2, exclude[1] stm", "unknown setting 'stm'", "did you mean 'stem'?"),
        ("floors = 'no'", ":1, floors", "must be true or false", ""),
        ("beside = ['flop']", ":1, beside", "unknown column 'flop'", "did you mean 'flops'?"),
        ("[base]\ndata = 'a b'", ":2, base.data", "'b' stands where '+'", "web + 2*coco"),
        ("[base]\ntexts = 'none + a'", ":2, base.texts", "stands alone", "web + 2*coco"),
        ("[text]\ntrained_on = 'a b'", ":2, text.trained_on", "'b' stands where '+'", "web + 2*coco"),
        ("tasks = ['vqa@fuse']", ":1, tasks", "unknown task 'vqa@fuse'", "did you mean 'vqa@fused'?"),
        ("[trunk.duel]\nx = 1", ":2, trunk.duel.x", "unknown trunk 'duel'", "did you mean 'dual'?"),
        ("[trunk.dual]\ndecodr = 'own'", ":2, trunk.dual.decodr", "unknown key 'decodr'", "'trunk.dual.decoder'"),
        ("[trunk.dual]\ndecoder = 'owm'", ":2, trunk.dual.decoder", "must be one of 'none', 'own'", "'own'"),
        ("trunk = 'dual'", ":1, trunk", "stands outside of a table", "put it under [base]"),
        ("[data.digits]\nshar = 1", ":2, data.digits.shar", "unknown key 'shar'", "did you mean 'data.digits.share'?"),
        ("[data.digits]\nshare = 0", ":2, data.digits.share", "must be above 0", ""),
        ("[data.digits]\nshare = 1.5", ":2, data.digits.share", "must be at most 1", ""),
        ("[data.digits.text_noise]\nswapped = -0.1", ":2, data.digits.text_noise.swapped", "at least 0", ""),
        ("[data.digits.text_noise]\nboilerplte = 1", ":2, data.digits.text_noise.boilerplte", "unknown key",
         "boilerplate'?"),
        ("[data.digits]\ntext_noise = 0.5", ":2, data.digits.text_noise", "must be a table", ""),
        ("[budget]\ntexts = -1", ":2, budget.texts", "must be at least 0", ""),
        ("[budget]\nmicro_batch = -1", ":2, budget.micro_batch", "must be at least 0", ""),
        ("[budget]\nlooks = -1", ":2, budget.looks", "must be at least 0", ""),
        ("[init]\nstm = 'a'", ":2, init.stm", "unknown key 'stm'", "did you mean 'init.stem'?"),
        ("[tune]\ntask = 'vqaa'", ":2, tune.task", "unknown task 'vqaa'", "did you mean 'vqa'?"),
        ("[tune.tries]\noptim.lr = 1", ":2, tune.tries.optim.lr", "must be a list of values to try", "[1]"),
        ("[tune.tries]\n'optim.lr' = []", ":2, tune.tries.optim.lr", "must be a list of values", "leave it out"),
        ("[tune.tries]\noptim.lrr = [1]", ":2, tune.tries.optim.lrr", "unknown key 'lrr'", "'optim.lr'"),
        ("[tune.tries]\noptim.lr = ['a']", ":2, tune.tries.optim.lr", "must be a number", ""),
        ("[tune.tries]\ndata = ['a']", ":2, tune.tries.data", "'data' cannot be tried", "optim.lr"),
        ("[tune.tries]\nbudget.samples = [1]", ":2, tune.tries.budget.samples", "cannot be tried", "optim.lr"),
        ("[tune.tries]\nprotocol.vqa.samples = [1]", ":2, tune.tries.protocol.vqa.samples", "cannot be tried",
         "optim.lr"),
        ("[tune.tries]\ninit.stem = ['a']", ":2, tune.tries.init.stem", "cannot be tried", "optim.lr"),
        ("[axes]\n'tune.tries.optim.lr' = [[1]]", ":2, axes.tune", "what is tried is no axis", "[tune]"),
        ("[axes]\noptim.lr = [1]\n[tune.tries]\noptim.lr = [1]", ":2, axes.optim.lr", "is an axis, but tune.tries",
         "one of the two"),
        ("[tune.tries]\nstem = ['conv2']\n[[rows]]\nbackbone = 'conv3/dual/nano'", ":4, rows[1] backbone",
         "is said by this row, but tune.tries tries stem", "one of the two"),
        ("[[rows]]\noptim.lr = 1\n'tune.tries.optim.lr' = [1]", ":2, rows[1] optim.lr", "is said by this row", ""),
        ("[base]\nrecipe = 'smll'", ":2, base.recipe", "unknown recipe 'smll'", "did you mean 'small'?"),
        ("[[exclude]]\nrecipe = 'small'", ":2, exclude[1] recipe", "does not remember its recipe", "name the row"),
        ("[[rows]]\nobjective = 'prefix-lm'\n[rows.objective.prefix-lm]\nshortest = 2", ":3, column",
         "Cannot overwrite", 'write "objective.prefix-lm.key" = value, in quotes'),
        ("[[rows]]\ntrunk = 'dual'\ntrunk.dual.layers = 2", ":3", "Cannot overwrite",
         'write "trunk.dual.layers" = value, in quotes'),
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


def test_columns_beside_the_scores(tmp_path, known):
    assert read_grid(write(tmp_path, ""), (), known).beside == ()
    path = write(tmp_path, "beside = ['flops', 'image_tokens']")
    assert read_grid(path, (), known).beside == ("flops", "image_tokens")
    assert read_grid(path, ["beside=seconds"], known).beside == ("seconds",)


@pytest.mark.parametrize(
    "said",
    ["tune.tries={'optim.lr'=[1e-3, 1], 'text.length' = [8]}",
     "tune.tries={optim.lr=[1e-3, 1], text = {length = [8]}}"],
)
def test_tries_are_read_from_tables_and_from_the_command_line(tmp_path, known, said):
    tries = {"tune.tries.optim.lr": [0.001, 1.0], "tune.tries.text.length": [8]}
    text = "[tune.tries]\n'optim.lr' = [1e-3, 1]\ntext.length = [8]\n"
    assert read_grid(write(tmp_path, text), (), known).base == tries
    empty = write(tmp_path, "")
    assert read_grid(empty, [said], known).overrides == tries
    said = ["tune.tries.'optim.lr'=[1e-3, 1]", 'tune.tries."text.length"=[8]']
    assert read_grid(empty, said, known).overrides == tries


def test_what_the_command_line_fixes_is_not_tried(tmp_path, known):
    wrong = mistakes(tmp_path, known, "[tune.tries]\noptim.lr = [1, 2]", "optim.lr=3")
    assert wrong.problems[0].place == "-S optim.lr"
    assert "is fixed on the command line" in wrong.problems[0].what


def test_what_the_command_line_replaced_is_remembered(tmp_path, known):
    grid = read_grid(write(tmp_path, GOOD), ["image.size=16", "seeds=[5]", "optim.lr=1"], known)
    assert grid.typed == {"image.size", "seeds"}


def test_mistakes_of_a_recipe_are_told_with_its_own_file(tmp_path, known):
    wrong = mistakes(tmp_path, known, "[base]\nrecipe = 'wrong'\n[optim]\nlrr = 1")
    assert len(wrong.problems) == 3
    places = " ".join(problem.place for problem in wrong.problems)
    assert "wrong.toml:2, settings.optim.lrr" in places
    assert "wrong.toml:3, settings.data" in places
    assert "grid.toml:4" in places


@pytest.mark.parametrize(
    ("text", "override", "place"),
    [
        ("", "seeds=a", "-S seeds"),
        ("", "beside=flop", "-S beside"),
        ("[axes]\nstem = ['conv2']", "stem=conv9", "-S stem"),
        ("", "base.stem=conv2", "-S base.stem"),
    ],
)
def test_a_mistake_on_the_command_line_is_not_looked_for_in_the_file(tmp_path, known, text, override, place):
    assert mistakes(tmp_path, known, text, override).place == place


@pytest.mark.parametrize(
    "text",
    [
        "[[rows]]\n'data.x.kind' = 'coco'\n'data.x.file' = 'a'",
        "[[rows]]\ndata.x.kind = 'coco'\ndata.x.file = 'a'",
        "'data.x.kind' = 'coco'\n[base]\n'data.x.file' = 'a'",
        "[base]\n'data.x.kind' = 'coco'\n'data.x.file' = 'a'",
        "[data.x]\nfile = 'a'\n[[rows]]\n'data.x.kind' = 'coco'",
        "[data.x]\nkind = 'digits'\nnoise = 1\n[[rows]]\n'data.x.kind' = 'coco'\n'data.x.file' = 'a'",
        "[axes]\ndata.x.kind = ['coco']\ndata.x.file = ['a', 'b']",
    ],
)
def test_the_kind_of_a_data_set_may_be_said_anywhere(tmp_path, known, text):
    assert read_grid(write(tmp_path, text), (), known).path.name == "grid.toml"
