from __future__ import annotations

import pytest

from vlpbench.config.problems import GridError
from vlpbench.grid import cells, open_grid


def rows(found):
    return [(cell.row, cell.seed) for cell in found]


def test_rows_times_axes_times_seeds_then_blind(made):
    text = """
seeds = [0, 3]
[axes]
stem = ["conv2", "conv3"]
optim.lr = [1e-3, 2e-3]
[[rows]]
name = "scratch"
objective = "none"
[[rows]]
name = "prefix"
[[exclude]]
stem = "conv2"
objective = "none"
[[exclude]]
seed = 3
optim.lr = 1e-3
"""
    found = made(text)
    assert rows(found) == [
        ("scratch, conv3, lr=0.001", 0), ("scratch, conv3, lr=0.002", 0), ("scratch, conv3, lr=0.002", 3),
        ("prefix, conv2, lr=0.001", 0), ("prefix, conv2, lr=0.002", 0), ("prefix, conv2, lr=0.002", 3),
        ("prefix, conv3, lr=0.001", 0), ("prefix, conv3, lr=0.002", 0), ("prefix, conv3, lr=0.002", 3),
        ("prefix, conv2, lr=0.001, blind", 0),
    ]
    assert len({cell.id for cell in found}) == len(found)
    assert found[0].settings.backbone == "conv3/encoder-decoder/nano"
    assert found[0].folder == f"scratch-conv3-lr-0.001-s0-{found[0].id}"


def test_a_grid_without_rows_is_its_base_and_its_blind_twin(made):
    found = made("")
    assert rows(found) == [("prefix-lm", 0), ("prefix-lm, blind", 0)]
    blind = found[1].settings
    assert blind.blind
    assert blind.tasks == ("vqa", "captioning")
    assert set(blind.protocol) == {"vqa", "captioning"}
    assert blind.objective == "prefix-lm"


@pytest.mark.parametrize(
    ("text", "blind"),
    [
        ("floors = false", []),
        ("tasks = ['retrieval']", []),
        ("[base]\nobjective = 'none'", []),
        ("[base]\nblind = true", []),
        ("tasks = ['captioning@zero-shot', 'vqa']", ["prefix-lm, blind"]),
        ("tasks = ['captioning@zero-shot']", []),
        ("tasks = ['vqa@fused']", ["prefix-lm, blind"]),
        ("reference = 'none'\n[[rows]]\nobjective = 'none'\n[[rows]]\nobjective = 'contrastive'", ["none, blind"]),
        ("[[rows]]\nobjective = 'none'\n[[rows]]\nobjective = 'contrastive'", ["contrastive, blind"]),
    ],
)
def test_the_reference_row_has_a_blind_twin(made, text, blind):
    assert [cell.row for cell in made(text) if cell.row.endswith("blind")] == blind


def test_a_blind_row_keeps_all_data_sets_and_so_the_tokenizer(made):
    text = "[data.more]\nkind = 'digits'\nseed = 1\n[protocol.retrieval]\ndata = 'more'\n"
    seeing, blind = made(text)
    assert blind.settings.sources == seeing.settings.sources
    assert blind.fingerprints == seeing.fingerprints
    assert set(blind.fingerprints) == {"digits", "more"}


def test_a_blind_row_takes_forms_of_a_readout_and_what_tuning_asks(made):
    text = "tasks = ['retrieval', 'vqa@fused', 'vqa@decoder']\n"
    text += "[tune]\ntask = 'retrieval'\n[tune.tries]\noptim.lr = [1]\n"
    blind = made(text)[1].settings
    assert blind.tasks == ("vqa@fused", "vqa@decoder")
    assert set(blind.protocol) == {"vqa@fused", "vqa@decoder", "retrieval"}


