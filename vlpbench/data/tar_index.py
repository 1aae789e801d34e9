"""What a tar of samples holds, found in one pass and remembered in the cache: where each picture lies, and its texts.

Members that follow each other and are called the same up to the first dot of the file's name make one sample (the
convention of webdataset): KEY.jpg, KEY.txt, KEY.json. Remembered under the tar's place with a stamp of size and time.
"""

from __future__ import annotations

import dataclasses
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from vlpbench.contract.dataset import BadSample
from vlpbench.data.cached import turn
from vlpbench.data.errors import DataError
from vlpbench.data.fingerprint import settled, stamp
from vlpbench.data.sources.json_file import missing, text_problem
from vlpbench.data.tar_members import LONGEST_TEXT, Member, TarReader
from vlpbench.files import digest, written_whole

__all__ = ["Keys", "TarIndex", "TarSample", "tar_index"]

VERSION = 1
"""Raised when the same tar gives other samples."""

_PICTURES = ("jpg", "jpeg", "png", "webp")
_TEXTS = ("txt", "json")
_PICKLES = ("pyd", "pyr", "pickle", "pkl", "pth", "pt")
"""Members that could run a program when they are opened (the first two as webdataset names them)."""
_LARGEST = 1 << 28
"""Bytes of a picture file, at most."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Keys:
    """Which keys of KEY.json are read; empty ones are not."""

    captions: str
    """A text, or a list of texts."""
    label: str
    """A class: a text or a whole number."""


@dataclass(frozen=True)
class TarSample:
    """One sample of a tar."""

    name: str
    """The picture's member."""
    offset: int
    """Where its bytes begin in the tar."""
    size: int
    """How many there are."""
    digest: str
    """SHA-256 (hex) of the bytes."""
    captions: tuple[str, ...]
    """Its texts."""
    label: str
    """Its class; empty where none is wanted."""


@dataclass(frozen=True)
class TarIndex:
    """All samples of a tar, in the order of the file."""

    digest: str
    """SHA-256 (hex) of the whole tar."""
    samples: tuple[TarSample, ...]
    """Those that can be used as far as their form tells."""
    problems: tuple[BadSample, ...]
    """What cannot be used; `where` names the member."""


def tar_index(path: Path, keys: Keys, cache: Path) -> TarIndex:
    """The index of a tar, read from front to end if it is not known. Two processes may ask at once: one reads.

    DataError, naming the tar and the place in it, for one that is missing, cut short, damaged or compressed.
    """
    if not path.is_file():
        raise DataError(f"{path.name} is no file", str(path), "name tars alone") if path.exists() else missing(path)
    file = cache / "shards" / f"{digest([str(path.resolve()), dataclasses.asdict(keys)])[:32]}.json"
    known = _remembered(file, stamp(path))
    if known is not None:
        return known
    with turn(file):
        seen = stamp(path)
        known = _remembered(file, seen)
        if known is None:
            known = _read(path, keys)
            if seen == stamp(path) and settled(seen):
                _remember(file, seen, known)
    return known


def _read(path: Path, keys: Keys) -> TarIndex:
    tar = TarReader(path, lambda name: _ending(name) in _TEXTS)
    samples: list[TarSample] = []
    problems: list[BadSample] = []
    taken: set[str] = set()
    for key, members in groupby(tar, lambda member: _key(member.name)):
        if re.fullmatch("__.*__", key.rpartition("/")[2]):  # what the writer says of the tar
            continue
        for found in _sample(key, list(members), keys, taken):
            (samples if isinstance(found, TarSample) else problems).append(found)  # type: ignore[arg-type]
    return TarIndex(tar.digest, tuple(samples), tuple(problems))


