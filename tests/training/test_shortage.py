"""Which errors say that memory ran out, and what becomes of what they held."""

from __future__ import annotations

import errno
import gc
import weakref

import numpy as np
import pytest
import torch
from torch import Tensor

from vlpbench.device import Device
from vlpbench.training.shortage import OutOfMemory, is_out_of_memory, let_go, room, stated


def raised(what: object) -> BaseException:
    """What asking for far too much raises here."""
    with pytest.raises((RuntimeError, MemoryError)) as caught:
        what() if callable(what) else None
    return caught.value


def test_what_torch_and_numpy_raise_on_this_machine() -> None:
    assert is_out_of_memory(raised(lambda: torch.empty(10**15)))
    assert is_out_of_memory(raised(lambda: np.empty(10**15)))
    assert is_out_of_memory(raised(lambda: bytearray(10**17)))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), True),
        (OutOfMemory("out of memory: nothing fits", "take less"), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), True),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED"), False),  # also what an index out of range leaves
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("out of memory"), False),
        (KeyError("batch"), False),
    ],
)
def test_which_errors_say_so(error: Exception, said: bool) -> None:
    assert is_out_of_memory(error) is said


def test_an_error_raised_from_one_says_so_too() -> None:
    def wrapping(openly: bool) -> None:
        try:
            torch.empty(10**15)
        except RuntimeError as error:
            raise ValueError("my head") from (error if openly else None)

    with pytest.raises(ValueError, match="my head") as caught:
        wrapping(True)
    assert is_out_of_memory(caught.value)
    with pytest.raises(ValueError, match="my head") as caught:
        wrapping(False)
    assert not is_out_of_memory(caught.value)


def test_what_the_frames_held_is_set_free() -> None:
    held: list[weakref.ref[Tensor]] = []

    def inner(kept: Tensor) -> None:
        circle = [kept]
        circle.append(circle)  # type: ignore[arg-type]
        raise MemoryError

    def outer() -> None:
        kept = torch.zeros(10)
        held.append(weakref.ref(kept))
        try:
            inner(kept)
        except MemoryError as error:
            raise RuntimeError("out of memory") from error

    gc.disable()
    try:
        outer()
    except RuntimeError as error:
        assert held[0]() is not None
        let_go(error)
        assert held[0]() is None
    finally:
        gc.enable()


def test_the_error_says_at_what() -> None:
    with pytest.raises(OutOfMemory) as caught, stated("the weights do not fit", "take fewer"):
        torch.empty(10**15)
    assert str(caught.value) == "out of memory: the weights do not fit; take fewer"
    assert isinstance(caught.value.__cause__, RuntimeError) and caught.value.fits == 0
    known = OutOfMemory("out of memory: a batch of 8 does not fit, 4 does", "set budget.batch = 4", 4)
    with pytest.raises(OutOfMemory) as caught, stated("the weights do not fit", "take fewer"):
        raise known
    assert caught.value is known
    with pytest.raises(ValueError, match="else"), stated("the weights do not fit", "take fewer"):
        raise ValueError("something else")


def test_a_cpu_has_no_room_to_tell() -> None:
    assert room(Device("cpu")) == ""