def test_rows_without_a_name_are_called_after_what_they_change(made):
    text = "floors = false\n[[rows]]\nobjective = 'contrastive+prefix-lm'\n[[rows]]\noptim.lr = 1\nblind = true\n"
    text += "[[rows]]\ntasks = ['vqa']\n[[rows]]\nprotocol.vqa.lr = 1\noptim.lr = 2\n"
    assert [cell.row for cell in made(text)] == [
        "contrastive+prefix-lm", "lr=1.0, blind=true", "tasks=vqa", "protocol.vqa.lr=1.0, optim.lr=2.0",
    ]


def test_what_the_command_line_says_stands_over_all_rows(made):
    text = "[axes]\nobjective = ['none', 'contrastive']\n[[rows]]\nname = 'a'\noptim.lr = 1\n"
    found = made(text, "optim.lr=0.5", "objective=prefix-lm", "seeds=[4]", "size=tiny", "floors=false")
    assert rows(found) == [("a, prefix-lm", 4)]
    assert found[0].settings.optim.lr == 0.5
    assert found[0].settings.backbone == "conv3/encoder-decoder/tiny"


def test_published_numbers_go_with_their_row(made):
    found = made("[[rows]]\nname = 'a'\npublished = { vqa.accuracy = 67.4 }\n")
    assert [cell.published for cell in found] == [{"vqa.accuracy": 67.4}, {}]


def test_a_repeated_value_is_one_cell_and_two_names_for_one_a_mistake(made):
    assert len(made("floors = false\n[axes]\noptim.lr = [1e-3, 0.001]")) == 1
    with pytest.raises(GridError, match="rows 'a' and 'b' have the same settings"):
        made("[[rows]]\nname = 'a'\n[[rows]]\nname = 'b'\nobjective = 'prefix-lm'")


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("[[rows]]\nname = 'a'\n[[rows]]\nname = 'a'\noptim.lr = 1", ":4, rows[2] name", "two rows are called 'a'"),
        ("reference = 'b'\n[[rows]]\nname = 'a'", ":1, reference", "there is no row 'b'"),
        ("[[rows]]\nname = 'a'\ndata = 'digitz'", ":3, rows[1] data", "unknown data set 'digitz'"),
        ("[base]\ndata = 'x'\n[data.x]\nkind = 'digits'\ndigits_min = 9", ":3, data.x", ""),
        ("[base]\ndata = 'x'\n[data.x]\nkind = 'coco'\nfolder = 'nowhere'", ":3, data.x", "captions"),
        ("[[rows]]\nname = 'a'\n[[rows]]\nname = 'b'\ndata = 'x'\n'data.x.kind' = 'coco'", ":6, rows[2] data.x",
         "captions"),
        ("[protocol.vqa]\ndata = 'digitz'", ":2, protocol.vqa.data", "unknown data set 'digitz'"),
        ("tasks = ['vqa@fused']\n[[rows]]\nname = 'a'\nprotocol.vqa.data = 'digitz'", ":4, rows[1] protocol.vqa.data",
         "unknown data set 'digitz'"),
        ("[[rows]]\nname = 'a'\ninit.checkpoint = 'nowhere'", ":3, rows[1] init.checkpoint", "there is no 'nowhere'"),
        ("[[rows]]\nname = 'a'\n[[rows]]\nname = 'b'", ":3, rows[2]", "have the same settings"),
        ("tasks = ['vqa']\n[protocol.vqa]\ndata = 'digits-texts'", ":3, protocol.vqa.data", "has no split 'test'"),
        ("tasks = ['vqa']\n[[rows]]\nname = 'a'\ndata = 'digits-texts'", ":4, rows[1] data", "it has train, val"),
        ("[[rows]]\nname = 'abc'\n[[exclude]]\nrow = 'abd'", ":4, exclude[1] row", "there is no row 'abd'"),
    ],
)
def test_what_does_not_fit_together_says_where(made, text, place, said):
    with pytest.raises(GridError) as caught:
        made(text)
    assert len(caught.value.problems) == 1
    assert place in caught.value.problems[0].place
    assert said in caught.value.problems[0].what


def test_mistakes_of_several_rows_come_at_once(made):
    text = "[[rows]]\nname = 'a'\ndata = 'digitz'\n[[rows]]\nname = 'b'\ndata = 'diggits'\n"
    with pytest.raises(GridError, match=r"2 mistakes in g\.toml"):
        made(text)


