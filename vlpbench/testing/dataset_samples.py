"""Checks of data sets: splits, ids, pictures, texts, order, fingerprint, fields."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.labels import LABEL
from vlpbench.testing.declared import check_declared
from vlpbench.testing.findings import CheckFailed, CheckSkipped
from vlpbench.types import Sample

__all__ = ["check_fields", "check_fingerprint", "check_ids", "check_metadata", "check_order", "check_pictures",
           "check_splits", "check_splits_apart", "check_texts"]

_MOST = 500
"""Samples of each split that are looked at one by one."""


def check_metadata(dataset: Dataset) -> None:
    """The class keeps the contract, and the instance remembers what it was given."""
    check_declared("data set", type(dataset))
    facts = dataset.describe()
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in facts.items()):
        raise CheckFailed(f"describe() says {dict(facts)!r}", "say texts by name")


def check_splits(dataset: Dataset) -> None:
    """There are splits, each of "train", "val" and "test" at most once, and each has samples; others are refused."""
    names = dataset.splits()
    if not names or len(set(names)) != len(names) or not set(names) <= {"train", "val", "test"}:
        raise CheckFailed(f"splits() are {names!r}", 'name some of "train", "val" and "test", each once')
    for name in names:
        if not any(True for _ in _samples(dataset, name)):
            raise CheckFailed(f"split {name!r} has no sample", "leave out a split that is empty")
    try:
        list(itertools.islice(dataset.read("no-such-split"), 1))
    except Exception:  # noqa: BLE001 (any refusal will do)
        return
    raise CheckFailed("read() of a split that is not there raised nothing", "refuse it, naming those there are")


def check_ids(dataset: Dataset) -> None:
    """Ids are whole numbers; no split has one twice, nor a question's; an id means one picture in all splits."""
    seen: dict[int, str] = {}
    for name in dataset.splits():
        ids, questions = set(), set()
        for sample in _samples(dataset, name):
            if isinstance(sample.id, bool) or not isinstance(sample.id, int):
                raise CheckFailed(f"the id {sample.id!r} in {name!r} is no whole number", "number the samples")
            if sample.id in ids:
                raise CheckFailed(f"split {name!r} has the id {sample.id} twice", "one sample a picture")
            ids.add(sample.id)
            if seen.setdefault(sample.id, sample.image) != sample.image:
                pictures = f"{seen[sample.id]!r} and {sample.image!r}"
                raise CheckFailed(f"the id {sample.id} means {pictures}", "ids are unique within a data set")
            for question in sample.questions:
                if question.id in questions:
                    raise CheckFailed(f"split {name!r} has the question {question.id} twice", "number them apart")
                questions.add(question.id)


def check_pictures(dataset: Dataset) -> None:
    """Names of pictures stay inside the folder and name files, or what an archive has; a split has all or none."""
    folder = dataset.images.resolve()
    for name in dataset.splits():
        with_picture = set()
        for sample in itertools.islice(_samples(dataset, name), _MOST):
            with_picture.add(bool(sample.image))
            if not sample.image:
                continue
            path = (folder / sample.image).resolve()
            if dataset.archive is not None and not dataset.archive.read(sample.image):
                raise CheckFailed(f"the picture {sample.image!r} of {name!r} is empty", "give a BadSample for it")
            if not path.is_relative_to(folder) or sample.image.startswith("/"):
                raise CheckFailed(f"the picture {sample.image!r} lies outside of the folder", "name it inside")
            if dataset.archive is None and not path.is_file():
                raise CheckFailed(f"the picture {sample.image!r} of {name!r} is no file", "give a BadSample for it")
        if len(with_picture) > 1:
            raise CheckFailed(f"split {name!r} has samples with and without a picture", "make two data sets of it")


