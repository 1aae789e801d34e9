"""Re-ranking by a matching head at its smallest: counted by hand, kept block by block, gone on with."""

from __future__ import annotations

import argparse
import json

import pytest


@pytest.fixture
def asked(tmp_path):
    """Options of the script."""
    return argparse.Namespace(
        device="cpu", size="nano", images=130, k=4, two_way=False, threads=1, clock="wall", blocks=1,
        json=tmp_path / "kept.json",
    )


def test_what_a_pair_takes(script, asked):
    """Of a fusion layer's products with weights and with each other; a nano picture has 16 tokens, width 96."""
    matching = script("matching")
    device = matching.Device("cpu")

    def counted(**changes):
        trial, _ = matching.made_up(argparse.Namespace(**{**vars(asked), **changes}), 8, device)
        return matching.account(trial.blueprint, trial.settings.image.size)

    one, two = counted(), counted(two_way=True)
    width, tokens, words = 96, 16, matching.WORDS
    keys = 2 * 2 * tokens * width * width
    own = 2 * words * width * (14 * width + 2 * words + 2 * tokens) + 2 * 2 * width
    assert one["seen"] == pytest.approx(keys / 1e9)
    assert one["pair"] == pytest.approx(own / 1e9, rel=1e-6)
    assert one["pair, nothing made once"] == pytest.approx((own + keys) / 1e9, rel=1e-6)
    assert two["seen"] == pytest.approx(0, abs=1e-9), "a picture that looks back is another with each text"
    assert two["pair"] == pytest.approx(two["pair, nothing made once"]) and two["pair"] > one["pair"]
    assert one["picture"] == two["picture"] > 0


def test_blocks_are_kept_and_gone_on_with(script, asked, monkeypatch):
    matching = script("matching")
    device, judged = matching.Device("cpu"), []
    scores = matching.block_scores

    def counting(states, judge, number, pairs):
        judged.append(number)
        return scores(states, judge, number, pairs)

    monkeypatch.setattr(matching, "block_scores", counting)
    seconds, pairs, pieces = matching.measured(asked, device)
    assert judged == [0] and seconds > 0 and 0 < pieces.done["0"]["pairs"] < pairs
    assert json.loads(asked.json.read_text())["blocks"] == pieces.done
    asked.blocks = 2
    _, again, pieces = matching.measured(asked, device)
    assert judged == [0, 1] and again == pairs == sum(one["pairs"] for one in pieces.done.values())
    asked.k = 5
    matching.measured(asked, device)
    assert judged == [0, 1, 0, 1], "other options, another result"