def test_initial_weights_enter_the_id_by_what_is_in_them(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "floors = false\n[base]\nbackbone = 'timm:resnet18/encoder-decoder/nano'\n"
    for name, worth in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / f"{name}.safetensors").write_bytes(worth)
    plain, a, b, c = (made(text, *said)[0] for said in [(), *([f"init.stem={name}.safetensors"] for name in "abc")])
    assert a.id == b.id
    assert len({plain.id, a.id, c.id}) == 3
    assert set(a.fingerprints) == {"digits", "init.stem"}
    with pytest.raises(GridError, match=r"there is no 'd.safetensors'") as caught:
        made(text, "init.stem=d.safetensors")
    assert caught.value.problems[0].place == "-S init.stem"


def test_a_weakened_data_set_is_another_one(made):
    text = "floors = false\n[base]\ntexts = 'more'\n[data.more]\nkind = 'digits'\n"
    prints = made(text, "data.more.share=0.5")[0].fingerprints
    assert prints["more"] != prints["digits"] == made(text)[0].fingerprints["more"]
    assert prints["more"] != made(text, "data.more.text_noise.swapped=0.5")[0].fingerprints["more"]


def test_recipes_stand_under_their_own_layer(made):
    text = "floors = false\n[base]\nrecipe = 'simvlm-small'\nimage.size = 64\n"
    text += "[[rows]]\nname = 'a'\nsize = 'nano'\n[[rows]]\nname = 'b'\nrecipe = 'simvlm-base'\nsize = 'tiny'\n"
    a, b = (cell.settings for cell in made(text))
    assert (a.backbone, b.backbone) == ("conv3/encoder-decoder/nano", "conv3/encoder-decoder/tiny")
    assert (a.image.size, b.image.size) == (64, 224)
    assert (a.budget.samples, b.budget.samples) == (819_200_000, 4_096_000_000)
    with pytest.raises(GridError, match="rows 'a' and 'b' have the same settings"):
        made(text, "recipe=simvlm-huge")
    assert made("floors = false", "recipe=simvlm-huge", "size=nano")[0].settings.image.size == 224
    rows = made("floors = false\n[axes]\nrecipe = ['simvlm-small', 'simvlm-base']")
    assert [cell.row for cell in rows] == ["simvlm-small", "simvlm-base"]
    axis = "floors = false\n[axes]\noptim.lr = [1, 2]\n"
    for text, said in ((axis + "[[rows]]\nrecipe = 'simvlm-base'", ()), (axis, ("recipe=simvlm-base",))):
        assert [cell.settings.optim.lr for cell in made(text, *said)] == [1, 2]


def test_ids_do_not_know_folders(made, tmp_path, registry):
    here = made("floors = false")
    grid, _ = open_grid(str(tmp_path / "g.toml"))
    there = cells(grid, registry, lambda cls, config: cls(config, tmp_path / "other", tmp_path / "elsewhere"))
    assert [cell.id for cell in there] == [cell.id for cell in here]
    assert here[0].versions["objective prefix-lm"] == registry.objective("prefix-lm").version
    assert set(here[0].versions) == {"metrics", "stem", "trunk", "objective prefix-lm", "data digits"}


def test_a_row_more_changes_no_other_cell(made):
    text = "[[rows]]\nname = 'a'\nobjective = 'none'\n[[rows]]\nname = 'b'\n"
    before = {cell.id for cell in made(text)}
    after = {cell.id for cell in made(text + "[[rows]]\nname = 'c'\nobjective = 'contrastive'\n")}
    assert before < after
    assert len(after - before) == 1


def test_everything_excluded_leaves_nothing(made):
    assert made("[[exclude]]\nsplit = 'test'") == []
    assert made("[[exclude]]\nrow = 'prefix-lm'") == []