def _key(name: str) -> str:
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _ending(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[2].lower()


def _sample(key: str, members: list[Member], keys: Keys, taken: set[str]) -> Iterator[TarSample | BadSample]:
    """The sample of one key, or why there is none; members that are refused are named beside it."""
    kept: dict[str, Member] = {}
    for member in members:
        ending = _ending(member.name)
        wrong = member.wrong
        if not wrong and ending.rpartition(".")[2] in _PICKLES:
            wrong = "is a pickle, which could run a program when it is opened"
        elif not wrong and ending in kept:
            wrong = "is there twice; the first was kept"
        elif not wrong and ending in _TEXTS and member.content is None:
            wrong = f"has {member.size:,} bytes, more than {LONGEST_TEXT:,}"
        if wrong:
            yield BadSample(member.name, wrong)
        else:
            kept[ending] = member
    pictures = [member for ending, member in kept.items() if ending in _PICTURES]
    if not pictures and not any(ending in kept for ending in _TEXTS):
        return  # what else lies in the tar is no part of the set
    wrong, captions, label = _said(kept, keys)
    if len(pictures) != 1:
        wrong = f"has {len(pictures)} pictures" if pictures else "has no picture"
    elif pictures[0].size > _LARGEST:
        wrong = f"has a picture of {pictures[0].size:,} bytes, more than {_LARGEST:,}"
    elif key in taken:
        wrong = "is there twice in the tar; the first was kept"
    if wrong:
        yield BadSample(key, wrong)
        return
    taken.add(key)
    picture = pictures[0]
    yield TarSample(picture.name, picture.offset, picture.size, picture.digest, captions, label)


def _said(kept: Mapping[str, Member], keys: Keys) -> tuple[str, tuple[str, ...], str]:
    """What is wrong with a sample's texts, its captions and its class."""
    given: list[Any] = []
    label: Any = ""
    try:
        if "txt" in kept:
            given.append((kept["txt"].content or b"").decode("utf-8-sig"))
        if "json" in kept and (keys.captions or keys.label):
            said = json.loads((kept["json"].content or b"").decode("utf-8-sig"))
            if not isinstance(said, dict):
                return "has a JSON file that is no object", (), ""
            more = said.get(keys.captions, []) if keys.captions else []
            given += more if isinstance(more, list) else [more]
            label = said.get(keys.label, "") if keys.label else ""
    except UnicodeDecodeError:
        return "has a text that is not UTF-8", (), ""
    except (ValueError, RecursionError) as error:
        return f"has a JSON file that cannot be read ({error})", (), ""
    clean = [" ".join(_CONTROLS.sub(" ", text).split()) if isinstance(text, str) else text for text in given]
    wrong = next((problem for text in clean if (problem := text_problem(text, "caption"))), None)
    if isinstance(label, int) and not isinstance(label, bool):
        label = str(label)
    if keys.label and not wrong:
        wrong = text_problem(label, "label")
    if not given and not keys.label:
        wrong = "has no caption" + ("" if keys.captions else ": no .txt, and `captions` names no key of .json")
    return (wrong, (), "") if wrong else ("", tuple(dict.fromkeys(clean)), label.strip())


def _remember(file: Path, seen: list[int], index: TarIndex) -> None:
    rows = [list(dataclasses.astuple(sample)) for sample in index.samples]
    problems = [[problem.where, problem.what] for problem in index.problems]
    body = json.dumps({"digest": index.digest, "samples": rows, "problems": problems}).encode()
    head = {"version": VERSION, "stamp": seen, "checksum": zlib.crc32(body)}
    with written_whole(file) as temporary:
        temporary.write_bytes(json.dumps(head).encode() + b"\n" + body)


def _remembered(file: Path, seen: list[int]) -> TarIndex | None:
    """What is known of a tar with this stamp; None if nothing is, or it is damaged (a cache may be)."""
    try:
        first, _, body = file.read_bytes().partition(b"\n")
        head = json.loads(first)
        if head["version"] != VERSION or head["stamp"] != seen or head["checksum"] != zlib.crc32(body):
            return None
        held = json.loads(body)
        samples = tuple(TarSample(*row[:4], *[tuple(row[4]), row[5]]) for row in held["samples"])
        return TarIndex(held["digest"], samples, tuple(BadSample(*row) for row in held["problems"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None
