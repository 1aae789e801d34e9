"""Pictures of every mode come out as upright RGB; broken ones say why."""

from __future__ import annotations

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from vlpbench.data import decoding
from vlpbench.data.decoding import BadImage, decode, quiet, read_picture, squash
from vlpbench.data.errors import DataError


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def wrong(path) -> str:
    with pytest.raises(BadImage) as caught:
        decode(path, 8)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "ppm", "webp"])
def test_lossless_formats_keep_every_byte(tmp_path, noise, suffix):
    square = noise[:, :20]
    Image.fromarray(square).save(tmp_path / f"a.{suffix}", **({"lossless": True} if suffix == "webp" else {}))
    assert np.array_equal(decode(tmp_path / f"a.{suffix}", 20), square)


def test_name_does_not_decide_the_format(tmp_path, noise):
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.jpg")), noise)


def test_squash_is_antialiased_bicubic_over_the_whole_picture(noise):
    picture = Image.fromarray(noise)
    assert np.array_equal(squash(picture, 8), np.asarray(picture.resize((8, 8), Image.Resampling.BICUBIC)))
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    middle = squash(Image.fromarray(stripes), 8)[2:6, 2:6].astype(int)
    assert abs(middle - 127).max() <= 2  # an aliased filter would give black and white


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_thin_pictures(tmp_path, size):
    Image.new("RGB", size, (10, 20, 30)).save(tmp_path / "a.png")
    assert np.array_equal(decode(tmp_path / "a.png", 4), np.full((4, 4, 3), (10, 20, 30)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "RGBX"])
def test_other_modes(tmp_path, mode):
    source = Image.new("RGB", (6, 6), (255, 255, 255)).convert(mode)
    source.save(tmp_path / "a.tiff")
    assert abs(decode(tmp_path / "a.tiff", 6).astype(int) - 255).max() <= 1


def test_grey_has_three_equal_channels(tmp_path, noise):
    Image.fromarray(noise[:, :20, 0]).save(tmp_path / "a.png")
    assert np.array_equal(decode(tmp_path / "a.png", 20), np.repeat(noise[:, :20, :1], 3, axis=2))


def test_cmyk_jpeg(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert abs(decode(tmp_path / "a.jpg", 8).astype(int) - (255, 0, 0)).max() < 12


def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path):
    deep = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(deep).save(tmp_path / "a.png")
    assert np.array_equal(decode(tmp_path / "a.png", 8)[..., 0], np.rint(deep / 257).astype(np.uint8))


def test_transparency_is_laid_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    Image.new("RGBA", (4, 4), (255, 0, 0, 128)).save(tmp_path / "b.png")
    Image.new("P", (4, 4), 0).save(tmp_path / "c.png", transparency=0)
    assert decode(tmp_path / "a.png", 4).min() == 255
    assert abs(decode(tmp_path / "b.png", 4).astype(int) - (255, 127, 127)).max() <= 1
    assert decode(tmp_path / "c.png", 4).min() == 255


def test_first_picture_of_an_animation(tmp_path):
    first, second = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    assert np.array_equal(decode(tmp_path / "a.gif", 4)[0, 0], (255, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, noise, orientation):
    undo = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]  # Image.Transpose that stores it so
    upright = Image.fromarray(noise)
    stored = upright if undo is None else upright.transpose(Image.Transpose(undo))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.png")), noise)


def test_truncated(tmp_path, noise):
    Image.fromarray(noise).resize((200, 200)).save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in wrong(tmp_path / "a.jpg")
    Image.fromarray(noise).save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    assert "cannot be decoded" in wrong(tmp_path / "a.png")


def test_no_pictures(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_text("<html>404</html>")
    (tmp_path / "c.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    assert wrong(tmp_path / "a.jpg") == "is empty"
    assert wrong(tmp_path / "b.jpg") == "is not a picture in a known format"
    assert wrong(tmp_path / "c.jpg") == "is not a picture in a known format"


def bomb(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 99))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [10_000, 60_000])
def test_bombs_are_refused_before_they_are_unpacked(tmp_path, side):
    (tmp_path / "a.png").write_bytes(bomb(side, side))
    with quiet():
        assert "claims" in wrong(tmp_path / "a.png")


def test_zero_sides(tmp_path):
    (tmp_path / "a.png").write_bytes(bomb(0, 5))
    assert wrong(tmp_path / "a.png")


def test_floating_point_is_refused(tmp_path):
    Image.new("F", (4, 4), 0.5).save(tmp_path / "a.tiff")
    assert "floating-point" in wrong(tmp_path / "a.tiff")


def test_a_fault_of_the_machine_is_not_the_pictures(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        decode(tmp_path / "gone.png", 8)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        decode(tmp_path / "folder", 8)


def test_quiet_silences_pillow_alone():
    with pytest.warns(UserWarning, match="ours"), quiet():  # noqa: PT031
        warnings.warn_explicit("theirs", UserWarning, "x.py", 1, module="PIL.TiffImagePlugin")
        warnings.warn("ours", stacklevel=1)
    assert decoding.MOST_PIXELS == Image.MAX_IMAGE_PIXELS
