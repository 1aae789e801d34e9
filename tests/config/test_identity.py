from __future__ import annotations

import dataclasses
import json
import re

import pytest

from vlpbench.config.identity import cell_id, settings_from_plain, settings_to_plain
from vlpbench.config.merge import KeyedError, merge, portion_of, settings_of
from vlpbench.config.reader import read_grid
from vlpbench.config.settings import CellSettings, Portion, Protocol, TextNoise, Tune
from vlpbench.config.typed import WrongValue
from vlpbench.files import digest

VERSIONS = {"objective prefix-lm": 1, "stem": 1, "trunk": 1, "metrics": 1}


def settings(folder, known, text="", *overrides):
    path = folder / "g.toml"
    path.write_text(text, encoding="utf-8")
    grid = read_grid(path, overrides, known)
    return settings_of(merge([grid.base, grid.overrides]), 0, known)


def identity(found):
    return cell_id(found, VERSIONS, {"digits": "abc"})


def test_an_id_is_twelve_hexadecimal_digits(tmp_path, known):
    assert re.fullmatch(r"[0-9a-f]{12}", identity(settings(tmp_path, known)))


@pytest.mark.parametrize(
    "said",
    [
        "[optim]\nlr = 2e-3", "[optim]\nlr = 0.002", "[optim]\nclip = 1", "[text]\nlowercase = true",
        "[protocol.captioning]\nbeams = 1", "[objective.prefix-lm]\nshortest = 1", "[data.digits]\nnoise = 0",
        "[data.digits]\nkind = 'digits'", "[protocol.vqa]\ndata = 'digits'", "[base]\nobjective = ' 1.0*prefix-lm '",
        "[base]\nsize = 'nano'", "name = 'other'\ndescription = 'x'", "[data.unused]\nkind = 'coco'\nfile = 'a'",
        "[base]\ndata = '2 * digits'", "[data.digits]\nshare = 1", "[data.digits.text_noise]\nswapped = 0",
        "[trunk.dual]\nlayers = 9", "[tune]\nsamples = 3", "[init]\nstem = 'somewhere'",
    ],
)
def test_an_omitted_default_and_what_is_not_used_change_no_id(tmp_path, known, said):
    assert identity(settings(tmp_path, known, said)) == identity(settings(tmp_path, known))


def test_a_later_setting_at_its_default_leaves_ids_and_hashes_as_they_were_before_it():
    """What the last revision without `budget.captions` and `text.lengths` said of the default settings."""
    usual = CellSettings()
    assert cell_id(usual, {"objective prefix-lm": 1}, {"digits": "abc"}) == "b13d5cae25c6"
    assert digest(settings_to_plain(usual))[:12] == "88a9fd264e73"
    assert settings_from_plain(settings_to_plain(usual)) == usual


@pytest.mark.parametrize("size", [0, 32])
def test_a_task_that_sees_pictures_as_pretraining_does_leaves_ids_and_hashes_as_they_were(size):
    """What the last revision without `protocol.TASK.size` said; 32 is the size of pretraining."""
    vqa, captioning = Protocol(data="digits", size=size), Protocol(data="digits", beams=3)
    usual = CellSettings(protocol={"vqa": vqa, "captioning": captioning})
    assert cell_id(usual, {"objective prefix-lm": 1}, {"digits": "abc"}) == "797b379ba85c"
    assert digest(settings_to_plain(usual))[:12] == "270ff0671413"
    without = {"vqa": dataclasses.replace(vqa, size=0), "captioning": captioning}
    assert settings_from_plain(settings_to_plain(usual)) == dataclasses.replace(usual, protocol=without)


def test_a_task_that_sees_pictures_of_its_own_size_is_another_cell():
    found = [CellSettings(protocol={"vqa": Protocol(size=size)}) for size in (48, 64)]
    for one in found:
        assert settings_from_plain(json.loads(json.dumps(settings_to_plain(one)))) == one
    assert len({cell_id(one, {}, {}) for one in (*found, CellSettings(protocol={"vqa": Protocol()}))}) == 3


@pytest.mark.parametrize("said", ["budget.captions=2", "text.lengths=few"])
def test_a_later_setting_that_is_said_is_kept(tmp_path, known, said):
    found = settings(tmp_path, known, "", said)
    section, name = said.partition("=")[0].split(".")
    assert name in settings_to_plain(found)[section]
    assert settings_from_plain(settings_to_plain(found)) == found
    assert identity(found) != identity(settings(tmp_path, known))


def test_captions_of_a_picture_stand_in_whole_batches(tmp_path, known):
    with pytest.raises(KeyedError, match=r"is 5, and budget\.batch of 64 is no multiple of it") as caught:
        settings(tmp_path, known, "", "budget.captions=5")
    assert caught.value.key == "budget.captions" and caught.value.remedy == "set budget.batch to 65"
    assert settings(tmp_path, known, "", "budget.captions=5", "budget.batch=65").budget.captions == 5


