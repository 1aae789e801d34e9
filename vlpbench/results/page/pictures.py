"""The pictures that a page shows: read from the data sets that cells were scored on, made small, each kept once.

Records hold no pictures. They lie in the data sets that a cell's settings name, so a page can show those that are on
this machine. Nothing is downloaded, drawn or built for it: what is not there is a sentence that says why.
"""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vlpbench.config.merge import portion_of
from vlpbench.config.settings import Portion
from vlpbench.config.typed import fields_of, make
from vlpbench.contract.dataset import Dataset
from vlpbench.data.decoding import BadImage, quiet, read_picture
from vlpbench.data.errors import DataError
from vlpbench.data.folders import cache_folder, data_root
from vlpbench.data.picture_files import Held, held_by, safe_picture_file
from vlpbench.data.sources.from_files import FromFiles
from vlpbench.data.weakened import Weakened, weakened
from vlpbench.data.worlds.made import Made
from vlpbench.data.worlds.whole_folder import complete
from vlpbench.errors import UserError
from vlpbench.files import UnsafeName
from vlpbench.registry import Registry
from vlpbench.types import Sample

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["LARGE", "SMALL", "Album", "PictureSet", "open_pictures"]

LARGE, SMALL = 160, 80
"""Longest side in pixels of a picture that is asked about, and of one that was found. Smaller ones stay as they are."""
_AS_IT_IS = 64
"""Longest side up to which every pixel is kept: of so small a picture each counts."""
_CHEAP_BYTES, _CHEAP_FILES = 16 << 20, 5_000
"""Annotations and pictures up to which a set from files is hashed for a page; larger sets take minutes."""


@dataclass(frozen=True)
class PictureSet:
    """The pictures of one split of one data set, as far as they are on this machine."""

    images: Held | None = None
    """The folder that their names are relative to, or what holds them; None where they are not here."""
    samples: Mapping[str, Sample] = field(default_factory=dict)
    """By id, as text."""
    reason: str = ""
    """Why there are no pictures; empty where there are."""
    note: str = ""
    """What must be said of them."""

    def contradicts(self, claims: Iterable[tuple[str, str]]) -> bool:
        """Whether the set says other things than these: pairs of a picture's id and a text about it."""
        return any(key in self.samples and text not in _texts(self.samples[key]) for key, text in claims)

    def caption(self, name: str) -> str:
        """The text called PICTURE/NUMBER, as retrieval names captions; empty where there is none."""
        key, _, number = name.rpartition("/")
        texts = self.samples[key].captions if key in self.samples else ()
        return texts[int(number)] if number.isdecimal() and int(number) < len(texts) else ""

    def read(self, key: str) -> Image | str:
        """One picture in RGB, or why it cannot be shown."""
        if self.reason:
            return self.reason
        if key not in self.samples:
            return "picture not shown: the data set on this machine does not have it, or it is broken there"
        assert self.images is not None, "there is a reason where there is no folder"
        try:
            with quiet():
                return read_picture(safe_picture_file(self.images, self.samples[key].image))
        except (BadImage, UnsafeName) as wrong:
            return f"picture not shown: it {wrong}" if isinstance(wrong, BadImage) else f"picture not shown: {wrong}"
        except DataError as wrong:
            return f"picture not shown: {wrong.cause}"


class Album:
    """The pictures of a page by number; each picture, and each reason why one is missing, is kept once."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: how long all pictures may be as text, in bytes; those beyond are reasons."""
        self._left, self._numbers = most_bytes, dict[Any, int]()
        self.entries: list[dict[str, Any]] = []
        """JSON-able: src, width and height of a picture, or why there is none."""

    def number(self, pictures: PictureSet, key: str, side: int) -> int:
        """Where a picture stands, at most `side` pixels long; one that is there already may be larger."""
        known = next((at for one in (LARGE, SMALL) if (at := self._numbers.get((id(pictures), key, one), -1)) >= 0), -1)
        if known >= 0:
            return known
        found = pictures.read(key)
        entry = {"why": found} if isinstance(found, str) else _entry(found, side)
        if len(entry.get("src", "")) > self._left:
            entry = {"why": "picture left out, to keep this page small"}
        name = entry.get("why", (id(pictures), key, side))
        if name not in self._numbers:
            self._left -= len(entry.get("src", ""))
            self._numbers[name] = len(self.entries)
            self.entries.append(entry)
        return self._numbers[name]


