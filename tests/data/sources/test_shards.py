"""Tars of samples as a data set: the same content as other readers find, an order that reads few tars at a time."""

from __future__ import annotations

import gc
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from vlpbench.config.settings import ImageSettings, Portion, TextNoise, TextSettings
from vlpbench.contract.dataset import BadSample
from vlpbench.data.check import check
from vlpbench.data.decoding import decode
from vlpbench.data.errors import DataError, TestSplitRefused
from vlpbench.data.examples import caption_examples
from vlpbench.data.loader import Loader
from vlpbench.data.mixture import mixed
from vlpbench.data.overlap import overlap, shown
from vlpbench.data.shared_files import refuse_shared_files
from vlpbench.data.sources.shards import Shards, ShardsConfig
from vlpbench.data.splits import open_split
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.data.undecoded import Undecoded
from vlpbench.data.weakened import weakened
from vlpbench.testing import check_dataset

EACH = (7, 3, 9, 5, 8, 6)
"""Samples of each tar of the training split."""
ALL = {"train": "a-{000..005}.tar", "val": "val.tar", "test": "t*.tar"}


@pytest.fixture
def shards(root, cache, tar):
    rng = np.random.default_rng(0)

    def members(name, many):
        for at in range(many):
            held = io.BytesIO()
            pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(held, ("JPEG", "PNG", "WEBP")[at % 3])
            yield f"{at:04}.{('jpg', 'png', 'webp')[at % 3]}", held.getvalue()
            yield f"{at:04}.txt", f"picture {at} of {name}\n"
            yield f"{at:04}.json", f'{{"kind": "k{at % 2}", "more": ["also {at}"], "width": 30}}'

    for number, many in enumerate(EACH):
        tar(f"a-{number:03}.tar", members(f"a{number}", many), (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)[number % 2])
    tar("val.tar", members("val", 4))
    tar("t0.tar", members("test", 5))

    def build(**settings):
        return Shards(ShardsConfig("set", **{"shards": ALL, **settings}), root, cache)

    return build


def opened(dataset, name="train", on_bad="error", size=16):
    return open_split(dataset, name, purpose="evaluate", size=size, on_bad=on_bad)


def test_samples_tar_by_tar(shards):
    found = list(shards().read("train"))
    assert [sample.image for sample in found[:2]] == ["a-000.tar/0000.jpg", "a-000.tar/0001.png"]
    assert found[7].captions == ("picture 0 of a1",)
    assert len(found) == sum(EACH) == len({sample.id for sample in found})
    assert [sample.captions for sample in shards().read("test")] == [(f"picture {at} of test",) for at in range(5)]
    assert len(list(shards(limit=9).read("train"))) == 9
    assert shards().splits() == ("train", "val", "test")


def test_captions_and_classes_of_the_json_file(shards):
    sample = next(shards(captions="more", label="kind").read("train"))
    assert sample.captions == ("picture 0 of a0", "also 0")
    assert sample.fields == {"label": "k0"}


def test_content_is_what_tarfile_reads(shards, root):
    dataset = shards()
    expected = {}
    for number in range(len(EACH)):
        with tarfile.open(root / "set" / f"a-{number:03}.tar") as file:
            for one in file:
                expected[f"a-{number:03}.tar/{one.name}"] = file.extractfile(one).read()
    for sample in dataset.read("train"):
        assert dataset.archive.read(sample.image) == expected[sample.image]
        assert sample.captions[0] == expected[sample.image.rpartition(".")[0] + ".txt"].decode().strip()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_content_is_what_webdataset_reads(shards, root):
    webdataset = pytest.importorskip("webdataset", exc_type=ImportError)
    theirs = list(webdataset.WebDataset(str(root / "set" / "a-{000..005}.tar"), shardshuffle=False))
    gc.collect()  # it leaves its files to be closed by nobody
    dataset = shards()
    ours = list(dataset.read("train"))
    assert len(ours) == len(theirs)
    for mine, one in zip(ours, theirs, strict=True):
        ending = mine.image.rpartition(".")[2]
        assert mine.image.rpartition(".")[0].endswith("/" + one["__key__"])
        assert dataset.archive.read(mine.image) == one[ending]
        assert mine.captions == (one["txt"].decode().strip(),)


