"""What holds for every wiring that decodes: padding, rows, nothing to see, two readings, one picture for all texts."""

from __future__ import annotations

import pytest
import torch

T, S, BOS = 8, 5, 1
READINGS = ["all", "causal", "causal-text"]


@pytest.fixture(autouse=True)
def _no_gradient():
    with torch.no_grad():
        yield


@pytest.fixture
def said():
    """A sentence for each of three rows, BOS first."""
    words = torch.randint(7, 40, (3, S), generator=torch.Generator().manual_seed(4))
    words[:, 0] = BOS
    return words


@pytest.fixture
def ask(writer, said):
    """Features of what is said behind a picture (or None) and a prefix (tokens and where they are, or None)."""

    def features(images, prefix, visible="all", words=said):
        image = None if images is None else writer.see(images)
        context = writer.context(image, None if prefix is None else writer.read(*prefix), visible)
        assert len(context.memory) == len(words)
        return writer.decode(context, writer.read(words, torch.ones_like(words, dtype=torch.bool)))

    return features


@pytest.fixture(params=READINGS)
def visible(request, writer):
    """Each reading that the wiring has for a picture and words."""
    if request.param != "all" and getattr(writer, "two_way", False):
        pytest.skip("image tokens look at words in this wiring")
    return request.param


def same(one, other):
    return torch.allclose(one, other, atol=1e-4)


def with_token(tokens, at, word=7):
    other = tokens.clone()
    other[:, at] = torch.where(tokens[:, at] == word, word + 1, word)
    return other


def test_padded_places_of_the_prefix_change_nothing(ask, images, tokens, present, visible):
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    for pictures in (images, None):
        plain = ask(pictures, (tokens, present), visible)
        assert torch.isfinite(plain).all()
        assert same(plain, ask(pictures, (garbage, present), visible))
        assert same(plain[1:], ask(pictures, (garbage[:, :5], present[:, :5]), visible)[1:])  # fewer columns


def test_later_words_change_nothing_before_them(ask, images, tokens, present, said, visible):
    plain = ask(images, (tokens, present), visible)
    for at in range(1, S):
        changed = ask(images, (tokens, present), visible, with_token(said, at))
        assert same(plain[:, :at], changed[:, :at])
        assert not torch.isclose(plain[:, at:], changed[:, at:], atol=1e-4).all(-1).any()


def test_all_words_of_the_prefix_and_the_picture_matter(ask, images, tokens, visible):
    whole = torch.ones(3, T, dtype=torch.bool)
    plain = ask(images, (tokens, whole), visible)
    for at in range(T):
        assert not torch.isclose(plain, ask(images, (with_token(tokens, at), whole), visible), atol=1e-4).all(-1).any()
    assert not torch.isclose(plain, ask(images.flip(0), (tokens, whole), visible), atol=1e-4)[[0, 2]].all(-1).any()


def test_a_prefix_of_nothing_beside_a_picture_changes_nothing(ask, images, tokens, visible):
    some = torch.arange(T) < torch.tensor([[0], [3], [0]])
    found, alone = ask(images, (tokens, some), visible), ask(images, None, visible)
    assert same(found[[0, 2]], alone[[0, 2]])
    assert not same(found[1], alone[1])


@pytest.mark.parametrize("how", READINGS)
def test_rows_without_anything_to_see_are_as_each_other(ask, tokens, said, how):
    some = torch.arange(T) < torch.tensor([[0], [3], [0]])
    found = ask(None, (tokens, some), how)
    assert torch.isfinite(found).all()
    assert same(found[1:2], ask(None, (tokens, torch.arange(T) < 3 * torch.ones(3, 1)), how)[1:2])
    again = ask(None, (tokens.flip(0)[:, :1], some.flip(0)[:, :1]), how)  # other words absent, fewer columns
    assert same(found[[0, 2]], again[[0, 2]])