def test_a_rule_names_a_row_with_or_without_its_place_on_the_axes(made):
    text = "floors = false\n[axes]\nstem = ['conv2', 'conv3']\n[[rows]]\nname = 'a'\n"
    text += "[[rows]]\nname = 'b'\nsize = 'tiny'\n"
    assert rows(made(text + "[[exclude]]\nrow = 'a'")) == [("b, conv2", 0), ("b, conv3", 0)]
    assert rows(made(text + "[[exclude]]\nrow = 'a'\nstem = 'conv2'"))[0] == ("a, conv3", 0)
    assert len(made(text + "[[exclude]]\nrow = 'a, conv3'")) == 3


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("objective = ' prefix-lm '", 1), ("objective.prefix-lm.shortest = 9", 2), ("data.digits.noise = 48", 0),
        ("trunk = 'encoder-decoder'\nsize = 'nano'", 0), ("text.length = 24\nblind = true", 2),
        ("data = '2*digits'", 0), ("texts = 'none'", 0), ("data.digits.share = 1.0", 0), ("data.digits.share = 0.5", 2),
        ("data.digits.text_noise.swapped = 0.0", 0), ("data.other.share = 1.0", 2), ("trunk.dual.text_norm = 'pre'", 2),
    ],
)
def test_a_rule_matches_settings_with_their_defaults(made, rule, left):
    text = f"floors = false\n[[rows]]\nobjective = 'none'\n[[rows]]\nobjective = 'prefix-lm'\n[[exclude]]\n{rule}\n"
    assert len(made(text)) == left


def test_a_cell_says_which_code_decides_its_numbers(made, registry):
    cell = made("floors = false\n[base]\nobjective = 'contrastive + prefix-lm'\nbackbone = 'conv2/dual-fusion/nano'")[0]
    named = {name for name in cell.code if not name.startswith("vlpbench/")}
    assert named == {"objective contrastive", "objective prefix-lm", "stem conv2", "trunk dual-fusion", "data digits"}
    assert {"vlpbench/training", "vlpbench/tasks", "vlpbench/metrics", "vlpbench/data"} <= set(cell.code) - named
    assert all(len(one) == 64 for one in cell.code.values())
    assert cell.code["stem conv2"] == registry.origin("stem", "conv2").sha256


def test_code_is_no_part_of_the_id_and_equal_for_equal_cells(made):
    plain, again = made("floors = false"), made("floors = false")
    assert plain[0].code == again[0].code and plain[0].id == again[0].id
    other = made("floors = false", "objective=contrastive")[0]
    assert other.code.keys() ^ plain[0].code.keys() == {"objective contrastive", "objective prefix-lm"}
    assert all(other.code[name] == plain[0].code[name] for name in other.code.keys() & plain[0].code.keys())


def test_a_row_that_pretrains_nothing_has_the_code_of_that_alone(made):
    cell = made("floors = false", "objective=none", "data.more.kind=digits", "protocol.vqa.data=more")[0]
    assert [name for name in cell.code if name.partition(" ")[0] in ("objective", "data")] == [
        "data digits", "objective none",
    ], "data by kind, however many sets are of it"


def test_an_edited_plugin_changes_code_and_no_id(made, tmp_path):
    plugin = tmp_path / "mine.py"
    text = "plugins = ['mine.py']\nfloors = false\n[base]\nobjective = 'mine'\n"
    source = """from vlpbench.plugin import Objective, Step, hookimpl

class Mine(Objective):
    name, needs, trains = "mine", frozenset({"image_vector"}), frozenset({"vectors"})
    def encode(self, backbone, batch):
        return {"x": backbone.image_vector(batch.image)}
    def loss(self, features, batch):
        return Step(features["x"].sum(1) * 1.0)

@hookimpl
def vlpbench_objectives():
    return [Mine]
"""
    plugin.write_text(source)
    before = made(text)[0]
    plugin.write_text(source.replace("1.0", "2.0"))
    after = made(text)[0]
    assert before.id == after.id
    assert {name for name in after.code if after.code[name] != before.code[name]} == {"objective mine"}
