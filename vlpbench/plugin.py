"""All that a plugin author imports.

An objective, a stem, a trunk, a data set or a launcher is a class with a few declared facts and a few methods; a
plugin returns such classes from a hook (`vlpbench.hookspecs` lists the hooks). `docs/your-objective.md` walks
through one.
"""

from __future__ import annotations

from vlpbench import parts
from vlpbench.contract.abilities import (
    ABILITIES,
    Backbone,
    Context,
    DecodingState,
    ImageState,
    TextState,
    Visible,
)
from vlpbench.contract.data_errors import DataError
from vlpbench.contract.dataset import BadSample, Dataset
from vlpbench.contract.decoding import FixedState
from vlpbench.contract.launcher import Job, Launcher, Place, Started
from vlpbench.contract.metric import Metric
from vlpbench.contract.noconfig import NoConfig
from vlpbench.contract.objective import Objective, gather, mine, own
from vlpbench.contract.outside import Outside
from vlpbench.contract.report_table import ReportTable
from vlpbench.contract.teacher import Teacher
from vlpbench.contract.wiring import Size, Stem, Trunk
from vlpbench.hookspecs import hookimpl
from vlpbench.types import Batch, Question, Sample, Spec, Step, Vocabulary

API_VERSION = 1
"""The version of this contract; a plugin may declare the one it was written for as `api_version`."""

__all__ = [
    "ABILITIES", "API_VERSION", "BadSample", "Backbone", "Batch", "Context", "DataError", "Dataset",
    "DecodingState", "FixedState", "ImageState", "Job", "Launcher", "Metric", "NoConfig", "Objective", "Outside",
    "Place", "Question", "ReportTable", "Sample", "Size", "Spec", "Started", "Stem", "Step", "Teacher", "TextState",
    "Trunk", "Visible", "Vocabulary", "gather", "hookimpl", "mine", "own", "parts",
]
