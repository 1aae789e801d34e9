"""The data sets that come with vlpbench, offered through the same hook as a stranger's."""

from __future__ import annotations

from collections.abc import Sequence

from vlpbench.data.sources.class_folders import ClassFolders
from vlpbench.data.sources.coco import Coco
from vlpbench.data.sources.karpathy import Karpathy
from vlpbench.data.sources.shards import Shards
from vlpbench.data.sources.table import Table
from vlpbench.data.sources.text import Text
from vlpbench.data.sources.vqa import Vqa
from vlpbench.data.worlds.digits import Digits
from vlpbench.data.worlds.shapes import Shapes
from vlpbench.data.worlds.signs import Signs
from vlpbench.data.worlds.texts import DigitsTexts, ShapesTexts, SignsTexts
from vlpbench.hookspecs import hookimpl

__all__ = ["vlpbench_datasets"]


@hookimpl
def vlpbench_datasets() -> Sequence[type]:
    """Readers of COCO captions, VQAv2, Karpathy splits, tables, class folders, tars, text; worlds and their corpora."""
    return [Coco, Vqa, Karpathy, Table, ClassFolders, Shards, Text, Digits, Shapes, Signs, DigitsTexts, ShapesTexts,
            SignsTexts]
