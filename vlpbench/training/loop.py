"""The loop: train, and one step of it. Pretraining and fine-tuning differ in what they hand to it, not in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor

from vlpbench.config.settings import Optim
from vlpbench.data.joint_loader import Batches
from vlpbench.data.shard import shard
from vlpbench.device import Device
from vlpbench.training.course import COURSE, Course, Heard, Training
from vlpbench.training.fitting import Fitting, guarded_step
from vlpbench.training.going import Going, Lesson, NonFiniteLoss
from vlpbench.training.joint import StepBatches
from vlpbench.training.learner import Learner
from vlpbench.training.parallel import clipped, prepared

__all__ = ["Heard", "NonFiniteLoss", "Training", "train", "train_lesson"]


def train(learner: Learner, loader: Batches, optim: Optim, device: Device, course: Course = COURSE) -> Training:
    """Take all steps of the loader, from the beginning or from the last checkpoint in the course's folder.

    Raises NonFiniteLoss, and Stopped where the pace says so. The result is a function of the learner's weights, the
    loader and `optim` alone, however often the training was cut off and taken up again, and in how many processes.
    """
    return train_lesson(Lesson(learner, loader, optim, course), device)


def train_lesson(lesson: Lesson, device: Device) -> Training:
    """The same of what is said in one."""
    with lesson.course.joined(), prepared(lesson.learner, device, lesson.course.pace.sharded):
        return _trained(replace(lesson, loader=shard(lesson.loader)), device)


def _trained(lesson: Lesson, device: Device) -> Training:
    going, course = Going(lesson), lesson.course
    optimizer = going.run.optimizer
    assert isinstance(optimizer, torch.optim.Optimizer)
    left = lesson.loader.steps - going.run.done
    fitting = Fitting(lesson.learner, going.told.micro_batch, course.setting, course.pace, left)
    fitting.flops = going.flops_of_a_step
    with closing(going.steps(device)) as steps:
        for host, views in steps:
            torch.manual_seed(going.chance())
            figures = train_step(lesson.learner, views, optimizer, lesson.optim.clip, device, fitting)
            going.end_step(host, figures, fitting.flops or 0, fitting.micro_batch)
    return going.end()


def train_step(
    learner: Learner, views: StepBatches, optimizer: torch.optim.Optimizer, clip: float, device: Device,
    fitting: Fitting,
) -> dict[str, Tensor]:
    """One step: gradients, clipping, update, teachers, queues. Returns figures that are still on the device."""
    optimizer.zero_grad(set_to_none=True)
    loss, figures, carries = fitting.gradient(learner, views, device)
    if clip > 0:
        figures["gradient"] = clipped(learner, clip)
    guarded_step(optimizer)
    learner.follow()
    for name, carry in carries.items():
        with torch.no_grad():
            learner.objective(name).after_step(carry)
    return {"loss": loss.detach(), **figures}
