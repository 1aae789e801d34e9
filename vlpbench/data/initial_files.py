"""The files that `[init]` names, found; what is in them decides a cell's numbers, not where they are."""

from __future__ import annotations

import json
from pathlib import Path

from vlpbench.config.settings import Init
from vlpbench.data.errors import DataError
from vlpbench.data.folders import data_root
from vlpbench.errors import nearest

__all__ = ["initial_files", "refuse_code"]

_CODE = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".tar"})
"""Endings of files that run code when they are read (pickle)."""


def initial_files(init: Init) -> dict[str, tuple[Path, ...]]:
    """The files of each part of `[init]` that is said: "checkpoint", "stem", "text".

    "checkpoint": weights and tokenizer.json; "stem": weights; "text": weights, config.json and tokenizer.json. A
    relative path is looked for in the working directory first, then in the data folder. Raises DataError for what is
    not there.
    """
    found: dict[str, tuple[Path, ...]] = {}
    if init.checkpoint:
        weights = _checkpoint(_existing("checkpoint", init.checkpoint))
        found["checkpoint"] = (weights, _in("checkpoint", weights.parent, "tokenizer.json"))
    if init.stem:
        path = _existing("stem", init.stem)
        found["stem"] = (_model("stem", path) if path.is_dir() else _safetensors("stem", path),)
    if init.text:
        folder = _existing("text", init.text)
        if not folder.is_dir():
            remedy = "name the folder of model.safetensors, config.json and tokenizer.json"
            raise DataError(f"{folder} is no folder", "init.text", remedy)
        beside = (_in("text", folder, name) for name in ("config.json", "tokenizer.json"))
        found["text"] = (_model("text", folder), *beside)
    return found


def refuse_code(path: Path, place: str) -> None:
    """DataError, which says how to convert it, for a file of weights that may hold code; it is not opened."""
    if path.suffix.lower() in _CODE:
        raise DataError(
            f"{path.name} is a pickle, which may run any code when it is read", place,
            "convert it where you trust it: safetensors.torch.save_file({name: tensor.contiguous() for name, tensor in "
            "torch.load('FILE', weights_only=True).items()}, 'model.safetensors')",
        )


def _existing(key: str, said: str) -> Path:
    """The file or folder that a setting names."""
    path = Path(said).expanduser()
    places = [path] if path.is_absolute() else [Path.cwd() / path, data_root() / path]
    for place in places:
        if place.exists():
            return place
    where = " or ".join(str(place.parent) for place in places)
    raise DataError(f"there is no {path.name!r} in {where}", f"init.{key}", _near(places))


def _near(places: list[Path]) -> str:
    """The nearest name beside where a file was looked for."""
    for place in places:
        folder = place.parent
        near = nearest(place.name, [one.name for one in folder.iterdir()]) if folder.is_dir() else None
        if near:
            return f"did you mean {folder / near}?"
    return "paths are relative to the working directory or to data.root"


def _in(key: str, folder: Path, name: str) -> Path:
    if not (folder / name).is_file():
        raise DataError(f"{folder} has no {name}", f"init.{key}", _near([folder / name]))
    return folder / name


def _model(key: str, folder: Path) -> Path:
    """A folder's model.safetensors; the pickle that often stands in its place is refused by its own name."""
    if not (folder / "model.safetensors").is_file():
        for pickle in sorted(folder.glob("*.bin")):
            refuse_code(pickle, f"init.{key}")
    return _in(key, folder, "model.safetensors")


def _safetensors(key: str, path: Path) -> Path:
    refuse_code(path, f"init.{key}")
    if path.suffix != ".safetensors":
        raise DataError(f"{path.name} is no safetensors file", f"init.{key}", "convert the weights to safetensors")
    return path


def _checkpoint(path: Path) -> Path:
    """The weights of a pretraining of ours, from its weights file, its stage's folder or a cell's folder."""
    if path.is_file():
        return _safetensors("checkpoint", path)
    if (path / "weights.safetensors").is_file():
        return path / "weights.safetensors"
    note = path / "pretraining.json"
    if not note.is_file():
        remedy = "name a cell's folder, a stage's folder or its weights.safetensors"
        raise DataError(f"{path} has neither weights.safetensors nor pretraining.json", "init.checkpoint", remedy)
    try:
        stage = json.loads(note.read_text(encoding="utf-8"))["stage"]
        folder = path.parent.parent / "stages" / str(stage)
    except (ValueError, KeyError, TypeError) as wrong:
        raise DataError(f"{note} is damaged: it names no stage", "init.checkpoint", "run the cell again") from wrong
    if not (folder / "weights.safetensors").is_file():
        cause = f"the pretraining of {path.name}, {folder}, is not there"
        raise DataError(cause, "init.checkpoint", "run the cell again, or copy its stage along")
    return folder / "weights.safetensors"
