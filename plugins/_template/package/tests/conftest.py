"""Models as small as those of the tests are fastest with one thread, whatever else the machine is doing."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
