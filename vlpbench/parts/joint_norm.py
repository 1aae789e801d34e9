"""Batch norm over the samples of all processes, so that its statistics are those of the whole batch.

The statistics and their gradients are sums over the processes (the count, the sum, then the sum of squares about the
common mean): the numbers of one process but for rounding. Torch's SyncBatchNorm is the same in kernels of its own, on
GPUs alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vlpbench.parts import ranks

__all__ = ["JointBatchNorm"]


class JointBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Stands in for a batch norm while several processes train; weights, buffers and settings are that norm's own."""

    def __init__(self, norm: nn.modules.batchnorm._BatchNorm) -> None:
        super().__init__(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats, "meta")
        # the very dictionaries: whatever is put in place of a weight or a buffer meanwhile is the norm's, too
        self._parameters, self._buffers = norm._parameters, norm._buffers
        self.training = norm.training

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (the name of the method that this overrides)
        """Any number of axes from two on: samples, channels, then places."""
        if input.dim() < 2:
            raise ValueError(f"batch norm takes samples and channels at least, not {input.dim()} axes")

    def forward(self, x: Tensor) -> Tensor:
        """B, C, ... -> the same shape."""
        if ranks.many() == 1 or not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        values = x.float()
        axes = [axis for axis in range(x.dim()) if axis != 1]
        count = ranks.total(values.new_tensor(float(values.numel() // values.shape[1])))
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean = ranks.summed(values.sum(axes)) / count
        centred = values - mean.view(shape)
        variance = ranks.summed(centred.square().sum(axes)) / count
        self._follow(mean.detach(), variance.detach() * (count / (count - 1)))
        scale = (variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        found = centred * scale.view(shape)
        return (found if self.bias is None else found + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, as torch's own does."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        pull = 1.0 / self.num_batches_tracked.float() if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), pull)
        self.running_var.lerp_(variance.to(self.running_var.dtype), pull)
