"""Thumbnails, codes and correlations against slow versions, and copies of a picture against another picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from vlpbench.data.decoding import squash
from vlpbench.data.perceptual import SIDE, alike, codes, correlation, thumbnails

S = 64


def scene(seed):
    """A picture like a photo: 200 x 160, coloured blots of all sizes on a slope."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:160, :200].astype(float)
    made = np.stack([x * rng.normal() + y * rng.normal() for _ in range(3)], -1) * 0.3
    for _ in range(40):
        cx, cy, wide = rng.uniform(0, 200), rng.uniform(0, 160), rng.uniform(6, 50)
        blot = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / wide**2)
        made += blot[..., None] * rng.normal(0, 60, 3)
    return Image.fromarray(np.clip(made + 120, 0, 255).astype(np.uint8))


def again(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


COPIES = {
    "encoded": lambda p: again(p, 60),
    "smaller": lambda p: p.resize((100, 80), Image.Resampling.BICUBIC),
    "cropped": lambda p: p.crop((3, 2, 197, 158)),
    "corner": lambda p: p.crop((6, 5, 200, 160)),
    "brighter": lambda p: p.point(lambda value: min(255, value + 30)),
    "darker": lambda p: p.point(lambda value: value * 3 // 4),
}


def pixels(*pictures):
    return np.stack([squash(picture, S) for picture in pictures])


def bits_apart(one, other):
    """Least number of bits between any code of one picture and any of the other."""
    return min((int(a) ^ int(b)).bit_count() for a in one for b in other)


@pytest.mark.parametrize("size", [8, 32, 40, 45])
def test_a_thumbnail_is_the_mean_of_its_area(size):
    rng = np.random.default_rng(size)
    given = rng.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    fine = np.repeat(np.repeat(given, SIDE, 1), SIDE, 2).astype(np.float64)  # each pixel as SIDE x SIDE parts
    slow = fine.reshape(2, SIDE, size, SIDE, size, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(thumbnails(given), slow, rtol=1e-5)


def test_codes_are_the_signs_of_low_frequencies():
    given = pixels(scene(1), scene(2))
    found, blank = codes(given)
    assert (found.shape, found.dtype, blank.tolist()) == ((2, 2), np.uint64, [False, False])
    for code, thumbnail in zip(found[:, 0].tolist(), thumbnails(given), strict=True):
        waves = dctn(np.tensordot([0.299, 0.587, 0.114], thumbnail, 1), norm="ortho")
        low = sorted((i + j, i * i + j * j, i, j) for i in range(10) for j in range(10))[1:65]
        values = np.array([waves[i, j] for *_, i, j in low])
        expected = np.packbits(values > np.median(values)).view(np.uint64)
        assert (code ^ int(expected[0])).bit_count() <= 2  # a value that rounding moves over the median
        assert code.bit_count() == 32


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_near_and_agree(how):
    originals = [scene(seed) for seed in range(4)]
    first, second = pixels(*originals), pixels(*(COPIES[how](picture) for picture in originals))
    apart = [bits_apart(a, b) for a, b in zip(codes(first)[0], codes(second)[0], strict=True)]
    assert max(apart) <= 11
    assert alike(thumbnails(first), thumbnails(second)).min() >= 0.95
    assert alike(thumbnails(second), thumbnails(first)).min() >= 0.95


def test_other_pictures_are_not():
    thumbs = thumbnails(pixels(*(scene(seed) for seed in range(8))))
    assert alike(thumbs[:4], thumbs[4:]).max() < 0.9


def test_trimming_makes_a_cropped_copy_fit():
    whole = scene(3)
    one, other = thumbnails(pixels(whole)), thumbnails(pixels(whole.crop((6, 5, 200, 160))))
    assert alike(one, other)[0] > correlation(one, other)[0] + 0.005
    assert alike(one, other)[0] == pytest.approx(alike(other, one)[0])


def test_correlation_is_numpys_and_many_are_as_one():
    rng = np.random.default_rng(4)
    one, other = rng.random((2, 70, 3, SIDE, SIDE), dtype=np.float32)
    other += one
    slow = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(correlation(one, other), slow, atol=1e-5)
    each = [alike(one[n : n + 1], other[n : n + 1])[0] for n in (0, 31, 32, 69)]
    np.testing.assert_allclose(alike(one, other)[[0, 31, 32, 69]], each, atol=1e-5)


def test_blank_pictures_are_told_and_agree_with_nothing():
    rng = np.random.default_rng(6)
    grey = np.full((1, S, S, 3), 128, np.uint8)
    faint = rng.integers(126, 131, (1, S, S, 3), dtype=np.uint8)
    given = np.concatenate([grey, faint, pixels(scene(5))])
    assert codes(given)[1].tolist() == [True, True, False]
    thumbs = thumbnails(given)
    assert alike(thumbs[[0, 0]], thumbs[[0, 2]]).tolist() == [0, 0]
    assert codes(given[:0])[0].shape == (0, 2)


def test_codes_do_not_depend_on_their_neighbours(monkeypatch):
    given = pixels(*(scene(seed) for seed in range(5)))
    together = codes(given)[0]
    monkeypatch.setattr("vlpbench.data.perceptual._BLOCK", 2 * S * S * 3)
    np.testing.assert_array_equal(codes(given)[0], together)
