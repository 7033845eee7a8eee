"""``fit``: what can be asked of a run; ``run`` does it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import torch

from mtlib import parallel
from mtlib.augment import Augment
from mtlib.method import Method
from mtlib.progress import Progress
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Rows
from mtlib.tasks import Dataset
from mtlib.training.checks import check_augment, check_counts, check_method, check_rows
from mtlib.training.run import Result, Run
from mtlib.training.scores import Score, accuracy
from mtlib.updates import Descend, Update

__all__ = ["Result", "fit"]


def fit(
    method: Method,
    data: Dataset,
    recipe: Recipe,
    update: Update | None = None,
    rows: Rows | None = None,
    *,
    augment: Augment | None = None,
    seed: int = 0,
    logged: int = 50,
    validate_every: int | None = None,
    score: Score = accuracy,
    checkpoint: Path | None = None,
    save_every: float = 60.0,
    label: str | None = None,
    advance: Callable[[int], None] = lambda steps: None,
) -> Result:
    """Train a method in place.

    Args:
        method: on the device of the data, initialised by the caller (``seeds.seeded``).
        data: its train split is used, and its validation split if asked to.
        update: how a batch moves the parameters; plain descent.
        rows: which rows form a batch; ``Epoch(len(data.train), recipe.batch, seed)``.
        augment: what is done at random to training batches; validation sees its rows as they are.
        seed: of the batches' order, of ``augment``, and of random numbers drawn inside a step (dropout).
        logged: about so many rows of history, evenly spaced, and one of the last step.
        validate_every: validate after every so many steps and at the end. The method is told the report
            (``validated``), and the parameters and buffers of the best validation are put back at the end.
        score: (method, validation split) -> report, larger is better: its entry ``score`` decides which is best,
            without one the mean of its finite entries.
        checkpoint: file to save to and to resume from: run the same lines again. A finished run is returned from
            it at once; one of another run is refused.
        save_every: seconds between checkpoints.
        label: what a progress bar says; none is shown without.
        advance: called after every step, and with the steps of a resumed run, for a progress bar of the caller's.

    An interrupt (Ctrl-C) stops after the step at hand, saves, and returns what there is, ``interrupted``.

    Raises:
        ValueError: method, data, rows and recipe do not fit together, or the checkpoint is another run's.
        FloatingPointError: a loss or parameter is not finite; the first such step and its term are named.
    """
    check_counts(logged, validate_every, save_every)
    check_method(method, data, validate_every is not None)
    rows = rows or Epoch(len(data.train), recipe.batch, seed)
    check_rows(rows, len(data.train), parallel.world())
    check_augment(augment, data.train, method.tasks, rows)
    if validate_every is None and recipe.schedule == "plateau":
        raise ValueError("recipe: schedule 'plateau' waits for validations; give validate_every")
    if validate_every is not None and score is accuracy and all(task.kind == "points" for task in method.tasks):
        raise ValueError("validation: tasks of points have no accuracy; give a score")
    if recipe.epochs is not None:
        if not hasattr(rows, "per_epoch"):
            raise ValueError("these rows do not say how many steps an epoch has (per_epoch); give the recipe steps")
        recipe = recipe.resolved(rows.per_epoch)
    run = Run(
        *(method, data, recipe, update or Descend(), rows, seed),
        every=max(1, recipe.steps // logged),
        validate_every=validate_every,
        score=score,
        checkpoint=checkpoint,
        save_every=save_every,
        augment=augment,
    )
    first = parallel.rank() == 0
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=run.accelerators))
        bar = stack.enter_context(Progress(recipe.steps, label)) if label and first else None
        run.start()
        tell = [advance, *([bar.advance] if bar else [])] if first else []
        return run.to_the_end(tell)
