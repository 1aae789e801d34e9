"""Which device is taken, and what every process that computes does first."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch

from vlpbench.device import Device, environment
from vlpbench.errors import UserError

PREPARED = """
import torch
from vlpbench.device import Device, prepare_process
tiny = torch.tensor([1e-39])
before = float(tiny * 0.5)
prepare_process(Device("cpu"))
print(torch.get_num_threads(), before > 0, float(tiny * 0.5))
"""


def test_auto_takes_the_gpu_where_there_is_one() -> None:
    assert Device.choose().kind == ("cuda" if torch.cuda.is_available() else "cpu")
    assert Device.choose("cpu") == Device("cpu")


def test_an_unknown_device_is_a_users_mistake() -> None:
    with pytest.raises(UserError, match="unknown device 'tpu'") as caught:
        Device.choose("tpu")
    assert "cpu" in caught.value.remedy


def test_a_gpu_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Device.choose("auto") == Device("cpu")
    with pytest.raises(UserError, match="no GPU") as caught:
        Device.choose("cuda")
    assert "--device cpu" in caught.value.remedy


def test_a_cpu_computes_in_full_precision() -> None:
    device = Device("cpu")
    a = torch.randn(8, 8)
    with device.autocast():
        assert (a @ a).dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16), device.full_precision():
        assert (a @ a).dtype == torch.float32


@pytest.mark.gpu
def test_a_gpu_computes_in_bfloat16() -> None:
    device = Device("cuda")
    a = torch.randn(8, 8, device="cuda")
    with device.autocast():
        assert (a @ a).dtype == torch.bfloat16
        with device.full_precision():
            assert (a @ a).dtype == torch.float32


def test_clock_and_memory_only_grow() -> None:
    device = Device("cpu")
    start, held = device.seconds(), device.peak_bytes()
    assert device.seconds() >= start
    assert device.peak_bytes() >= held > 10_000_000


def test_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 7}, raising=False)
    assert Device.cores() == 2, "of a machine with more"
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert Device.cores() == 12
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert Device.cores() == 1, "where the system does not say"


@pytest.mark.parametrize(
    ("said", "count", "names"),
    [
        (None, 3, ("0", "1", "2")), (None, 0, ()), ("", 0, ()), ("2,0", 2, ("2", "0")),
        ("GPU-4fe2a-77,MIG-1b", 2, ("GPU-4fe2a-77", "MIG-1b")), (" 1 , 3,", 2, ("1", "3")), ("0,1,-1,2", 2, ("0", "1")),
    ],
)
def test_gpus_are_named_as_the_parent_names_them(
    monkeypatch: pytest.MonkeyPatch, said: str | None, count: int, names: tuple[str, ...]
) -> None:
    """A child that is given "0" where its parent was given "2,0" would compute on a stranger's GPU."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if said is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", said)
    assert Device.visible() == names


def test_memory_held_now_is_a_gpus_and_nothing_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 5 * 2**30)
    assert Device("cpu").held_bytes() == 0
    assert Device("cuda").held_bytes() == 5 * 2**30


def test_a_prepared_process_has_one_thread_and_no_subnormal_numbers() -> None:
    done = subprocess.run([sys.executable, "-c", PREPARED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "True", "0.0"]


def test_the_environment_names_versions_and_no_host() -> None:
    told = environment(Device("cpu"))
    assert told["torch"] == torch.__version__
    assert set(told) == {
        "python", "torch", "system", "device", "processor", "cpu_capability", "cores", "torch_threads", "memory",
    }
    assert all(told.values()) and told["torch_threads"] == str(torch.get_num_threads())
    assert json.loads(json.dumps(told)) == told


@pytest.mark.gpu
def test_the_environment_of_a_gpu_names_what_is_below_torch() -> None:
    told = environment(Device("cuda"))
    assert {"cuda", "gpu_memory", "gpu_capability"} <= set(told)
    assert told["device"] == torch.cuda.get_device_name()
    assert re.fullmatch(r"\d+ GiB", told["gpu_memory"]) and re.fullmatch(r"\d+\.\d+", told["gpu_capability"])
    assert re.fullmatch(r"[\d.]+", told.get("driver", "1"))


def test_a_gpus_facts_are_told_as_far_as_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SimpleNamespace(total_memory=80 * 2**30, major=9, minor=0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: facts)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    told = environment(Device("cuda"))
    assert (told["device"], told["gpu_memory"], told["gpu_capability"]) == ("Some GPU", "80 GiB", "9.0")
    assert "cuda" not in told and "" not in told.values()


def test_time_between_two_stamps() -> None:
    device = Device("cpu")
    start = device.stamp()
    time.sleep(0.01)
    assert 0.01 <= device.elapsed(start, device.stamp()) < 5


def test_the_fastest_product_is_no_slower_than_one_that_is_timed_by_hand() -> None:
    device, side = Device("cpu"), 256
    peak = device.matmul_peak([side], 0.02)
    left = torch.randn(side, side)
    start = time.perf_counter()
    for _ in range(50):
        left @ left
    mean = 2 * side**3 * 50 / (time.perf_counter() - start)
    assert peak > mean / 3
    assert 1e7 < peak < 1e14


def test_shapes_alone_have_no_mixed_precision() -> None:
    device = Device("meta")
    with device.autocast(), device.full_precision():
        assert torch.empty(2, device=device.torch).is_meta
    assert Device("cpu").precision == torch.float32


@pytest.mark.gpu
def test_stamps_of_a_gpu_wait_for_nobody() -> None:
    device = Device("cuda")
    a = torch.randn(4096, 4096, device="cuda")
    start = device.stamp()
    for _ in range(20):
        a @ a
    queued = time.perf_counter()
    end = device.stamp()
    assert time.perf_counter() - queued < device.elapsed(start, end)
    assert device.matmul_peak([4096]) > 1e12
    device.forget_peak()
    assert device.peak_bytes() >= a.nbytes
