"""Who sees whom in the encoder-decoder, by changing one thing at a time and looking at what moves."""

from __future__ import annotations

import pytest
import torch

P, T = 4, 8
ALL = {"image_tokens", "text_tokens", "image_vector", "text_vector", "fused_tokens", "context", "decode"}


@pytest.fixture(scope="module")
def backbone(lively):
    return lively(ALL)


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


def moved(one, other):
    """Which positions of the first row differ."""
    return (~torch.isclose(one[0], other[0], atol=1e-5)).any(-1)


def same(one, other):
    return torch.allclose(one, other, atol=1e-5)


def with_token(tokens, at, word=7):
    other = tokens.clone()
    other[:, at] = torch.where(tokens[:, at] == word, word + 1, word)
    return other


def with_patch(images, at):
    """Another content in one of the four patches, which linear patches keep apart."""
    other = images.clone()
    row, column = divmod(at, 2)
    other[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] += torch.linspace(-3, 3, 64).view(8, 8)
    return other


def may_look(visible, q, k):
    """The definition of the three kinds: pictures first, then words."""
    return k <= q or visible == "all" or (visible == "causal-text" and q < P and k < P)


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
def test_who_sees_whom_in_a_context(backbone, images, tokens, visible):
    words = torch.ones(3, T, dtype=torch.bool)

    def memory(images, tokens):
        return backbone.context(backbone.see(images), backbone.read(tokens, words), visible).memory

    plain = memory(images, tokens)
    assert plain.shape == (3, P + T, 32)
    for k in range(P + T):
        changed = memory(with_patch(images, k), tokens) if k < P else memory(images, with_token(tokens, k - P))
        assert moved(plain, changed).tolist() == [may_look(visible, q, k) for q in range(P + T)]


@pytest.mark.parametrize("visible", ["all", "causal"])
def test_who_sees_whom_in_a_text_alone(backbone, tokens, visible):
    words = torch.ones(3, T, dtype=torch.bool)

    def memory(tokens):
        return backbone.context(None, backbone.read(tokens, words), visible).memory

    for k in range(T):
        expected = [visible == "all" or k <= q for q in range(T)]
        assert moved(memory(tokens), memory(with_token(tokens, k))).tolist() == expected


def test_the_first_place_sees_the_last_word_of_the_prefix(backbone, images, tokens, present):
    def memory(tokens):
        return backbone.context(backbone.see(images), backbone.read(tokens, present)).memory

    changed = memory(with_token(tokens, 4))  # the fifth word: the last that the second row has
    assert not same(memory(tokens)[1, 0], changed[1, 0])
    assert same(memory(tokens)[2, : P + 1], changed[2, : P + 1])  # the third row has one word


def test_padded_places_of_the_prefix_change_nothing(backbone, images, tokens, present):
    said = backbone.read(tokens[:, :4], present[:, :4])
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    shorter = tokens.new_zeros(3, 5).where(~present[:, :5], tokens[:, :5])
    for image in (backbone.see(images), None):
        def features(tokens, present, image=image):
            return backbone.decode(backbone.context(image, backbone.read(tokens, present)), said)

        plain = features(tokens, present)
        assert same(plain, features(garbage, present))
        assert same(plain[1:], features(shorter, present[:, :5])[1:])  # fewer columns; the first row lost words


def test_a_prefix_of_nothing_beside_a_picture_changes_nothing(backbone, images, tokens):
    said, image = backbone.read(tokens[:, :4], torch.ones(3, 4, dtype=torch.bool)), backbone.see(images)
    alone = backbone.decode(backbone.context(image), said)
    nothing = backbone.read(tokens, torch.zeros(3, T, dtype=torch.bool))
    assert same(alone, backbone.decode(backbone.context(image, nothing), said))


@pytest.mark.parametrize("visible", ["all", "causal", "causal-text"])
def test_where_there_is_nothing_to_see_bos_stands_in_row_by_row(backbone, tokens, visible):
    bos, some = backbone.spec.vocabulary.bos, torch.arange(T) < torch.tensor([[0], [3], [0]])
    said = backbone.read(tokens[:, :4], torch.ones(3, 4, dtype=torch.bool))

    def features(tokens, present):
        return backbone.decode(backbone.context(None, backbone.read(tokens, present), visible), said)

    found = features(tokens, some)
    assert torch.isfinite(found).all()
    assert same(found[1:2], features(tokens, torch.arange(T) < 3 * torch.ones(3, 1))[1:2])  # words: as they were
    only_bos = features(torch.full((3, 1), bos), torch.ones(3, 1, dtype=torch.bool))
    assert same(found[[0, 2]], only_bos[[0, 2]])


def test_what_is_read_is_not_written_over(backbone, tokens):
    text = backbone.read(tokens, torch.zeros(3, T, dtype=torch.bool))
    before = tokens.clone()
    backbone.context(None, text)
    assert torch.equal(text.tokens, before)
    assert not text.mask.any()


def test_a_context_of_nothing_at_all_is_refused(backbone):
    with pytest.raises(ValueError, match="a picture, a prefix, or both"):
        backbone.context(None)


def test_another_word_for_visible_is_refused(backbone, images):
    with pytest.raises(ValueError, match="not 'some'"):
        backbone.context(backbone.see(images), None, "some")


def test_one_modality_alone_is_the_context_of_that_modality(backbone, images, tokens, present):
    image, text = backbone.see(images), backbone.read(tokens, present)
    assert same(backbone.image_tokens(image), backbone.context(image).memory)
    assert same(backbone.text_tokens(text), backbone.context(None, text).memory)
    assert same(backbone.context(image, None, "causal-text").memory, backbone.image_tokens(image))
    assert not same(backbone.context(image, None, "causal").memory, backbone.image_tokens(image))


def test_vectors_have_unit_length_and_ignore_padding(backbone, images, tokens, present):
    image, text = backbone.image_vector(backbone.see(images)), backbone.text_vector(backbone.read(tokens, present))
    for vectors in (image, text):
        assert vectors.shape == (3, backbone.spec.joint_width)
        assert same(vectors.norm(dim=-1), torch.ones(3))
        assert not same(vectors[0], vectors[1])
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    assert same(text, backbone.text_vector(backbone.read(garbage, present)))


def test_a_picture_depends_on_no_text_and_fused_tokens_do(backbone, images, tokens, present):
    image = backbone.see(images)
    before = backbone.image_tokens(image).clone()
    fused = backbone.fused_tokens(image, backbone.read(tokens, present))
    assert [part.shape for part in fused] == [(3, P, 32), (3, T, 32)]
    other = backbone.fused_tokens(image, backbone.read(with_token(tokens, 0), present))
    assert moved(fused[0], other[0]).all() and moved(fused[1], other[1]).all()
    blind = backbone.fused_tokens(backbone.see(with_patch(images, 3)), backbone.read(tokens, present))
    assert moved(fused[0], blind[0]).all() and moved(fused[1], blind[1]).all()
    assert torch.equal(backbone.image_tokens(backbone.see(images)), before)


def test_fused_tokens_are_the_memory_of_the_same_context(backbone, images, tokens, present):
    image, text = backbone.see(images), backbone.read(tokens, present)
    assert same(torch.cat(backbone.fused_tokens(image, text), 1), backbone.context(image, text).memory)


def test_rows_do_not_see_each_other(backbone, images, tokens, present):
    whole = backbone.context(backbone.see(images), backbone.read(tokens, present)).memory
    for b in range(3):
        row = backbone.context(backbone.see(images[b : b + 1]), backbone.read(tokens[b : b + 1], present[b : b + 1]))
        assert same(row.memory[0], whole[b])