def test_one_number_in_two_spellings_is_one_cell(tmp_path, known):
    assert identity(settings(tmp_path, known, "", "optim.lr=1e-4")) == identity(
        settings(tmp_path, known, "[optim]\nlr = 0.0001")
    )


@pytest.mark.parametrize(
    "said",
    [
        "optim.lr=1e-4", "budget.samples=10", "objective=contrastive", "objective=2*prefix-lm", "stem=conv2",
        "size=tiny", "blind=true", "split=val", "objective.prefix-lm.shortest=2", "data.digits.noise=0.5",
        "protocol.vqa.samples=3", 'tasks=["vqa"]', "image.size=64", "texts=digits", "data.digits.share=0.5",
        "data.digits.text_noise.dropped=0.5", "tune.tries={optim.lr=[1]}", "trunk=dual", "text.trained_on=digits",
    ],
)
def test_what_decides_the_numbers_changes_the_id(tmp_path, known, said):
    assert identity(settings(tmp_path, known, "", said)) != identity(settings(tmp_path, known))


def test_versions_and_data_change_the_id_and_folders_do_not(tmp_path, known):
    text = "[base]\ndata = 'photos'\n[data.photos]\nkind = 'coco'\nfile = 'a.json'\nfolder = '{}'"
    here, there = (settings(tmp_path, known, text.format(folder)) for folder in ("here", "there"))
    prints = {"photos": "abc"}
    assert cell_id(here, VERSIONS, prints) == cell_id(there, VERSIONS, prints)
    assert cell_id(here, VERSIONS, prints) != cell_id(here, VERSIONS, {"photos": "abd"})
    assert cell_id(here, VERSIONS, prints) != cell_id(here, {**VERSIONS, "stem": 2}, prints)
    assert cell_id(here, VERSIONS, prints) != cell_id(dataclasses.replace(here, seed=1), VERSIONS, prints)


def test_settings_survive_json(tmp_path, known):
    found = settings(tmp_path, known, "[objective.prefix-lm]\nshortest = 4", "tasks=['vqa', 'captioning@zero-shot']")
    back = settings_from_plain(json.loads(json.dumps(settings_to_plain(found))))
    assert back == found
    assert identity(back) == identity(found)
    assert isinstance(back.protocol["vqa"], Protocol)
    with pytest.raises(WrongValue):
        settings_from_plain({"objective": 3})


def test_defaults_are_those_of_the_settings(tmp_path, known):
    found = settings(tmp_path, known)
    assert found.optim == CellSettings().optim
    assert found.objectives == {"prefix-lm": {"shortest": 1}}
    assert found.sources == {"digits": {"kind": "digits", "noise": 0.0}}
    assert set(found.protocol) == set(found.tasks)
    assert found.protocol["vqa"] == Protocol(data="digits")


def test_data_and_texts_are_weighted_sums(tmp_path, known):
    text = "[data.a]\nkind='digits'\n[data.b]\nkind='digits'\nnoise=1\n[data.c]\nkind='digits'\n"
    found = settings(tmp_path, known, text, "data=b+2.0*a", "texts=c", "tasks=['vqa']")
    assert (found.data, found.texts) == ("b + 2*a", "c")
    assert list(found.sources) == ["b", "a", "c"]
    assert found.protocol["vqa"].data == "b"
    found = settings(tmp_path, known, text, "data=none", "texts=c", "tasks=['vqa']", "protocol.vqa.data=a")
    assert (found.data, found.protocol["vqa"].data, set(found.sources)) == ("none", "a", {"a", "c"})


def test_a_form_of_the_readout_takes_over_what_the_task_says(tmp_path, known):
    text = "tasks = ['vqa@decoder', 'vqa@fused']\n[protocol.vqa]\nlr = 0.5\n[protocol.'vqa@fused']\nlr = 0.25\n"
    assert {task: one.lr for task, one in settings(tmp_path, known, text).protocol.items()} == {
        "vqa@decoder": 0.5, "vqa@fused": 0.25,
    }


def test_the_trunk_in_use_has_its_settings(tmp_path, known):
    text = "[trunk.dual]\nlayers = 3\n"
    assert settings(tmp_path, known, text).wiring == {}
    found = settings(tmp_path, known, text, "trunk=dual", "trunk.dual.decoder=own")
    assert found.wiring == {"decoder": "own", "layers": 3}
    assert identity(found) != identity(settings(tmp_path, known, text, "trunk=dual"))


def test_what_every_data_set_may_say_is_kept_where_it_differs(tmp_path, known):
    text = "[data.digits]\nshare = 0.5\n[data.digits.text_noise]\nswapped = 0.25\ndropped = 0\n"
    source = settings(tmp_path, known, text).sources["digits"]
    assert source == {"kind": "digits", "noise": 0.0, "share": 0.5, "text_noise": {"swapped": 0.25}}
    assert portion_of(source) == Portion(0.5, TextNoise(swapped=0.25))
    later = settings(tmp_path, known, text, "data.digits.text_noise.dropped=0.5").sources["digits"]
    assert later["text_noise"] == {"swapped": 0.25, "dropped": 0.5}
    assert portion_of({"kind": "digits"}) == Portion()


