"""Parts of a mask that stay apart give what one mask of all gives, to values and gradients, and are small."""

from __future__ import annotations

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from vlpbench.parts import Sight, attend, joined, masks
from vlpbench.parts.sight import apart, are_apart

B, N, M, H = 3, 2, 7, 24
PRESENT = torch.arange(M) < torch.tensor([[M], [4], [1]])


def drawn(dtype=torch.float32):
    torch.manual_seed(0)
    query, key, value = (torch.randn(B, N, M, H).to(dtype).requires_grad_() for _ in range(3))
    return query, key, value, torch.randn(1, N, M, M).to(dtype).requires_grad_()


def asked(sight, wish, dtype=torch.float32):
    """What is seen, and the gradients of queries, keys, values and bias."""
    *three, bias = given = drawn(dtype)
    with apart(wish):
        seen = attend(*three, joined(bias, sight) if sight.bias is not None else sight)
    (seen * torch.randn(seen.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
    return [seen, *(x.grad for x in given if x.grad is not None)]


CAUSAL = masks.causal(M)
HOLES = torch.rand(B, M, generator=torch.Generator().manual_seed(2)) < 0.6
HOLES[:, 0] = True
SIGHTS = {
    "rows and bias": Sight(PRESENT, bias=CAUSAL), "rows": Sight(PRESENT), "bias": Sight(bias=CAUSAL),
    "rows, shared, bias": Sight(HOLES, masks.visible("causal-text", 3, M - 3), CAUSAL),
    "rows and shared": Sight(HOLES, CAUSAL), "causal": Sight(shared=CAUSAL, causal=True),
    "causal and rows": Sight(PRESENT, CAUSAL, causal=True), "causal and bias": Sight(None, CAUSAL, CAUSAL, True),
    "nothing": Sight(),
}
"""Where a bias is named, the drawn one takes its place."""


@pytest.mark.parametrize("name", SIGHTS)
def test_apart_is_as_joined(name):
    for ours, dense in zip(asked(SIGHTS[name], True), asked(SIGHTS[name], False), strict=True):
        assert torch.allclose(ours, dense, rtol=1e-5, atol=1e-5)


def test_keys_that_are_not_there_have_no_say_at_all_even_in_bf16():
    for dtype in (torch.float32, torch.bfloat16):
        query, key, value, _ = drawn(dtype)
        with torch.no_grad():
            worse = [(x + 1e3 * ~PRESENT[:, None, :, None]).to(dtype) for x in (key, value)]
            with apart(True):
                seen, again = attend(query, key, value, Sight(PRESENT)), attend(query, *worse, Sight(PRESENT))
        assert torch.equal(seen, again)


def test_in_bf16_it_is_as_exact_as_joined():
    query, key, value, bias = (x.detach() for x in drawn(torch.bfloat16))
    sight = Sight(PRESENT, bias=bias)
    exact = attend(query.double(), key.double(), value.double(), joined(bias.double(), masks.padding(PRESENT)))
    with apart(True):
        ours = (attend(query, key, value, sight) - exact).abs().max()
    with apart(False):
        dense = (attend(query, key, value, sight) - exact).abs().max()
    assert ours < 2 * dense + 1e-3


def test_a_row_without_any_key_is_no_nan():
    nobody = torch.zeros(B, M, dtype=torch.bool)
    found = asked(Sight(nobody, bias=CAUSAL), True)
    assert all(bool(torch.isfinite(x).all()) for x in found)


def test_a_cpu_joins_unless_told_otherwise():
    x = torch.zeros(1)
    assert not are_apart(x)
    with apart(True):
        assert are_apart(x)
        with apart(False):
            assert not are_apart(x)
        assert are_apart(x)


class Largest(TorchDispatchMode):
    """Watches how many numbers the masks have that kernels are given."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if function in (torch.ops.aten.where.self, torch.ops.aten.bitwise_and.Tensor):
            self.numbers = max(self.numbers, made.numel())
        return made


@pytest.mark.parametrize("wish", [True, False])
def test_no_mask_of_all_rows_heads_and_tokens_is_made(wish):
    *three, bias = drawn()
    with Largest() as watch, apart(wish):
        attend(*three, joined(bias, Sight(PRESENT, CAUSAL)))
    assert watch.numbers == N * M * M * (1 if wish else B)  # at base and batch 512: 2.5 MB or 1.28 GB in fp32
