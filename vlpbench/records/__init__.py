"""What cells left behind, on disk: folders of JSON and parquet files, each written whole or not at all. No pandas."""

from __future__ import annotations

from vlpbench.records.cell_folder import SCHEMA, CellFolder, cell_folders
from vlpbench.records.claim import Claim
from vlpbench.records.claims import Claims
from vlpbench.records.holder import Holder
from vlpbench.records.predictions import read_predictions, write_predictions
from vlpbench.records.stage_folder import StageFolder, stage_folders

__all__ = [
    "SCHEMA", "CellFolder", "Claim", "Claims", "Holder", "StageFolder", "cell_folders", "read_predictions",
    "stage_folders", "write_predictions",
]
