"""The seal: within it no data set gives its test split, whichever class reads it, in whichever thread."""

from __future__ import annotations

import inspect
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vlpbench.contract.data_errors import DataError, TestSplitRefused
from vlpbench.contract.dataset import Dataset
from vlpbench.contract.sealed import seal_reading, sealed, sealed_for
from vlpbench.types import Sample


class Three(Dataset):
    """A set of one sample a split, read by a plain function."""

    name = "three"
    drawn: int = 0

    @property
    def images(self):
        return self.root

    def splits(self):
        return ("train", "val", "test")

    def read(self, split):
        """Its docstring."""
        return iter([Sample(1, captions=(split,)), Sample(2, captions=(split,))])

    def fingerprint(self):
        return "three"


class Lazy(Three):
    """Overrides read by a generator, with another name for the split."""

    def read(self, which):
        for sample in super().read(which):
            self.drawn += 1
            yield sample


class Fixed(Three):
    """Does not look at the split it is asked for, and needs no instance for it."""

    @staticmethod
    def read(split):
        return [Sample(1, captions=(split,))]


class Apart:
    """Not a data set: a method to be mixed in."""

    def read(self, split):
        yield Sample(9, captions=(split,))


class Mixed(Apart, Three):
    """Has its read from a class outside of the contract."""


class Around(Three):
    """Reads another set behind the house's back, under any name of a split."""

    def read(self, split):
        yield from Three(None, self.root, self.cache).read("test")


CLASSES = [Three, Lazy, Fixed, Mixed]


def made(kind=Three):
    return kind(None, Path("root"), Path("cache"))


@pytest.mark.parametrize("kind", CLASSES)
def test_refused_within_and_read_before_and_after(kind):
    dataset = made(kind)
    before = [sample.captions for sample in dataset.read("test")]
    with sealed("pretraining"):
        with pytest.raises(TestSplitRefused, match="pretraining may not read the test split") as caught:
            dataset.read("test")
        assert [sample.captions for sample in dataset.read("train")] == [("train",)] * len(before)
        assert [sample.captions for sample in dataset.read("val")] == [("val",)] * len(before)
    assert [sample.captions for sample in dataset.read("test")] == before == [("test",)] * len(before)
    assert "three" in caught.value.place
    assert caught.value.remedy
    assert isinstance(caught.value, DataError)


@pytest.mark.parametrize("named", [{"split": "test"}, {"which": "test"}])
def test_refused_by_keyword(named):
    dataset = made(Lazy if "which" in named else Three)
    with sealed("tuning"), pytest.raises(TestSplitRefused):
        dataset.read(**named)
    assert len(list(dataset.read(**named))) == 2


def test_a_set_that_reads_another_is_refused():
    dataset = made(Around)
    with sealed("fine-tuning"), pytest.raises(TestSplitRefused):
        list(dataset.read("train"))
    assert len(list(dataset.read("train"))) == 2


@pytest.mark.parametrize("kind", CLASSES[:2])
def test_what_was_opened_before_is_not_read_on(kind):
    given = made(kind).read("test")
    assert next(given).id == 1
    with sealed("the tokenizer"), pytest.raises(TestSplitRefused, match="the tokenizer"):
        next(given)


def test_threads_are_covered_whoever_sealed():
    dataset = made(Lazy)
    with ThreadPoolExecutor(1) as pool:
        with sealed("pretraining"):
            asked = pool.submit(lambda: list(dataset.read("test")))
            assert isinstance(asked.exception(timeout=10), TestSplitRefused)
        assert len(pool.submit(lambda: list(dataset.read("test"))).result(timeout=10)) == 2
    assert dataset.drawn == 2


def test_a_seal_of_another_thread_holds_here():
    entered, leave = threading.Event(), threading.Event()

    def learn():
        with sealed("selection"):
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=learn)
    thread.start()
    try:
        assert entered.wait(10)
        with pytest.raises(TestSplitRefused, match="selection"):
            made().read("test")
    finally:
        leave.set()
        thread.join()
    assert len(list(made().read("test"))) == 2


def test_nested_and_left_by_an_error():
    with sealed("pretraining"):
        with pytest.raises(RuntimeError, match="inside tuning"), sealed("pretraining"), sealed("tuning"):
            raise RuntimeError(f"inside {sealed_for()}")
        assert sealed_for() == "pretraining"
        with pytest.raises(TestSplitRefused):
            made().read("test")
    assert sealed_for() == ""


def test_reading_is_sealed_once_and_looks_as_it_did():
    first = Three.read
    seal_reading(Three)
    assert Three.read is first
    assert type("Plain", (Three,), {}).read is first
    assert list(inspect.signature(Lazy.read).parameters) == ["self", "which"]
    assert Three.read.__doc__ == "Its docstring."
    assert not hasattr(Three.read, "__wrapped__")


def test_a_class_without_read_is_still_abstract():
    unfinished = type("Unfinished", (Dataset,), {"name": "unfinished"})
    with pytest.raises(TypeError, match="abstract"):
        unfinished(None, Path(), Path())
