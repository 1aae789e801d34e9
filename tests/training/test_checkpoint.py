"""Weights on disk: they come back to the bit, or a sentence says what is wrong with the file."""

from __future__ import annotations

import errno
import resource
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from vlpbench.errors import UserError
from vlpbench.training.checkpoint import Origin, load_weights, read_origin, read_weights, save_weights


def model() -> nn.Module:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    net[1].running_mean.normal_()
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def test_round_trip(tmp_path: Path) -> None:
    one, two = model(), model()
    path = tmp_path / "stage" / "weights.safetensors"
    save_weights(one, path)
    assert load_weights(two, read_weights(path)) == ([], [])
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
        assert a.dtype == b.dtype
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_equal_weights_are_equal_bytes(tmp_path: Path) -> None:
    net = model()
    save_weights(net, tmp_path / "one")
    save_weights(net, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_weights_that_are_shared_within_a_model_are_kept(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    net[1].weight = net[0].weight
    save_weights(net, tmp_path / "tied")
    found = read_weights(tmp_path / "tied")
    assert torch.equal(found["0.weight"], found["1.weight"])


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_file_cut_short_is_a_users_error(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(model(), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match="cannot read weights") as caught:
        read_weights(path)
    assert caught.value.place == str(path)
    assert "delete the file" in caught.value.remedy


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 a pickle in a zip", b"\xff" * 64])
def test_what_is_no_checkpoint_is_a_users_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="cannot read weights"):
        read_weights(path)


def test_loading_goes_by_name_and_shape() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    kept = net[1].weight.detach().clone()
    given = {"0.weight": torch.ones(3, 2), "0.bias": torch.zeros(3)}
    given |= {"1.weight": torch.ones(2, 3), "head.w": torch.ones(1)}
    missing, unused = load_weights(net, given)
    assert missing == ["1.bias", "1.weight"]
    assert unused == ["1.weight", "head.w"]
    assert bool((net[0].weight == 1).all()) and torch.equal(net[1].weight, kept)


def test_nothing_given_changes_nothing() -> None:
    net = nn.Linear(2, 2)
    before = net.weight.detach().clone()
    assert load_weights(net, {}) == (["bias", "weight"], [])
    assert torch.equal(net.weight, before)


ORIGIN = Origin("conv3/dual/nano", (2, 3), 24, "ab" * 32)


def test_what_weights_were_trained_with_comes_back(tmp_path: Path) -> None:
    save_weights(model(), tmp_path / "one", ORIGIN)
    assert read_origin(tmp_path / "one") == ORIGIN
    assert read_weights(tmp_path / "one").keys() == model().state_dict().keys()
    save_weights(model(), tmp_path / "two")
    assert read_origin(tmp_path / "two") is None


def test_equal_weights_and_origins_are_equal_bytes(tmp_path: Path) -> None:
    net = model()
    for number in range(8):  # the library writes several entries of metadata in no fixed order
        save_weights(net, tmp_path / str(number), ORIGIN)
    assert len({(tmp_path / str(number)).read_bytes() for number in range(8)}) == 1


@pytest.mark.parametrize("said", ["", "[]", '{"grid": [2]}', '{"backbone": "x", "grid": [1, "a"]}'])
def test_a_damaged_origin_is_a_users_error(tmp_path: Path, said: str) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "w", {"vlpbench": said})
    with pytest.raises(UserError, match="cannot read what weights were trained with"):
        read_origin(tmp_path / "w")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "w"
    save_weights(model(), path, ORIGIN)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_weights(model(), path, replace(ORIGIN, backbone=object()))  # type: ignore[arg-type]
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["w"]


def test_a_disk_that_takes_no_more_is_the_systems_error(tmp_path: Path) -> None:
    """A limit on the size of files stands for the full disk: the library writes past it, and the system refuses."""
    path = tmp_path / "w"
    save_weights(model(), path)
    before = path.read_bytes()
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, most))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            save_weights(model(), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path)
    assert path.read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["w"]
