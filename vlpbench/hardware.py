"""What the system tells of its processor and of a GPU's driver."""

from __future__ import annotations

import ctypes
import platform
import re
from pathlib import Path

__all__ = ["driver", "processor"]


def processor() -> str:
    """The processor's model, as the system tells it."""
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def driver() -> str:
    """The version of NVIDIA's driver: as the kernel tells it, else as its own library does; "" where neither does."""
    path = Path("/proc/driver/nvidia/version")
    if path.is_file():
        found = re.search(r"Kernel Module\D*?([\d.]+)", path.read_text(encoding="utf-8", errors="replace"))
        if found:
            return found[1]
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return ""
    text = ctypes.create_string_buffer(96)
    if library.nvmlInit_v2() or library.nvmlSystemGetDriverVersion(text, len(text)):
        return ""
    library.nvmlShutdown()
    return text.value.decode("ascii", "replace")