def test_pictures_are_those_of_files_and_nothing_is_stored(shards, root, cache, tmp_path):
    split = opened(shards())
    assert isinstance(split.pixels, Undecoded)
    for row, sample in enumerate(split.samples):
        path = tmp_path / sample.image.replace("/", "-")
        path.write_bytes(shards().archive.read(sample.image))
        assert np.array_equal(split.pixels[row], decode(path, 16))
    assert not (cache / "images").exists()
    assert sorted(one.name for one in (root / "set").iterdir() if one.name != "images") == sorted(
        [*(f"a-{number:03}.tar" for number in range(6)), "val.tar", "t0.tar"])


def test_a_store_where_one_is_wanted(shards, monkeypatch):
    without = opened(shards())
    monkeypatch.setenv("VLPBENCH_STORE", "always")
    held = opened(shards())
    assert isinstance(held.pixels, np.memmap)
    assert np.array_equal(held.pixels, without.pixels[:])
    assert held.lying.runs(range(38)) == without.lying.runs(range(38))  # the order does not depend on it


def loader(examples, seed=0, batch=4, steps=40, workers=0):
    return Loader(examples, [], TOKENIZER.vocabulary, ImageSettings(16), seed, batch, steps, workers=workers)


TOKENIZER = Tokenizer.train([f"picture {at} of a{at} also" for at in range(10)], TextSettings(vocabulary=330))


def examples(dataset):
    return caption_examples(opened(dataset), TOKENIZER, 20)


def tars(dataset, chosen):
    return [opened(dataset).lying.parts[row] for row in chosen]


def test_training_reads_few_tars_at_a_time_and_every_sample_once(shards):
    dataset = shards(window=2)
    order = np.concatenate([loader(examples(dataset))._chosen(step) for step in range(38)])
    parts = opened(dataset).lying.parts
    for epoch in order.reshape(4, 38):
        assert sorted(epoch) == list(range(38))
        seen = parts[epoch]
        spans = [np.flatnonzero(seen == part)[[0, -1]] for part in range(6)]
        assert max(sum(first <= at <= last for first, last in spans) for at in range(38)) <= 2
    assert not np.array_equal(parts[order[:38]], parts[order[38:76]])
    wide = np.concatenate([loader(examples(shards(window=0)))._chosen(step) for step in range(9)])
    assert len(set(parts[wide[:12]])) > 3


def test_a_batch_is_a_function_of_seed_and_step(shards):
    dataset = shards(window=2)
    steps = [loader(examples(dataset), workers=workers) for workers in (0, 2)]
    whole, ahead = list(steps[0]), list(steps[1].from_step(7))
    for one, other in zip(whole[7:], ahead, strict=True):
        assert np.array_equal(one.pixels, other.pixels)
    assert np.array_equal(steps[0].host(23).pixels, whole[23].pixels)
    assert not np.array_equal(loader(examples(dataset), seed=1).host(0).pixels, whole[0].pixels)


def test_share_noise_and_mixtures(shards):
    spoilt = weakened(shards(window=2), Portion(share=0.5, text_noise=TextNoise(swapped=0.5, boilerplate=0.2)))
    part = examples(spoilt)
    assert sum(part.runs.lengths) == len(part) == 19
    both = mixed([part, examples(shards())], [1, 2])
    drawn = loader(both, batch=6, steps=19)
    chosen = np.concatenate([drawn._chosen(step) for step in range(19)])
    assert sorted(chosen[chosen < 19]) == sorted([*range(19)] * 2)
    assert drawn.host(3).pixels.shape == (6, 16, 16, 3)


def test_fingerprint_is_of_names_contents_and_settings(shards, tar, root, jpeg):
    first = shards().fingerprint()
    assert shards().fingerprint() == first
    others = [shards(window=3), shards(captions="more"), shards(label="kind"), shards(limit=3),
              shards(shards={**ALL, "val": "t0.tar"})]
    assert len({first, *(one.fingerprint() for one in others)}) == 6
    tar("val.tar", [("1.jpg", jpeg()), ("1.txt", "another")])
    assert shards().fingerprint() != first


def test_prepare_looks_through_each_tar_once(shards):
    heard = []
    shards().prepare(lambda done, of: heard.append((done, of)))
    assert heard == [(at, 8) for at in range(1, 9)]


def test_a_long_first_look_is_shown_on_a_terminal(shards, monkeypatch, capsys):
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr("vlpbench.data.sources.shards.time.monotonic", lambda: next(clock))
    shards().fingerprint()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    shards().fingerprint()
    assert capsys.readouterr().err.endswith("\rlooking through tars: 8/8\n")