def test_two_readings_of_the_picture(writer, ask, images):
    """With `causal` the first image token is blind to the others; with `causal-text` the picture is as ever."""
    plain, raster, text = (ask(images, None, how) for how in READINGS)
    assert same(plain, text)
    assert not same(plain, raster)
    spot = images.clone()
    spot[:, :, 8:, 8:] += torch.linspace(-3, 3, 64).view(8, 8)
    raster, changed = (writer.context(writer.see(one), None, "causal").memory for one in (images, spot))
    assert same(raster[:, :3], changed[:, :3])
    assert not same(raster[:, 3], changed[:, 3])


def test_two_readings_of_a_prefix(writer, images, tokens):
    """No memory of a word, nor of the picture, moves when a later word does."""
    whole = torch.ones(3, T, dtype=torch.bool)

    def memory(tokens, image, how):
        return writer.context(image, writer.read(tokens, whole), how).memory[:, -T:]

    for image in (writer.see(images), None):
        if image is not None and getattr(writer, "two_way", False):
            with pytest.raises(ValueError, match="set it to false"):
                memory(tokens, image, "causal")
            continue
        for how in ("causal", "causal-text"):
            plain, changed = memory(tokens, image, how), memory(with_token(tokens, 4), image, how)
            assert same(plain[:, :4], changed[:, :4])
            assert not torch.isclose(plain[:, 4:], changed[:, 4:], atol=1e-4).all(-1).any()
            assert same(*(writer.context(image, writer.read(one, whole), how).memory[:, :-T] for one in
                          (tokens, with_token(tokens, 4))))


def test_one_picture_serves_each_of_its_texts(writer, images, tokens, present, said):
    """Encoded once and picked is as encoded again with each text."""
    image, index = writer.see(images), torch.tensor([1, 1, 2])
    words = writer.read(said, torch.ones_like(said, dtype=torch.bool))
    prefix = writer.read(tokens, present)
    for given in (None, prefix):
        writer.context(image)  # made before it is picked
        once = writer.decode(writer.context(image.rows(index), given), words)
        assert same(once, writer.decode(writer.context(writer.see(images[index]), given), words))
        context = writer.context(image, given)
        assert same(writer.decode(context.rows(index), words.rows(index)), writer.decode(context, words)[index])


def test_fused_tokens_of_picked_rows(writer, images, tokens, present):
    image, text = writer.see(images), writer.read(tokens, present)
    pictures, words = torch.tensor([1, 0, 2, 2]), torch.tensor([0, 0, 1, 2])
    writer.fused_tokens(image, text)
    found = writer.fused_tokens(image.rows(pictures), text.rows(words))
    fresh = writer.fused_tokens(writer.see(images[pictures]), writer.read(tokens[words], present[words]))
    assert all(same(one, other) for one, other in zip(found, fresh, strict=True))


def test_fused_words_see_the_picture_and_ignore_padding(writer, images, tokens, present):
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    plain = writer.fused_tokens(writer.see(images), writer.read(tokens, present))
    assert [part.shape for part in plain] == [(3, 4, 32), (3, T, 32)]
    other = writer.fused_tokens(writer.see(images), writer.read(garbage, present))
    assert same(plain[0], other[0])
    assert same(plain[1][present], other[1][present])
    blind = writer.fused_tokens(writer.see(images.flip(0)), writer.read(tokens, present))
    assert not torch.isclose(plain[1], blind[1], atol=1e-4)[[0, 2]].all(-1).any()


def test_vectors_ignore_padding_and_have_unit_length(writer, images, tokens, present):
    garbage = torch.where(present, tokens, torch.randint_like(tokens, 7, 40))
    plain, other = (writer.text_vector(writer.read(one, present)) for one in (tokens, garbage))
    assert same(plain, other)
    assert same(plain[1:], writer.text_vector(writer.read(tokens[1:, :5], present[1:, :5])))
    for vectors in (plain, writer.image_vector(writer.see(images))):
        assert same(vectors.norm(dim=-1), torch.ones(3))
        assert not same(vectors[0], vectors[1])


def test_other_words_for_visible_and_nothing_at_all_are_refused(writer, images):
    with pytest.raises(ValueError, match="not 'some'"):
        writer.context(writer.see(images), None, "some")
    with pytest.raises(ValueError, match="a picture, a prefix, or both"):
        writer.context(None)
