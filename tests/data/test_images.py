"""Pictures on the device: nothing changes without a crop, and a crop is what a slow loop says it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vlpbench.data.images import MEAN, STD, crop_boxes, prepare_images


@pytest.fixture
def pixels():
    return torch.from_numpy(np.random.default_rng(3).integers(0, 256, (5, 12, 12, 3), dtype=np.uint8))


def test_without_crop_each_pixel_is_only_normalised(pixels):
    mean, std = (0.48, 0.45, 0.41), (0.27, 0.26, 0.28)
    images = prepare_images(pixels, 12, None, None, mean, std)
    expected = (pixels.numpy() / 255 - np.array(mean)) / np.array(std)
    assert images.shape == (5, 3, 12, 12)
    assert images.dtype == torch.float32
    np.testing.assert_allclose(images.permute(0, 2, 3, 1).numpy(), expected, atol=1e-5)
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_range_of_the_usual_mean_and_std():
    ends = torch.tensor([0, 255], dtype=torch.uint8).reshape(2, 1, 1, 1).expand(2, 4, 4, 3)
    images = prepare_images(ends, 4)
    assert images[0].unique().tolist() == [-1.0]
    assert images[1].unique().tolist() == [1.0]
    assert MEAN == STD


def test_whole_picture_as_a_box_changes_nothing(pixels):
    whole = torch.tensor([[0.0, 0, 1, 1]]).expand(5, 4)
    torch.testing.assert_close(prepare_images(pixels, 12, whole), prepare_images(pixels, 12), atol=1e-4, rtol=0)


def test_flip_mirrors_the_chosen_alone(pixels):
    flip = torch.tensor([True, False, True, False, False])
    plain, images = prepare_images(pixels, 12), prepare_images(pixels, 12, None, flip)
    for row, mirrored in enumerate(flip):
        assert torch.equal(images[row], plain[row].flip(-1) if mirrored else plain[row])
    assert images.is_contiguous(memory_format=torch.channels_last)


def bilinear(picture, box):
    """One picture's box enlarged to the whole, pixel by pixel."""
    side = picture.shape[0]
    left, top, right, bottom = box
    out = np.zeros(picture.shape)
    for i in range(side):
        for j in range(side):
            y = np.clip((top + (i + 0.5) / side * (bottom - top)) * side - 0.5, 0, side - 1)
            x = np.clip((left + (j + 0.5) / side * (right - left)) * side - 0.5, 0, side - 1)
            y0, x0 = int(y), int(x)
            y1, x1 = min(y0 + 1, side - 1), min(x0 + 1, side - 1)
            v, u = y - y0, x - x0
            out[i, j] = (
                (1 - v) * ((1 - u) * picture[y0, x0] + u * picture[y0, x1])
                + v * ((1 - u) * picture[y1, x0] + u * picture[y1, x1])
            )
    return out


def test_crop_agrees_with_a_loop(pixels):
    boxes = crop_boxes(np.random.default_rng(4).random((5, 4)), 0.2)
    images = prepare_images(pixels, 12, torch.from_numpy(boxes), None, (0, 0, 0), (1, 1, 1))
    for row in range(5):
        expected = bilinear(pixels[row].numpy().astype(float), boxes[row].astype(float)) / 255
        np.testing.assert_allclose(images[row].permute(1, 2, 0).numpy(), expected, atol=1e-4)


def test_crop_of_a_quarter_shows_that_quarter():
    picture = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    picture[:, :4, 4:] = 255  # top right
    box = torch.tensor([[0.5, 0.0, 1.0, 0.5]])
    inner = prepare_images(picture, 8, box)[..., 1:-1, 1:-1]
    assert inner.min() == 1


def test_another_size_is_antialiased(pixels):
    stripes = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    stripes[:, :, ::2] = 255
    small = prepare_images(stripes, 8)
    assert small.shape == (1, 3, 8, 8)
    assert small.abs().max() < 0.1
    assert prepare_images(pixels, 24).shape == (5, 3, 24, 24)


def test_boxes_keep_their_area_and_stay_inside():
    uniforms = np.random.default_rng(5).random((4000, 4))
    boxes = crop_boxes(uniforms, 0.3).astype(float)
    assert boxes.min() >= 0
    assert boxes.max() <= 1 + 1e-6
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    np.testing.assert_allclose(width * height, 0.3 + 0.7 * uniforms[:, 0], atol=1e-5)
    assert (width / height).min() > 3 / 4 - 1e-4
    assert (width / height).max() < 4 / 3 + 1e-4
    assert abs(np.log(width / height).mean()) < 0.02
    assert boxes.dtype == np.float64
    assert crop_boxes(uniforms, 0.3).dtype == np.float32


def test_a_box_depends_on_its_own_numbers_alone():
    uniforms = np.random.default_rng(6).random((10, 4))
    assert np.array_equal(crop_boxes(uniforms, 0.5)[3:4], crop_boxes(uniforms[3:4], 0.5))


def test_extreme_draws():
    corners = np.array([[0.0] * 4, [1 - 1e-16] * 4, [0, 1 - 1e-16, 0, 1 - 1e-16]])
    for least in (0.01, 0.5, 1.0):
        boxes = crop_boxes(corners, least)
        assert np.isfinite(boxes).all()
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    np.testing.assert_allclose(crop_boxes(corners, 1.0), [[0, 0, 1, 1]] * 3, atol=1e-6)


@pytest.mark.parametrize("least", [0, -1, 1.5, float("nan")])
def test_share_must_be_a_share(least):
    with pytest.raises(ValueError, match="share"):
        crop_boxes(np.zeros((1, 4)), least)