def test_broken_pictures(shards, tar, jpeg):
    tar("val.tar", [("1.jpg", jpeg()[:200]), ("1.txt", "cut"), ("2.jpg", jpeg()), ("2.txt", "whole"), ("3.jpg", jpeg()),
                    ("4.pyd", "x")])
    dataset = shards()
    with pytest.raises(DataError, match=r"2 broken samples:\s+val.tar: 3: has no caption"):
        opened(dataset, "val")
    split = opened(dataset, "val", "skip")
    assert [sample.captions for sample in split.samples] == [("whole",)]
    assert [problem.where for problem in split.problems] == ["val.tar: 3", "val.tar: 4.pyd", "image val.tar/1.jpg"]
    tar("val.tar", [("1.jpg", jpeg()[:200]), ("1.txt", "cut")])
    late = opened(shards(), "val")
    with pytest.raises(DataError, match=r"image val.tar/1.jpg: cannot be decoded"):
        late.pixels[[0]]


def test_check_finds_everything(shards, tar, jpeg):
    assert check(shards()).problems == 0
    tar("val.tar", [("1.jpg", b"no picture"), ("1.txt", "broken"), ("2.jpg", jpeg()), ("2.txt", "a")])
    tar("t0.tar", [("9.jpg", jpeg()), ("9.txt", "b")])
    report = check(shards())
    said = "\n".join(report.lines())
    assert "image val.tar/1.jpg: is not a picture in a known format" in said
    assert "val and test share 1 pictures under different names: val.tar/2.jpg = t0.tar/9.jpg" in said
    (harm := shards().folder / "val.tar").write_bytes(harm.read_bytes()[:1400])
    assert "val.tar is cut short: it ends at byte 1400" in "\n".join(check(shards()).lines())


def test_overlap_of_tars(shards, root, tar):
    tar("t0.tar", [("9.jpg", shards().archive.read("a-002.tar/0000.jpg")), ("9.txt", "b")])
    dataset = shards()
    found = overlap([shown("x", dataset, opened(dataset))], [shown("x", dataset, opened(dataset, "test"))])
    assert (found.exact, found.near, found.of) == (1, 0, 1)
    assert found.first == (("x: t0.tar/9.jpg", "x: a-002.tar/0000.jpg"),)


def test_the_kit_has_nothing_to_say(shards):
    found = {one.check: one for one in check_dataset(shards(label="kind"))}
    assert [str(one) for one in found.values() if one.state == "failed"] == []
    passed = {name for name, one in found.items() if one.state == "passed"}
    assert passed >= {"pictures", "order", "fingerprint", "splits-apart", "smoke-grid"}


def test_a_test_tar_is_no_training_tar(shards):
    dataset = shards(shards={"train": "a-000.tar", "test": "a-00[01].tar"})
    with pytest.raises(TestSplitRefused, match=r"a-000\.tar"):
        refuse_shared_files({"x": dataset}, {"x": dataset})


@pytest.mark.parametrize(("settings", "said"), [
    ({"shards": {}}, "no shards files are named"),
    ({"shards": {"tran": "a.tar"}}, "'tran' is not the name of a split"),
    ({"shards": {"train": "/etc/a.tar"}}, "is not a name below"),
    ({"shards": {"train": "../a.tar"}}, "is not a name below"),
    ({"shards": {"train": "b-{00..01}.tar"}}, "'b-00.tar' does not exist"),
    ({"shards": {"train": "b*.tar"}}, "no file is called"),
    ({"window": -1}, "-1 tars cannot be read at a time"),
])
def test_settings_that_name_nothing(shards, settings, said):
    with pytest.raises(DataError, match=said):
        list(shards(**settings).read("train"))


def test_nothing_is_opened_by_the_constructor(tmp_path):
    made = Shards(ShardsConfig("gone", {"train": "a.tar"}), tmp_path / "root", tmp_path / "cache")
    assert made.describe()["kind"] == "shards"
    assert list(tmp_path.iterdir()) == []


def test_links_of_the_folder_are_the_users_own(shards, root, tmp_path):
    (root / "linked").symlink_to(root / "set")
    dataset = Shards(ShardsConfig("linked", ALL), root, tmp_path / "cache")
    assert dataset.fingerprint() == shards().fingerprint()
    assert not any(isinstance(one, BadSample) for one in dataset.read("train"))
