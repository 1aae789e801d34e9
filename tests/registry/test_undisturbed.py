from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vlpbench.registry import load_registry
from vlpbench.registry.undisturbed import undisturbed

CHANGES = {
    "sys.path": (lambda: list(sys.path), "import sys\nsys.path.insert(0, '/nowhere')"),
    "the working folder": (os.getcwd, "import os\nos.chdir('/')"),
    "environment variables": (
        lambda: (os.environ.get("CUDA_VISIBLE_DEVICES"), os.environ.get("OMP_NUM_THREADS")),
        "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '7'\nos.environ.pop('OMP_NUM_THREADS', None)",
    ),
    "the recursion limit": (sys.getrecursionlimit, "import sys\nsys.setrecursionlimit(4321)"),
    "sys.excepthook": (lambda: sys.excepthook, "import sys\nsys.excepthook = print"),
    "handlers of signals": (
        lambda: signal.getsignal(signal.SIGTERM), "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)"
    ),
    "the state of random": (random.getstate, "import random\nrandom.seed(1)"),
    "the state of numpy.random": (
        lambda: np.random.get_state()[1].tolist(), "import numpy\nnumpy.random.seed(1)"
    ),
    "torch's random state": (lambda: torch.get_rng_state().tolist(), "import torch\ntorch.manual_seed(1)"),
    "torch's default dtype": (torch.get_default_dtype, "import torch\ntorch.set_default_dtype(torch.float64)"),
    "torch's default device": (torch.get_default_device, "import torch\ntorch.set_default_device('meta')"),
    "torch's autograd mode": (torch.is_grad_enabled, "import torch\ntorch.set_grad_enabled(False)"),
    "torch's anomaly detection": (
        torch.is_anomaly_enabled, "import torch\ntorch.autograd.set_detect_anomaly(True, False)"
    ),
    "torch's number of threads": (
        torch.get_num_threads, "import torch\ntorch.set_num_threads(torch.get_num_threads() + 1)"
    ),
    "torch's precision of matrix products": (
        torch.get_float32_matmul_precision, "import torch\ntorch.set_float32_matmul_precision('medium')"
    ),
    "torch.backends.cudnn.benchmark": (
        lambda: torch.backends.cudnn.benchmark, "import torch\ntorch.backends.cudnn.benchmark = True"
    ),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("way", ["when it is imported", "in a hook"])
def test_what_a_plugin_changes_is_put_back_and_told(install, source, monkeypatch, what, way):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    read, change = CHANGES[what]
    text = source("mine")
    if way == "in a hook":
        within = "".join(f"    {line}\n" for line in change.splitlines())
        text = text.replace("    return [Mine]", f"{within}    return [Mine]")
    else:
        text = f"{change}\n{text}"
    install("vlpbench-loud", "loud_plugin", text)
    before = read()
    registry = load_registry()
    assert read() == before
    assert registry.failures == () and "mine" in registry.names("objective")
    (plugin,) = [one for one in registry.plugins if not one.is_ours]
    assert plugin.remarks == (f"it changes {what}, which was put back",)


def test_it_is_put_back_where_the_plugin_fails(install):
    install("vlpbench-bad", "bad_plugin", "import torch\ntorch.set_default_dtype(torch.float64)\n1 / 0\n")
    assert len(load_registry().failures) == 1
    assert torch.get_default_dtype() is torch.float32


def test_ours_change_nothing():
    assert [one.remarks for one in load_registry().plugins] == [()] * len(load_registry().plugins)


def test_a_deleted_working_folder_is_left(tmp_path):
    told: list[str] = []
    before = Path.cwd()
    with undisturbed(told.append):
        (tmp_path / "gone").mkdir()
        os.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
    assert Path.cwd() == before
    assert told == ["it changes the working folder, which was put back"]


def test_what_is_printed_goes_to_stderr_and_is_told(install, source, capsys):
    text = "import sys\nprint('hello', sys.stdout.isatty())\n" + source("mine")
    install("vlpbench-loud", "loud_plugin", text)
    registry = load_registry()
    shown = capsys.readouterr()
    assert shown.out == "" and "hello" in shown.err
    (plugin,) = [one for one in registry.plugins if not one.is_ours]
    assert plugin.remarks == ("it prints to stdout, which went to stderr: results alone go to stdout",)
