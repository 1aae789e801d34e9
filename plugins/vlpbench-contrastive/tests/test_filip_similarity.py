"""Token-wise similarity: both directions by loop, in blocks and at once, blind to padding, the cosine of one token."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import normalize
from vlpbench_contrastive import token_similarity as module
from vlpbench_contrastive.token_similarity import kept_tokens, token_similarity, without_padding

B, M, P, T, E = 5, 4, 6, 7, 8
LENGTHS = (7, 1, 3, 5, 2)


def units(*shape, seed=0):
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def masks(lengths, width=T):
    return torch.arange(width) < torch.tensor(lengths)[:, None]


@pytest.fixture
def given():
    return units(B, P, E), units(M, T, E, seed=1), masks(LENGTHS[:M])


@pytest.fixture
def pairs():
    return units(B, P, E), units(B, T, E, seed=1), masks(LENGTHS)


def slow(image, text, mask):
    """From the definition: each token looks for its best partner, words beyond a text's length do not exist."""
    of_image, of_text = torch.zeros(len(image), len(text)), torch.zeros(len(image), len(text))
    for i in range(len(image)):
        for j in range(len(text)):
            words = [text[j, r] for r in range(text.shape[1]) if mask[j, r]]
            of_image[i, j] = sum(max(float(patch @ word) for word in words) for patch in image[i]) / len(image[i])
            of_text[i, j] = sum(max(float(patch @ word) for patch in image[i]) for word in words) / len(words)
    return of_image, of_text


def test_both_directions_by_loop(given):
    for found, expected in zip(token_similarity(*given), slow(*given), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)


def test_they_are_no_transposes_of_each_other(pairs):
    of_image, of_text = token_similarity(*pairs)
    assert (of_image - of_text).abs().max() > 0.1


@pytest.mark.parametrize("pictures", [1, 2, 3, 5])
def test_blocks_give_the_same_numbers_and_gradients(given, pictures):
    image, text, mask = given
    made = []
    for size in (B, pictures):
        x, y = image.clone().requires_grad_(), text.clone().requires_grad_()
        of_image, of_text = token_similarity(x, y, mask, size)
        (of_image * of_text.exp()).sum().backward()
        made.append((of_image, of_text, x.grad, y.grad))
    for whole, cut in zip(*made, strict=True):
        assert torch.allclose(whole, cut, atol=1e-6)


def test_no_more_similarities_exist_at_once_than_fit(given, monkeypatch):
    sizes, block = [], module._block
    monkeypatch.setattr(module, "FLOATS", 2 * P * M * T + 1)
    monkeypatch.setattr(module, "_block", lambda image, *rest: sizes.append(len(image)) or block(image, *rest))
    whole = token_similarity(*given)
    assert sizes == [2, 2, 1]
    monkeypatch.setattr(module, "FLOATS", 1)
    assert torch.allclose(token_similarity(*given)[0], whole[0], atol=1e-6) and sizes[3:] == [1] * B


def test_one_token_on_each_side_is_the_cosine():
    image, text = units(B, 1, E), units(M, 1, E, seed=1)
    for found in token_similarity(image, text, masks([1] * M, 1)):
        assert torch.allclose(found, image[:, 0] @ text[:, 0].T, atol=1e-6)


def test_padding_never_changes_a_score(given):
    image, text, mask = given
    base = token_similarity(image, text, mask)
    other = torch.where(mask[..., None], text, image[0, 0])  # padding that would be the best word of a picture
    longer = torch.cat([text, units(M, 3, E, seed=9)], 1)
    cut = [token_similarity(image, text[j : j + 1, :n], masks([n], n)) for j, n in enumerate(LENGTHS[:M])]
    for found, direction in ((token_similarity(image, other, mask), 0), (token_similarity(image, other, mask), 1)):
        assert torch.equal(found[direction], base[direction])
    for direction in (0, 1):
        found = token_similarity(image, longer, masks(LENGTHS[:M], T + 3))[direction]
        assert torch.allclose(found, base[direction], atol=1e-6)
        alone = torch.cat([one[direction] for one in cut], 1)
        assert torch.allclose(alone, base[direction], atol=1e-6)


def test_no_gradient_reaches_padding(given):
    image, text, mask = given
    text.requires_grad_()
    of_image, of_text = token_similarity(image, text, mask)
    (of_image + of_text).sum().backward()
    assert not text.grad[~mask].any() and text.grad[mask].any()
    assert torch.equal(without_padding(text, mask)[1], text[1, :1].expand(T, E))


def test_kept_tokens_suit_their_own_partner_best(pairs):
    image, text, mask = pairs
    some, said, real = kept_tokens(image, text, mask, 2)
    assert some.shape == (B, 2, E) and said.shape == (B, 2, E) and real.shape == (B, 2)
    for i, length in enumerate(LENGTHS):
        words = text[i, :length]
        patches = sorted(image[i], key=lambda one, words=words: -float((words @ one).mean()))[:2]
        best = sorted(words, key=lambda one, i=i: -float((image[i] @ one).mean()))[:2]
        assert torch.equal(torch.stack(patches), some[i])
        assert torch.equal(torch.stack(best), said[i, : len(best)]) and real[i].sum() == len(best)