def test_what_is_tried_is_part_of_the_settings(tmp_path, known):
    text = "[tune]\nsamples = 5\n[tune.tries]\n'optim.lr' = [1e-3, 1]\n"
    assert settings(tmp_path, known, text).tune == Tune({"optim.lr": (0.001, 1.0)}, "vqa", 5)
    both = settings(tmp_path, known, text, "tune.tries.text.length=[4]")
    assert both.tune.tries == {"optim.lr": (0.001, 1.0), "text.length": (4,)}
    assert settings_from_plain(json.loads(json.dumps(settings_to_plain(both)))).tune == both.tune
    assert settings(tmp_path, known, text, "tune.tries={}").tune == Tune()


def test_a_zero_shot_task_takes_over_what_its_fine_tune_says(tmp_path, known):
    text = "tasks = ['captioning@zero-shot']\n[protocol.captioning]\nbeams = 3\nprompt = 'x'\n"
    text += "[protocol.'captioning@zero-shot']\nprompt = 'a picture of'\n"
    found = settings(tmp_path, known, text).protocol["captioning@zero-shot"]
    assert (found.beams, found.prompt) == (3, "a picture of")


@pytest.mark.parametrize(
    ("layers", "backbone"),
    [
        ([], "conv3/encoder-decoder/nano"),
        ([{"stem": "conv2"}], "conv2/encoder-decoder/nano"),
        ([{"backbone": "linear/dual/base"}, {"size": "tiny"}, {"stem": "conv4"}], "conv4/dual/tiny"),
        ([{"stem": "conv2"}, {"backbone": "linear/dual/base"}], "linear/dual/base"),
        ([{"backbone": "timm:a/b/dual/base", "trunk": "x"}], "timm:a/b/x/base"),
    ],
)
def test_parts_of_the_backbone_are_put_together_layer_by_layer(layers, backbone):
    assert merge(layers)["backbone"] == backbone


def test_a_key_below_a_table_setting_changes_one_entry():
    base = {"data.a.captions": {"train": "t", "val": "v"}}
    assert merge([base, {"data.a.captions.val": "w"}])["data.a.captions"] == {"train": "t", "val": "w"}
    assert base["data.a.captions"]["val"] == "v"


@pytest.mark.parametrize(
    ("text", "key", "said", "remedy"),
    [
        ("[objective.prefix-lm]\nshortest = -1", "objective.prefix-lm", "shortest is below 0", ""),
        ("[base]\ndata = 'digit'", "data", "unknown data set 'digit'", "did you mean 'digits'?; or describe it"),
        ("[base]\ndata = 'photos'\n[data.photos]\nkind = 'coco'", "data.photos", "lacks file", ""),
        ("[base]\ndata = 'none'\ntexts = 'digits'", "protocol.vqa", "data is none, so vqa", "[protocol.vqa] data"),
        ("tasks=['vqa@fused']\n[base]\ndata = 'none'\ntexts = 'digits'", "protocol.vqa@fused", "vqa@fused has nothing",
         "[protocol.vqa] data"),
        ("tasks=['vqa']\n[base]\ndata = 'none'\n[protocol.vqa]\ndata = 'digits'", "data", "nothing to learn from",
         'objective = "none"'),
        ("[base]\ntexts = 'digits'\n[budget]\ntexts = 0", "budget.texts", "no text of 'digits'", 'texts = "none"'),
        ("tasks = ['captioning']\n[tune.tries]\noptim.lr = [1]", "tune.task", "'vqa' decides", "tasks: captioning"),
        ("[protocol.vqa]\ndata = 'phtos'", "protocol.vqa.data", "unknown data set 'phtos'", "[data.phtos]"),
        ("[protocol.vqa]\ndata = 'digits + x'", "protocol.vqa.data", "one data set, not 'digits + x'", "one alone"),
        ("[protocol.vqa]\ndata = 'none'", "protocol.vqa.data", "one data set, not 'none'", "one alone"),
        ("[protocol.vqa]\ndata = 'a b'", "protocol.vqa.data", "'b' stands where '+'", "web + 2*coco"),
        ("[base]\ntexts = 'wrds'", "texts", "unknown data set 'wrds'", "[data.wrds]"),
        ("[text]\ntrained_on = 'wrds'", "text.trained_on", "unknown data set 'wrds'", "[data.wrds]"),
    ],
)
def test_what_does_not_fit_together_says_where(tmp_path, known, text, key, said, remedy):
    with pytest.raises(KeyedError) as caught:
        settings(tmp_path, known, text)
    assert caught.value.key == key
    assert said in str(caught.value)
    assert remedy in caught.value.remedy
