"""The bank of texts: first in, first out, round its end, and the nearest row by loop."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize
from vlpbench_contrastive.bank import Bank

E = 4


def rows(many, seed=0):
    return normalize(torch.randn(many, E, generator=torch.Generator().manual_seed(seed)), dim=1)


def make(places=5):
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return Bank(places, E)


def test_it_starts_full_of_random_directions():
    bank = make(100)
    assert torch.allclose(bank.rows.norm(dim=1), torch.ones(100)) and bank.rows.mean(0).norm() < 0.3
    assert bank.place.item() == 0 and not list(bank.parameters())


def test_rows_go_over_the_oldest_and_round_the_end():
    bank, first = make(), make().rows
    bank.push(rows(3))
    assert torch.equal(bank.rows, torch.cat([rows(3), first[3:]])) and bank.place.item() == 3
    more = rows(4, seed=1)
    bank.push(more)
    assert torch.equal(bank.rows, torch.cat([more[2:], rows(3)[2:3], more[:2]])) and bank.place.item() == 2


@pytest.mark.parametrize("many", [5, 6, 10, 13])
def test_of_more_than_it_holds_the_last_stay(many):
    bank, slow, place = make(), list(make().rows), 0
    for number in range(2):
        new = rows(many, seed=number)
        bank.push(new)
        for row in new:
            slow[place], place = row, (place + 1) % 5
    assert torch.equal(bank.rows, torch.stack(slow)) and bank.place.item() == place


def test_the_nearest_by_loop():
    bank, asked = make(20), rows(6, seed=2)
    for row, found in zip(asked, bank.nearest(asked), strict=True):
        best = max(bank.rows, key=lambda one, row=row: float(one @ row))
        assert torch.equal(found, best)


def test_no_gradient_comes_out_of_it():
    asked = rows(3).requires_grad_()
    assert not make().nearest(asked).requires_grad


def test_a_loaded_bank_goes_on_where_the_other_was():
    bank, again = make(), Bank(5, E)
    bank.push(rows(3))
    again.load_state_dict(bank.state_dict())
    for one in (bank, again):
        one.push(rows(4, seed=1))
    assert torch.equal(bank.rows, again.rows) and torch.equal(bank.place, again.place)
