"""How steps of one shape are played: on which device, that one graph serves all of them, and how rows leave."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend

from vlpbench.backbones import DecoderOnly, EncoderDecoder
from vlpbench.contract.abilities import Backbone, Context
from vlpbench.device import Device
from vlpbench.tasks.fixed_steps import graph_for
from vlpbench.tasks.generate import Search, Writer, generate
from vlpbench.testing.tiny import PIXELS, VOCABULARY, tiny_backbone

CPU, START = Device("cpu"), [VOCABULARY.bos]


def lively(trunk: Any, rows: int = 16) -> tuple[Backbone, Context]:
    """A backbone whose every weight has a say and that ends its sentences now and then, and what it sees."""
    backbone = tiny_backbone({"context", "decode"}, trunk)
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in backbone.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=rng)
        backbone.words.weight[VOCABULARY.eos] *= 2
        return backbone, backbone.context(backbone.see(torch.randn(rows, 3, PIXELS, PIXELS, generator=rng)))


@pytest.mark.parametrize("choice", ["auto", "never"])
def test_a_cpu_writes_the_plain_way(choice: Any) -> None:
    assert graph_for(CPU, choice) is None


def test_a_gpu_captures_unless_it_must_not() -> None:
    gpu = Device("cuda")
    assert graph_for(gpu, "never") is None
    assert graph_for(gpu, "auto") is not None and graph_for(gpu, "always") is not None


@pytest.mark.parametrize(
    ("trunk", "search", "backend"),
    [
        (EncoderDecoder, Search(beams=3, length_penalty=0.7, no_repeat=2, least=2), "aot_eager"),
        (DecoderOnly, Search(top_p=0.9), "eager"),
    ],
)
def test_a_step_is_compiled_once_and_writes_the_same(trunk: Any, search: Search, backend: str) -> None:
    """A graph without a break: nothing in a step waits for the device, no number in it changes between steps."""
    counter = CompileCounterWithBackend(backend)
    graph = graph_for(CPU, "always", counter)
    assert graph is not None
    backbone, context = lively(trunk, 2)
    writer, made = Writer(backbone, START, 9, search, graph), []
    for rows in (torch.arange(2), torch.arange(1), torch.tensor([1, 0])):
        expected = generate(backbone, context.rows(rows), START, 9, search)
        assert writer.write(context.rows(rows)) == expected
        made.append(counter.frame_count)
    assert 0 < made[1] == made[2] <= 2, "one for each number of rows: two and one"


def test_rows_that_are_done_leave_by_quarters() -> None:
    backbone, context = lively(EncoderDecoder, 40)
    asked: list[int] = []
    step = backbone.step

    def counting(state: Any, token: torch.Tensor) -> torch.Tensor:
        asked.append(len(token))
        return step(state, token)

    expected = generate(backbone, context, START, 13, Search(beams=2))
    backbone.step = counting  # type: ignore[method-assign]
    writer = Writer(backbone, START, 13, Search(beams=2), lambda turn: turn)
    assert writer.write(context) == expected
    played = asked[1:]
    assert set(played) <= {10, 20, 30, 40} and played == sorted(played, reverse=True)
    assert played[:3] == [40] * 3 and len(set(played)) > 1, "some leave, and not before they are looked at"


@pytest.mark.gpu
@pytest.mark.parametrize("trunk", [EncoderDecoder, DecoderOnly])
def test_a_captured_step_writes_the_same(trunk: Any) -> None:
    gpu = Device.choose("cuda")
    backbone, _ = lively(trunk)
    backbone = backbone.to(gpu.torch)
    images = torch.randn(40, 3, PIXELS, PIXELS, generator=torch.Generator().manual_seed(1)).to(gpu.torch)
    for search in (Search(beams=4, no_repeat=2), Search(top_p=0.9, seed=3)):
        writer = Writer(backbone, START, 9, search, graph_for(gpu, "auto"))
        for rows in (slice(0, 24), slice(24, 40)):
            with torch.no_grad():
                context = backbone.context(backbone.see(images[rows]))
            assert writer.write(context) == generate(backbone, context, START, 9, search)