def check_texts(dataset: Dataset) -> None:
    """Captions, questions and answers are clean: not empty, no control character, nothing at the ends, no markup."""
    for name in dataset.splits():
        for sample in itertools.islice(_samples(dataset, name), _MOST):
            texts = [*sample.captions, *(question.text for question in sample.questions)]
            if not texts and LABEL not in sample.fields:
                raise CheckFailed(f"sample {sample.id} of {name!r} has no text, no label", "give a BadSample for it")
            for text in (*texts, *(answer for question in sample.questions for answer in question.answers)):
                wrong = _unclean(text)
                if wrong:
                    raise CheckFailed(f"sample {sample.id} of {name!r}: {text!r} {wrong}", "clean it while reading")


def _unclean(text: Any) -> str:
    if not isinstance(text, str):
        return "is no text"
    if not text.strip():
        return "is empty"
    if text != text.strip():
        return "begins or ends with space"
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Co") for sign in text):
        return "holds a control character or a line break"
    if re.search(r"<(br|p|a|b|i|div|span)\b[^>]*>|&(amp|lt|gt|quot|nbsp);", text):
        return "holds markup"
    return ""


def check_order(dataset: Dataset) -> None:
    """Reading twice, from this instance and from a new one, gives equal samples in the same order."""
    other = _again(dataset)
    for name in dataset.splits():
        first = list(itertools.islice(dataset.read(name), _MOST))
        for again in (dataset, other):
            for number, (a, b) in enumerate(itertools.zip_longest(first, itertools.islice(again.read(name), _MOST))):
                if not _same(a, b):
                    cause = f"sample {number} of {name!r} is another when the split is read again"
                    raise CheckFailed(cause, "sort what is listed, and seed what is drawn by the settings")


def check_fingerprint(dataset: Dataset) -> None:
    """The fingerprint is a text that is the same each time, for another instance, and after the splits were read."""
    first = dataset.fingerprint()
    if not isinstance(first, str) or len(first) < 16:
        raise CheckFailed(f"the fingerprint is {first!r}", "hash all that decides the samples: sha256, in hex")
    for name in dataset.splits():
        list(itertools.islice(dataset.read(name), 3))
    if dataset.fingerprint() != first or _again(dataset).fingerprint() != first:
        raise CheckFailed("the fingerprint changes", "hash names and bytes of files, no times and no folders")


def check_fields(dataset: Dataset) -> None:
    """All samples of a split have the same fields, of the same types; arrays of numbers keep their kind."""
    for name in dataset.splits():
        first: dict[str, type] | None = None
        for sample in itertools.islice(_samples(dataset, name), _MOST):
            found = {key: type(value) for key, value in sample.fields.items()}
            first = found if first is None else first
            if found != first:
                odd = sorted(set(found.items()) ^ set(first.items()), key=str)
                cause = f"sample {sample.id} of {name!r} has other fields than the first: {odd[:3]}"
                raise CheckFailed(cause, "give every sample each field; empty where there is nothing")


def check_splits_apart(dataset: Dataset) -> None:
    """No picture is in two splits."""
    names = dataset.splits()
    if len(names) < 2:
        raise CheckSkipped("one-split")
    pictures = {name: {sample.image for sample in _samples(dataset, name) if sample.image} for name in names}
    for a, b in itertools.combinations(names, 2):
        both = sorted(pictures[a] & pictures[b])
        if both:
            cause = f"{len(both)} pictures are in {a!r} and in {b!r}, such as {both[0]!r}"
            raise CheckFailed(cause, "cut the set by picture, not by caption or question")


def _samples(dataset: Dataset, name: str) -> Iterator[Sample]:
    for given in dataset.read(name):
        if isinstance(given, Sample):
            yield given
        elif not isinstance(given, BadSample):
            raise CheckFailed(f"read({name!r}) gave {type(given).__name__}", "give Sample or BadSample")


def _again(dataset: Dataset) -> Dataset:
    return type(dataset)(dataset.config, dataset.root, dataset.cache)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, Sample) and isinstance(b, Sample):
        return all(_same(getattr(a, name), getattr(b, name)) for name in a.__slots__)
    return bool(a == b)
