"""Decoding: nobody sees the word it is to say; candidates, beams and cached steps agree with the plain way."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

S, BOS = 5, 1


@pytest.fixture(scope="module")
def backbone(writer):
    return writer


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


@pytest.fixture
def context(backbone, images, tokens, present):
    return backbone.context(backbone.see(images), backbone.read(tokens, present))


@pytest.fixture
def candidates():
    """Four sentences for each of three rows, BOS first."""
    words = torch.randint(7, 40, (3, 4, S), generator=torch.Generator().manual_seed(4))
    words[..., 0] = BOS
    return words


def decoded(backbone, context, words):
    return backbone.logits(backbone.decode(context, backbone.read(words, torch.ones_like(words, dtype=torch.bool))))


def same(one, other):
    return torch.allclose(one, other, atol=1e-4)


def test_no_word_sees_what_comes_after_it(backbone, context, candidates):
    plain, words = decoded(backbone, context, candidates[:, 0]), candidates[:, 0]
    for at in range(1, S):
        other = words.clone()
        other[:, at] = torch.where(words[:, at] == 7, 8, 7)
        changed = decoded(backbone, context, other)
        assert same(plain[:, :at], changed[:, :at])
        assert not torch.isclose(plain[:, at:], changed[:, at:], atol=1e-4).all(-1).any()


def test_the_future_does_not_leak_through_the_encoder_either(backbone, images, tokens):
    """Prefix of three words, the rest to be said: a changed target moves only what is said after it."""
    k = 3
    known = torch.arange(8) < torch.full((3, 1), k)

    def losses(tokens):
        context = backbone.context(backbone.see(images), backbone.read(tokens, known))
        inputs = torch.cat([torch.full((3, 1), BOS), tokens[:, k:-1]], 1)
        return decoded(backbone, context, inputs)

    plain = losses(tokens)
    for at in range(k, 8):
        other = tokens.clone()
        other[:, at] = torch.where(tokens[:, at] == 7, 8, 7)
        changed = losses(other)
        assert same(plain[:, : at - k + 1], changed[:, : at - k + 1])
        assert at == 7 or not same(plain[:, at - k + 1 :], changed[:, at - k + 1 :])


def test_what_is_said_depends_on_picture_and_prefix(backbone, images, tokens, present, candidates):
    def logits(images, tokens):
        context = backbone.context(backbone.see(images), backbone.read(tokens, present))
        return decoded(backbone, context, candidates[:, 0])

    assert not same(logits(images, tokens), logits(images.flip(0), tokens))
    assert not same(logits(images, tokens), logits(images, tokens.flip(0)))


def test_candidates_are_as_one_by_one(backbone, context, candidates):
    together = decoded(backbone, context, candidates)
    assert together.shape == (3, 4, S, 40)
    for c in range(4):
        assert same(together[:, c], decoded(backbone, context, candidates[:, c]))
    assert same(decoded(backbone, context, candidates[:, :1])[:, 0], together[:, 0])


def test_positions_restart_in_the_decoder(lively, images, tokens, present, candidates):
    """Five words take the first five places, however long the prefix is."""
    backbone = lively({"context", "decode"})
    context = backbone.context(backbone.see(images), backbone.read(tokens, present))
    plain = decoded(backbone, context, candidates)
    backbone.text_positions.weight[S:] += torch.randn(8 - S, 32)
    assert torch.equal(decoded(backbone, context, candidates), plain)
    backbone.text_positions.weight[S - 1] += torch.randn(32)
    changed = decoded(backbone, context, candidates)
    assert torch.equal(changed[..., : S - 1, :], plain[..., : S - 1, :])
    assert not same(changed[..., S - 1, :], plain[..., S - 1, :])


def test_token_losses_are_cross_entropy_of_the_logits(backbone, context, candidates):
    features = backbone.decode(context, backbone.read(candidates, torch.ones_like(candidates, dtype=torch.bool)))
    targets = candidates.roll(-1, 2)
    plain = cross_entropy(backbone.logits(features).flatten(0, 2), targets.flatten(), reduction="none")
    assert same(backbone.token_losses(features, targets), plain.view(3, 4, S))


def test_step_by_step_is_as_all_at_once(backbone, context, candidates):
    state = backbone.begin(context, 4, S)
    steps = [backbone.step(state, candidates[..., at]) for at in range(S)]
    assert same(torch.stack(steps, 2), decoded(backbone, context, candidates))


def test_steps_from_a_text_alone(backbone, tokens, present, candidates):
    context = backbone.context(None, backbone.read(tokens, present))
    state = backbone.begin(context, 4, S)
    steps = [backbone.step(state, candidates[..., at]) for at in range(S)]
    assert same(torch.stack(steps, 2), decoded(backbone, context, candidates))


@pytest.mark.parametrize("when", [0, 1, 3])
def test_select_goes_on_from_the_beams_chosen(backbone, context, candidates, when):
    rows, beams = torch.tensor([2, 0]), torch.tensor([[3, 3, 0], [1, 2, 1]])
    state = backbone.begin(context, 4, S)
    for at in range(when):
        backbone.step(state, candidates[..., at])
    state = state.select(rows, beams)
    words = candidates[rows[:, None], beams].clone()
    words[:, :, when:] = candidates[rows, :3, when:].flip(1)  # another way from here
    words[..., 0] = BOS
    steps = [backbone.step(state, words[..., at]) for at in range(when, S)]
    assert same(torch.stack(steps, 2), decoded(backbone, context.rows(rows), words)[:, :, when:])


def test_select_twice_and_in_the_same_order(backbone, context, candidates):
    state, everyone = backbone.begin(context, 4, S), torch.arange(3)
    backbone.step(state, candidates[..., 0])
    backbone.step(state, candidates[..., 1])
    turned = torch.tensor([[1, 0, 3, 2]] * 3)
    back = state.select(everyone, turned).select(everyone, turned)
    assert same(backbone.step(back, candidates[..., 2]), decoded(backbone, context, candidates)[:, :, 2])


def test_a_selected_state_leaves_the_old_one_alone(backbone, context, candidates):
    state = backbone.begin(context, 4, S)
    backbone.step(state, candidates[..., 0])
    other = state.select(torch.arange(3), torch.zeros(3, 4, dtype=torch.long))
    backbone.step(other, candidates[..., 2])
    assert same(backbone.step(state, candidates[..., 1]), decoded(backbone, context, candidates)[:, :, 1])


def test_there_is_room_for_as_many_words_as_asked(backbone, context):
    state = backbone.begin(context, 1, 2)
    for _ in range(2):
        backbone.step(state, torch.full((3, 1), BOS))
    with pytest.raises(ValueError, match="made room for 2 words"):
        backbone.step(state, torch.full((3, 1), BOS))
    with pytest.raises(ValueError, match=r"9 (tokens|words to say).* 8"):
        decoded(backbone, context, torch.full((3, 9), BOS))


def test_rows_of_a_context_before_and_after_its_keys_are_made(backbone, context, candidates):
    index = torch.tensor([2, 0, 2, 1])
    fresh = decoded(backbone, context.rows(index), candidates[index])
    whole = decoded(backbone, context, candidates)
    assert set(context.keys) >= {"layer0", "layer1"}
    assert same(fresh, whole[index])
    assert same(decoded(backbone, context.rows(index), candidates[index]), whole[index])
