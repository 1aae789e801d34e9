"""Trainings that differ by their seed alone, taken as one with a seed axis: each ends as if it had been alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing

from vlpbench.device import Device
from vlpbench.training.course import Training
from vlpbench.training.going import Going, Lesson
from vlpbench.training.pace import Stopped
from vlpbench.training.seed_axis import SeedAxis

__all__ = ["train_together"]


def train_together(lessons: Sequence[Lesson], device: Device) -> list[Training | Exception]:
    """What each training has to tell, or how it failed; one that fails leaves the others, which go on.

    The learners are of one shape, the loaders of equal steps, `optim` and micro-batch (0) equal. Those whose
    checkpoints stand at different steps go on in groups, one group after the other. Raises Stopped where a pace says
    so, when each has kept a checkpoint, and whatever goes wrong with all of them at once.
    """
    goings = [Going(lesson) for lesson in lessons]
    ends: dict[Going, Training | Exception] = {}
    for done in sorted({going.run.done for going in goings}):
        _train([going for going in goings if going.run.done == done and going not in ends], device, ends)
    return [ends[going] for going in goings]


def _train(goings: Sequence[Going], device: Device, ends: dict[Going, Training | Exception]) -> None:
    """All steps of trainings that stand at the same one."""
    left = list(goings)
    with ExitStack() as stack:
        steps = {going: stack.enter_context(closing(going.steps(device))) for going in left}
        axis = _axis(left, device)
        try:
            while left and left[0].run.done < left[0].loader.steps:
                given = [next(steps[going]) for going in left]
                figures = axis.step([views for _, views in given], [going.chance() for going in left])
                failed, stopped = {}, list[Going]()
                for going, (host, _), said in zip(left, given, figures, strict=True):
                    try:
                        going.end_step(host, said, axis.flops or 0, 0)
                    except Stopped:
                        stopped.append(going)
                    except Exception as error:  # noqa: BLE001 (one seed's end is not the others')
                        failed[going] = error
                if stopped:
                    _stop([going for going in left if going not in failed and going not in stopped])
                if failed:
                    axis = _without(failed, axis, left, device)
                    ends |= failed
        finally:
            axis.stacked.part_ways()
    for going in left:
        try:
            ends[going] = going.end()
        except Exception as error:  # noqa: BLE001
            ends[going] = error


def _stop(others: Sequence[Going]) -> None:
    """One was asked to stop, so all do; those that were asked a moment too early keep their checkpoints now."""
    for going in others:
        going.keep()
    raise Stopped("stopped together")


def _axis(goings: Sequence[Going], device: Device) -> SeedAxis:
    """The seed axis of these trainings, each of which sees its part of the common optimiser from now on."""
    runs = [going.run for going in goings]
    axis = SeedAxis([run.learner for run in runs], runs[0].optim, device, [run.optimizer for run in runs])
    axis.flops = goings[0].flops_of_a_step
    for run, own in zip(runs, axis.optimizers, strict=True):
        run.optimizer = own
    return axis


def _without(failed: Mapping[Going, Exception], axis: SeedAxis, left: list[Going], device: Device) -> SeedAxis:
    """The axis of those that are left."""
    left[:] = [going for going in left if going not in failed]
    return _axis(left, device) if left else axis
