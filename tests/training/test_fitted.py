"""Files of weights from elsewhere: no code is ever read, and what is wrong is said."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from vlpbench.errors import UserError
from vlpbench.training.fitted import initial_weights, listed, other_shapes


class Trap:
    """Leaves a trace if anybody unpickles it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "net.pt", "net.PTH", "last.ckpt", "net.safetensors"])
def test_a_pickle_is_refused_unread(tmp_path, name):
    trace = tmp_path / "trace"
    torch.save({"weight": Trap(trace)}, tmp_path / name)
    with pytest.raises(UserError) as caught:
        initial_weights(tmp_path / name)
    assert not trace.exists()
    if not name.endswith("safetensors"):
        assert "is a pickle" in caught.value.cause
        assert "safetensors.torch.save_file" in caught.value.remedy
        assert "weights_only=True" in caught.value.remedy


def test_the_remedy_does_what_it_says(tmp_path):
    """The conversion that the message recommends gives a file that can be read."""
    torch.save({"a": torch.arange(6.0).view(2, 3).T}, tmp_path / "net.pt")
    held = torch.load(tmp_path / "net.pt", weights_only=True)
    save_file({name: tensor.contiguous() for name, tensor in held.items()}, tmp_path / "model.safetensors")
    assert torch.equal(initial_weights(tmp_path / "model.safetensors")["a"], held["a"])


def test_missing_and_short_files(tmp_path):
    with pytest.raises(UserError, match="there is no file of weights"):
        initial_weights(tmp_path / "no.safetensors")
    save_file({"a": torch.zeros(8)}, tmp_path / "w.safetensors")
    path = tmp_path / "w.safetensors"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match="cannot read weights") as caught:
        initial_weights(path)
    assert "stage" not in caught.value.remedy  # it is the user's file: nothing makes it again


def test_shapes_and_lists_for_a_message():
    given = {"a": torch.zeros(2, 3), "b": torch.zeros(()), "c": torch.zeros(1)}
    wanted = {"a": torch.zeros(3, 2), "b": torch.zeros(1), "d": torch.zeros(1)}
    assert other_shapes(given, wanted) == ["a: 2 x 3 in the file, 3 x 2 here", "b: one number in the file, 1 here"]
    assert listed("abc") == "a; b; c"
    assert listed("abcdefghi", 2) == "a; b and 7 more"
