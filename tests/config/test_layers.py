from __future__ import annotations

from vlpbench.config.layers import layer_of
from vlpbench.config.merge import merge, settings_of
from vlpbench.config.settings import CellSettings

SAID = {
    "objective": "prefix-lm", "trunk": "dual", "data": "digits + 2*photos", "tasks": ["vqa@fused", "retrieval"],
    "data.photos.kind": "coco", "data.photos.file": "a.json", "data.photos.captions": {"train": "t"},
    "data.photos.text_noise.swapped": 0.5, "tune.tries.optim.lr": [1.0, 2.0], "tune.task": "retrieval",
    "protocol.vqa.lr": 0.5, "trunk.dual.layers": 3, "init.stem": "x.safetensors",
}


def test_settings_come_back_as_keys_and_keys_as_settings(known):
    settings = settings_of(merge([SAID]), 3, known)
    layer = layer_of(settings)
    assert settings_of(merge([layer]), 3, known) == settings
    assert layer["protocol.vqa@fused.lr"] == 0.5
    assert layer["data.photos.text_noise.swapped"] == 0.5
    assert layer["data.photos.captions"] == {"train": "t"}
    assert layer["tune.tries.optim.lr"] == [1.0, 2.0]
    assert layer["trunk.dual.layers"] == 3
    assert layer["objective.prefix-lm.shortest"] == 1


def test_keys_come_in_the_order_of_the_settings(known):
    keys = list(layer_of(settings_of(merge([{}]), 0, known)))
    assert keys[:5] == ["objective", "backbone", "data", "texts", "seed"]
    sections = list(dict.fromkeys(key.split(".")[0] for key in keys if "." in key))
    assert sections == ["budget", "optim", "image", "text", "init", "tune", "protocol", "objective", "data"]
    assert "tune.tries" in keys
    assert layer_of(CellSettings())["budget.looks"] == 0
