"""Importing the metrics is cheap, and says which version they are."""

from __future__ import annotations

import subprocess
import sys

from vlpbench import metrics


def test_the_version_is_a_whole_number() -> None:
    assert isinstance(metrics.VERSION, int) and metrics.VERSION >= 1


def test_no_metric_loads_torch_or_pycocoevalcap_when_imported() -> None:
    code = (
        "import sys, vlpbench.metrics.captions, vlpbench.metrics.recall, vlpbench.metrics.vqa_accuracy\n"
        "heavy = {'torch', 'pycocoevalcap', 'pandas', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