def open_pictures(
    source: Mapping[str, Any], split: str, fingerprint: str | None, registry: Registry
) -> PictureSet:
    """The pictures of a split of the data set that a cell's settings describe under `sources`.

    `fingerprint` is what the set had when the cell ran; a set that has another one today shows nothing.
    """
    try:
        dataset = _opened(source, registry)
        if reason := _absent(dataset):
            return PictureSet(reason=reason)
        note = ""
        if not _is_cheap(dataset):
            note = "the data set is large: whether its pictures are still those of the run was not checked"
        elif fingerprint and dataset.fingerprint() != fingerprint:
            return PictureSet(reason="picture not shown: the data set has changed since the run")
        samples = {str(one.id): one for one in dataset.read(split) if isinstance(one, Sample) and one.image}
        return PictureSet(held_by(dataset), samples, "", note)
    except UserError as wrong:
        return PictureSet(reason=f"picture not on this machine: {wrong.cause}")
    except OSError as wrong:  # without its path: a page is handed on
        return PictureSet(reason=f"picture not shown: the data set cannot be read ({wrong.strerror})")
    except Exception as wrong:  # noqa: BLE001 (a stranger's data set, or settings of another version)
        return PictureSet(reason=f"picture not shown: the data set cannot be opened ({type(wrong).__name__}: {wrong})")


def _opened(source: Mapping[str, Any], registry: Registry) -> Dataset:
    """The data set, in this machine's folders."""
    values = {key: value for key, value in source.items() if key not in fields_of(Portion)}
    cls = registry.dataset(values.pop("kind"))
    return weakened(cls(make(cls.config_class, values), data_root(), cache_folder()), portion_of(source))


def _inner(dataset: Dataset) -> Dataset:
    return dataset.dataset if isinstance(dataset, Weakened) else dataset


def _absent(dataset: Dataset) -> str:
    """Why reading the set would have to make something first, or cannot; empty where all is there."""
    inner = _inner(dataset)
    if isinstance(inner, Made):
        if complete(inner.folder, inner.fingerprint()):
            return ""
        return (f"picture not on this machine: the world {inner.name!r} is not drawn in VLPBENCH_CACHE "
                "(vlpbench data prepare draws it)")
    if inner.images.is_dir():
        return ""
    return (f"picture not on this machine: there is no folder of pictures of this data set ({inner.name}) in the "
            "folder that VLPBENCH_DATA names")


def _is_cheap(dataset: Dataset) -> bool:
    """Whether its fingerprint costs seconds: that of a world follows from its settings, files have to be read."""
    inner = _inner(dataset)
    if isinstance(inner, Made):
        return True
    if not isinstance(inner, FromFiles):
        return False
    said = sum(path.stat().st_size for path in inner.files().values() if path.is_file())
    many = sum(1 for _ in itertools.islice(inner.images.rglob("*"), _CHEAP_FILES + 1))
    return said <= _CHEAP_BYTES and many <= _CHEAP_FILES


def _texts(sample: Sample) -> set[str]:
    """All that the set says about a picture in words."""
    return {*sample.captions, *(question.text for question in sample.questions), str(sample.fields.get("label", ""))}


def _entry(picture: Image, side: int) -> dict[str, Any]:
    """A picture as text: PNG where it is small, else JPEG."""
    picture.thumbnail((side, side))
    is_small, held = max(picture.size) <= _AS_IT_IS, io.BytesIO()
    if is_small:
        picture.save(held, "PNG", optimize=True)
    else:
        picture.save(held, "JPEG", quality=78)
    kind = "png" if is_small else "jpeg"
    data = base64.b64encode(held.getvalue()).decode("ascii")
    return {"src": f"data:image/{kind};base64,{data}", "width": picture.width, "height": picture.height}
