"""What a data set holds and what is wrong with it, split by split: the answer to `vlpbench data check`."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vlpbench.config.settings import TextSettings
from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.data.errors import DataError
from vlpbench.data.picture_files import held_by, picture_digests
from vlpbench.data.store import Heard, broken_pictures
from vlpbench.data.tokenizer import Tokenizer
from vlpbench.types import Sample

__all__ = ["Lengths", "Report", "Shared", "SplitReport", "check", "kind_of"]

_NAMED = 3
"""How many examples of each kind of problem are shown."""


@dataclass(frozen=True)
class Lengths:
    """Tokens of texts, end of sentence included."""

    median: int
    """Half of the texts are no longer."""
    most: int
    """Nineteen of twenty texts are no longer."""
    longest: int
    """The longest text."""
    cut: int
    """Texts that `text.length` cuts."""


@dataclass(frozen=True)
class SplitReport:
    """One split."""

    name: str
    """"train", "val" or "test"."""
    samples: int
    """Usable samples, broken pictures already taken away."""
    captions: int
    """Captions of all samples."""
    questions: int
    """Questions of all samples."""
    problems: Mapping[str, tuple[BadSample, ...]]
    """What cannot be used, by kind."""
    lengths: Mapping[str, Lengths]
    """"captions" and "questions" -> their lengths in tokens; empty without a training split."""
    error: str = ""
    """Why the split as a whole cannot be read."""


@dataclass(frozen=True)
class Shared:
    """What two splits have in common and should not."""

    splits: tuple[str, str]
    """The two splits."""
    names: tuple[str, ...]
    """Image files named in both."""
    contents: tuple[tuple[str, str], ...]
    """Pairs of different files with the same bytes."""
    ids: tuple[int, ...]
    """Ids that mean different images in the two."""


@dataclass(frozen=True)
class Report:
    """All that `check` found."""

    kind: str
    """Kind of the data set."""
    splits: tuple[SplitReport, ...]
    """One for each split."""
    shared: tuple[Shared, ...]
    """Pairs of splits that are not apart."""

    @property
    def problems(self) -> int:
        """Number of broken samples and texts, and of splits that cannot be read."""
        return sum(bool(s.error) + sum(map(len, s.problems.values())) for s in self.splits)

    def lines(self) -> list[str]:
        """The report as text."""
        told = list(itertools.chain.from_iterable(_split_lines(split) for split in self.splits))
        for pair in self.shared:
            told += _shared_lines(pair)
        if not self.problems and not self.shared:
            told.append("nothing is wrong")
        return told


def check(
    dataset: Dataset, text: TextSettings | None = None, pictures: bool = True, heard: Heard | None = None
) -> Report:
    """Read all splits, decode all pictures (unless `pictures` is False), compare the splits, count tokens.

    Opens the test split, to count and compare only. `heard(done, of)` is told of pictures, split by split. Faults are
    in the report; what is raised is a DataError that concerns no single split.
    """
    text = text or TextSettings()
    read = {name: _read(dataset, name, pictures, heard) for name in dataset.splits()}
    tokenizer = _tokenizer(read["train"].samples, text) if "train" in read else None
    reports = tuple(_report(name, found, tokenizer, text) for name, found in read.items())
    pairs = itertools.combinations(read.items(), 2)
    contents = {name: _contents(dataset, found.samples) for name, found in read.items()}
    shared = [_shared((a, b), x.samples, y.samples, (contents[a], contents[b])) for (a, x), (b, y) in pairs]
    return Report(dataset.name, reports, tuple(s for s in shared if s.names or s.contents or s.ids))


@dataclass(frozen=True)
class _Read:
    """A split as it was read."""

    samples: tuple[Sample, ...]
    problems: tuple[BadSample, ...]
    error: str = ""


def _read(dataset: Dataset, name: str, pictures: bool, heard: Heard | None) -> _Read:
    samples: list[Sample] = []
    problems: list[BadSample] = []
    try:
        for given in dataset.read(name):
            (samples if isinstance(given, Sample) else problems).append(given)  # type: ignore[arg-type]
    except DataError as error:
        return _Read((), tuple(problems), str(error))
    if pictures:
        seen = [sample for sample in samples if sample.image]
        broken = broken_pictures(held_by(dataset), [sample.image for sample in seen], heard)
        problems += [BadSample(f"image {seen[row].image}", what) for row, what in sorted(broken.items())]
        gone = {seen[row].id for row in broken}
        samples = [sample for sample in samples if sample.id not in gone]
    return _Read(tuple(samples), tuple(problems))


def kind_of(problem: BadSample) -> str:
    """A problem without its names and numbers, so that equal ones can be counted."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\([^()]*\)|-?\d[\d,.]*", "…", problem.what)


