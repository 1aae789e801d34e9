"""Small made sets of data, one fixture a form; each test breaks its own copy."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

Written = dict[str, Any]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The data folder of a test."""
    (tmp_path / "root" / "set" / "images").mkdir(parents=True)
    return tmp_path / "root"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The cache folder of a test."""
    return tmp_path / "cache"


@pytest.fixture
def picture(root: Path) -> Callable[..., Path]:
    """Write a picture of one colour into the set's image folder."""

    def write(name: str, colour: Any = "red", size: tuple[int, int] = (8, 6), mode: str = "RGB") -> Path:
        path = root / "set" / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, colour).save(path)
        return path

    return write


@pytest.fixture
def put(root: Path) -> Callable[[str, Any], Path]:
    """Write a file of the set: bytes and text as they are, anything else as JSON."""

    def write(name: str, value: Any) -> Path:
        path = root / "set" / name
        if isinstance(value, bytes):
            path.write_bytes(value)
        else:
            path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
        return path

    return write


@pytest.fixture
def tar(root: Path) -> Callable[..., Path]:
    """Write a tar of the set: names with the bytes or text of a file, or a TarInfo alone for what is no file."""

    def write(name: str, members: Iterable[Any], form: int = tarfile.PAX_FORMAT, mode: str = "w") -> Path:
        path = root / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, mode, format=form) as file:
            for member in members:
                if isinstance(member, tarfile.TarInfo):
                    file.addfile(member)
                    continue
                called, content = member
                raw = content.encode() if isinstance(content, str) else content
                info = tarfile.TarInfo(called)
                info.size = len(raw)
                file.addfile(info, io.BytesIO(raw))
        return path

    return write


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """The bytes of a picture file of one colour."""

    def made(colour: Any = "red", form: str = "JPEG") -> bytes:
        held = io.BytesIO()
        Image.new("RGB", (12, 9), colour).save(held, form)
        return held.getvalue()

    return made


@pytest.fixture
def captions(picture: Callable[..., Path]) -> Written:
    """Two images with three captions in COCO's form."""
    picture("a.png", "red")
    picture("b.png", "blue")
    return {
        "images": [{"id": 7, "file_name": "b.png"}, {"id": 3, "file_name": "a.png"}],
        "annotations": [
            {"id": 1, "image_id": 3, "caption": "Red."},
            {"id": 2, "image_id": 7, "caption": "Blue."},
            {"id": 3, "image_id": 3, "caption": "All red."},
        ],
    }


@pytest.fixture
def questions(picture: Callable[..., Path]) -> Written:
    """Two images with three questions in VQAv2's form, the images listed."""
    picture("a.png", "red")
    picture("b.png", "blue")
    return {
        "data_subtype": "val2014",
        "images": [{"id": 7, "file_name": "b.png"}, {"id": 3, "file_name": "a.png"}],
        "questions": [
            {"question_id": 30, "image_id": 3, "question": "what colour?"},
            {"question_id": 70, "image_id": 7, "question": "what colour?"},
            {"question_id": 31, "image_id": 3, "question": "is it red?"},
        ],
    }


@pytest.fixture
def annotations() -> Written:
    """The answers to those questions: ten, or one."""
    ten = [{"answer": "red" if n < 8 else "pink", "answer_confidence": "yes", "answer_id": n + 1} for n in range(10)]
    return {
        "annotations": [
            {"question_id": 30, "image_id": 3, "question_type": "what", "answer_type": "other", "answers": ten,
             "multiple_choice_answer": "red"},
            {"question_id": 70, "image_id": 7, "question_type": "what", "answer_type": "other",
             "answers": [{"answer": "blue"}], "multiple_choice_answer": "blue"},
            {"question_id": 31, "image_id": 3, "question_type": "is it", "answer_type": "yes/no",
             "answers": [{"answer": "yes"}], "multiple_choice_answer": "yes"},
        ]
    }
