"""One run: steps, looks at the losses, validations, checkpoints."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mtlib import checkpoints, parallel
from mtlib.augment import Augment
from mtlib.interrupts import stoppable
from mtlib.method import Method
from mtlib.recipe import Recipe
from mtlib.rows import Rows
from mtlib.seeds import derive
from mtlib.tasks import Batch, Dataset, Split
from mtlib.training.scores import Score
from mtlib.training.speed import prepared
from mtlib.updates import Update

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Result:
    """What became of a run.

    method: the trained one, in evaluation mode.
    history: one row per logged or validated step, {"step", task or term: value, "total"}, and what was validated
        after it as "validation ...".
    interrupted: stopped before its end.  best: the step whose parameters were kept, None without validation.
    """

    method: Method
    history: list[dict[str, float]] = field(default_factory=list)
    interrupted: bool = False
    best: int | None = None

    def table(self) -> "pd.DataFrame":
        """The history as a table, one row per row."""
        import pandas as pd  # the desk's; training needs torch alone

        return pd.DataFrame(self.history)


@dataclass
class Run:
    """One call of ``fit``: where it stands, and what it has seen."""

    method: Method
    data: Dataset
    recipe: Recipe
    update: Update
    rows: Rows
    seed: int
    every: int  # steps between rows of history
    validate_every: int | None
    score: Score
    checkpoint: Path | None
    save_every: float
    augment: Augment | None = None
    step: int = 0  # updates made
    best: dict | None = None  # score, step, values
    saved: int | None = None  # updates made when the last checkpoint was written

    def __post_init__(self) -> None:
        self.device = next(self.method.parameters()).device
        self.accelerators = [self.device] if self.device.type == "cuda" else []
        floating = self.data.train.x.dtype if self.data.train.x.is_floating_point() else torch.float32
        self.like = {"dtype": floating, "device": self.device}
        self.result = Result(self.method)
        self.names = list(self.method.loss_names)
        self.trace: list[Tensor] = []  # losses (terms,) since the last look, left on the device: asking costs a wait

    # ------------------------------------------------------------------ start, steps, end

    def start(self) -> None:
        """Compile if asked to, start the update, and go where the checkpoint says."""
        parallel.broadcast(self.values().values())
        state = None
        if self.checkpoint:
            self.identity = self._identify()
            state = parallel.from_first(lambda: checkpoints.load(self.checkpoint, self.identity))
        finished = state is not None and state["step"] == self.recipe.steps
        self.method.train()
        self._reseed("trial")
        losses = self.method.losses if finished else prepared(self.method, self.recipe, self.batch())
        self.update.start(self.method, self.recipe, losses)
        for optimiser in self.update.optimisers:  # it may train more than the method has
            parallel.broadcast(p for group in optimiser.param_groups for p in group["params"])
        if state is not None:
            state = pytree.tree_map_only(Tensor, lambda value: value.to(self.device), state)
            self.put(state["values"])
            self.update.load_state_dict(state["update"])
            self.step, self.result.history, self.best = state["step"], state["history"], state["best"]
            self.saved = self.step

    def to_the_end(self, tell: list[Callable[[int], None]]) -> Result:
        """Train from where the run stands, save, and put the best parameters back."""
        for advance in tell if self.step else ():
            advance(self.step)
        self.save_at = time.monotonic() + self.save_every if self.checkpoint else math.inf
        with stoppable() as stop:
            while self.step < self.recipe.steps:
                self._train()
                for advance in tell:
                    advance(1)
                if self._pause(stop.asked):
                    break
            self.result.interrupted = self.step < self.recipe.steps
            self._save()
        if self.best is not None:
            self.put(self.best["values"])
            self.result.best = self.best["step"]
        parallel.broadcast(self.values().values())
        self.method.eval()
        return self.result

    def batch(self) -> Batch:
        """This process's part of the batch at hand."""
        rows = self.rows(self.step)
        own = parallel.part(rows)
        self.update.share = len(own) / len(rows)
        batch = self.data.train.take(own)
        batch.progress = torch.full((), self.step / self.recipe.steps, **self.like)
        if self.augment is None:
            return batch
        numbers = self.augment.numbers(self.seed, self.step, len(rows))
        return self.augment.apply(batch, parallel.part(numbers))

    def _train(self) -> None:
        """One update; a row of history and a validation where they are due."""
        self._reseed("step")
        logs = self.update(self.batch())
        self.update.scheduled()
        self.trace.append(torch.cat([value.reshape(-1) for value in logs.values()]))
        self.terms = list(logs)[1:]
        step, self.step = self.step, self.step + 1
        last = self.step == self.recipe.steps
        validating = self.validate_every is not None and (last or self.step % self.validate_every == 0)
        if last or validating or step % self.every == 0:
            values = self._look()
            self.result.history.append({"step": step, **dict(zip([*self.names, *self.terms], values, strict=True))})
        if validating:
            self._validate(step)

    def _pause(self, asked: bool) -> bool:
        """Save if it is time; whether to stop. Several processes must agree, which they do at rows of history."""
        if parallel.world() > 1 and self.trace:
            return False
        asked, due = parallel.anybody(asked, time.monotonic() > self.save_at)
        if due and not asked and self.step < self.recipe.steps:
            self._save()
            self.save_at = time.monotonic() + self.save_every
        return asked

    def _reseed(self, *what: str) -> None:
        """Random numbers of this step, whatever was drawn before: nothing to save, and dropout resumes exactly."""
        seed = derive(*what, self.seed, self.step, parallel.rank())
        torch.random.default_generator.manual_seed(seed)
        for device in self.accelerators:
            torch.cuda.default_generators[device.index or 0].manual_seed(seed)

    # ------------------------------------------------------------------ looking at what became of it

    def _look(self) -> list[float]:
        """The terms of the last step, once all since the last look are known to be finite."""
        trace = parallel.mean(torch.stack(self.trace), self.update.share)  # steps terms
        self.trace.clear()
        bad = (~trace.isfinite()).nonzero()  # in order of steps, the total after its terms
        if len(bad):
            row, column = bad[0].tolist()
            name, value = [*self.names, *self.terms][column], trace[row, column].item()
            self._refuse(f"step {self.step - len(trace) + row}: the loss of {name!r} is {value}")
        return trace[-1].tolist()

    def _refuse(self, message: str) -> None:
        if self.saved is not None:
            message += f"; the last good checkpoint is {self.checkpoint}, of {self.saved} updates"
        raise FloatingPointError(message)

    def _validate(self, step: int) -> None:
        report = parallel.from_first(self._report)
        self.result.history[-1] |= {f"validation {name}": value for name, value in report.items()}
        self.method.validated(report)
        self.update.validated(report)
        if self.best is None or report["score"] > self.best["score"]:
            values = {name: value.detach().clone() for name, value in self.values().items()}
            self.best = {"score": report["score"], "step": step, "values": values}

    def _report(self) -> dict[str, float]:
        """What the score says, in plain numbers, ``score`` last."""
        self.method.eval()
        self._reseed("validation")
        with torch.no_grad():
            report = {name: float(value) for name, value in self.score(self.method, self.data.validation).items()}
        self.method.train()
        finite = [value for value in report.values() if math.isfinite(value)]
        if not finite or not math.isfinite(report.get("score", 0.0)):
            raise ValueError(f"validation: no finite number to go by in the report {report}; give another score")
        return {**report, "score": report.get("score", sum(finite) / len(finite))}

    # ------------------------------------------------------------------ checkpoints

    def values(self) -> dict[str, Tensor]:
        """Parameters and buffers by name, those that a module does not save among them."""
        return {**dict(self.method.named_parameters()), **dict(self.method.named_buffers())}

    @torch.no_grad()
    def put(self, values: dict[str, Tensor]) -> None:
        """Overwrite parameters and buffers; a buffer may have changed its shape, a task graph say."""
        own = self.values()
        for name, value in values.items():
            if own[name].shape == value.shape:
                own[name].copy_(value)
            else:
                path, _, last = name.rpartition(".")
                setattr(self.method.get_submodule(path), last, value.clone())

    def _save(self) -> None:
        """Write a checkpoint, if there is to be one, but never one of a run that has gone wrong."""
        if self.trace:
            self._look()
        for name, value in self.method.named_parameters():
            if not value.isfinite().all():
                self._refuse(f"step {self.step - 1}: parameter {name!r} is not finite after it")
        if self.checkpoint is None or parallel.rank() != 0 or self.saved == self.step:
            return
        state = {
            "step": self.step,
            "values": {name: value.detach() for name, value in self.values().items()},
            "update": self.update.state_dict(),
            "history": self.result.history,
            "best": self.best,
        }
        checkpoints.save(self.checkpoint, self.identity, state)
        self.saved = self.step

    def _identify(self) -> dict:
        """What another run's checkpoint would differ in."""
        validation = self.data.validation if self.validate_every else None
        return {
            "kind": "fit",
            **{f"recipe.{name}": value for name, value in asdict(self.recipe).items()},
            "seed": self.seed,
            "data": self.data.name,
            "training rows": _digest(self.data.train),
            "validation rows": _digest(validation),
            "method": checkpoints.describe(self.method, values=False),
            "the method's initial values": checkpoints.digest(*self.values().values()),
            "update": f"{type(self.update).__qualname__} {checkpoints.describe(self.update.settings())}",
            "rows": checkpoints.describe(self.rows),
            "augment": self.augment and checkpoints.describe(self.augment),
            "steps between rows of history": self.every,
            "validate_every": self.validate_every,
            "score": checkpoints.describe(self.score),
        }


def _digest(split: Split | None) -> str:
    return (
        "" if split is None else checkpoints.digest(split.x, *(split.y[name] for name in sorted(split.y)), split.source)
    )