def _report(name: str, read: _Read, tokenizer: Tokenizer | None, text: TextSettings) -> SplitReport:
    captions = [caption for sample in read.samples for caption in sample.captions]
    questions = [question.text for sample in read.samples for question in sample.questions]
    kinds: dict[str, list[BadSample]] = defaultdict(list)
    for problem in read.problems:
        kinds[kind_of(problem)].append(problem)
    lengths = {}
    if tokenizer is not None:
        given = {"captions": captions, "questions": questions}
        lengths = {what: _lengths(texts, tokenizer, text.length) for what, texts in given.items() if texts}
    problems = {kind: tuple(found) for kind, found in kinds.items()}
    return SplitReport(name, len(read.samples), len(captions), len(questions), problems, lengths, read.error)


def _tokenizer(samples: Sequence[Sample], text: TextSettings) -> Tokenizer | None:
    """A tokenizer of the training texts, or None where there are none."""
    texts = [caption for sample in samples for caption in sample.captions]
    texts += [question.text for sample in samples for question in sample.questions]
    return Tokenizer.train(texts, text) if texts else None


def _lengths(texts: Sequence[str], tokenizer: Tokenizer, length: int) -> Lengths:
    tokens = np.sort(tokenizer.lengths(texts))
    median, most = tokens[(len(tokens) - 1) // 2], tokens[int(np.ceil(0.95 * len(tokens))) - 1]
    return Lengths(int(median), int(most), int(tokens[-1]), int((tokens > length).sum()))


def _contents(dataset: Dataset, samples: Sequence[Sample]) -> dict[str, str]:
    """Hash of contents -> the first file that has them."""
    names = [sample.image for sample in samples if sample.image]
    found: dict[str, str] = {}
    for name, held in picture_digests(held_by(dataset), names, dataset.cache).items():
        found.setdefault(held, name)
    return found


def _shared(
    splits: tuple[str, str], left: Sequence[Sample], right: Sequence[Sample],
    contents: tuple[Mapping[str, str], Mapping[str, str]],
) -> Shared:
    names = {s.image for s in left if s.image} & {s.image for s in right}
    same = [(name, contents[1][held]) for held, name in contents[0].items() if held in contents[1]]
    images = {s.id: s.image for s in left}
    ids = [s.id for s in right if s.image and images.get(s.id, s.image) != s.image]
    return Shared(splits, tuple(sorted(names)), tuple(pair for pair in same if pair[0] != pair[1]), tuple(ids))


def _split_lines(split: SplitReport) -> list[str]:
    counts = f"{split.samples} samples, {split.captions} captions, {split.questions} questions"
    told = [f"{split.name}: {counts}"]
    told += [f"  {line}" for line in split.error.splitlines()]
    for what, found in split.lengths.items():
        spread = f"median {found.median}, 95 % within {found.most}, longest {found.longest}"
        told.append(f"  tokens of {what}: {spread}; {found.cut} cut")
    for kind, problems in split.problems.items():
        told.append(f"  {len(problems)} x {kind}")
        told += [f"    {problem.where}: {problem.what}" for problem in problems[:_NAMED]]
    return told


def _shared_lines(pair: Shared) -> list[str]:
    both = " and ".join(pair.splits)
    told = []
    if pair.names:
        told.append(f"{both} share {len(pair.names)} images: {', '.join(pair.names[:_NAMED])}")
    if pair.contents:
        some = ", ".join(f"{a} = {b}" for a, b in pair.contents[:_NAMED])
        told.append(f"{both} share {len(pair.contents)} pictures under different names: {some}")
    if pair.ids:
        some = ", ".join(map(str, pair.ids[:_NAMED]))
        told.append(f"{both} use {len(pair.ids)} ids for different images: {some}")
    return told
