"""Train the copies together: chunks of updates, each followed by a look at what became of the losses."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtlib import checkpoints
from mtlib.augment import Augment
from mtlib.checkpoints import describe
from mtlib.ensemble.program import Program
from mtlib.ensemble.stack import Batches, Copy, Networks, check, check_columns
from mtlib.interrupts import stoppable
from mtlib.method import Method
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Rows
from mtlib.seeds import derive
from mtlib.tasks import Dataset
from mtlib.training.checks import check_augment, check_counts, check_rows

if TYPE_CHECKING:
    import pandas as pd

CHUNK = 64  # updates whose rows are drawn at once, and between looks at the losses
ROOM = 2**26  # bytes of inputs drawn at once


@dataclass
class Result:
    """What became of the K copies.

    copies: as given.  names: of the loss terms, ``total`` last.  steps: of the logged rows.
    history: (rows, K, terms), NaN once a copy is frozen.
    frozen: {copy's place: what was not finite, and when}; such a copy stands where it was before.
    looks: (looks, K, ...) what ``look`` gave.  looked: after how many steps each time.
    interrupted: stopped before its end.
    """

    copies: Sequence[Copy]
    stacked: Networks
    names: list[str]
    steps: list[int] = field(default_factory=list)
    history: Tensor = field(default_factory=lambda: torch.empty(0))
    frozen: dict[int, str] = field(default_factory=dict)
    looks: Tensor = field(default_factory=lambda: torch.empty(0))
    looked: list[int] = field(default_factory=list)
    interrupted: bool = False

    def networks(self) -> Iterator[Method]:
        """Every copy in order as a network of its own, in evaluation mode, made when it is asked for."""
        return (self.stacked.network(place) for place in range(len(self.copies)))

    def table(self) -> "pd.DataFrame":
        """The history as a table: one row per logged step and copy."""
        import pandas as pd  # the desk's; training needs torch alone

        rows, count, terms = self.history.shape
        frame = pd.DataFrame(self.history.reshape(rows * count, terms).tolist(), columns=self.names)
        frame.insert(0, "copy", list(range(count)) * rows)
        frame.insert(0, "step", [step for step in self.steps for _ in range(count)])
        return frame


def fit(
    build: Callable[[Copy], Method],
    data: Dataset | Sequence[Dataset],
    copies: Sequence[Copy],
    recipe: Recipe,
    *,
    rows: Callable[[int, int, int], Rows] = Epoch,
    augment: Augment | None = None,
    logged: int = 50,
    look: Callable[[Networks], Tensor] | None = None,
    looks: int = 1,
    checkpoint: Path | None = None,
    save_every: float = 60.0,
    advance: Callable[[int], None] = lambda updates: None,
) -> Result:
    """Train every copy by plain descent, as ``training.fit`` would train it alone.

    Args:
        build: makes a copy's network, initialised (``seeds.seeded``), on the device of the data.
        data: one data set, or several of one shape; ``Copy.data`` says which.
        copies: one or more.
        recipe: as for ``training.fit``, but no plateau, as nothing is validated, and no channels-last.
        rows: (examples, batch, seed) -> the rows of every step.
        augment: what is done at random to every copy's batches, by the copy's seed.
        logged: about so many rows of history, evenly spaced, and one of the last step.
        look: what is asked of the networks on the way, such as ``Accuracy``: a tensor (K, ...), of one shape.
        looks: how often, evenly spaced; the last time at the end.
        checkpoint: file to save to and to resume from; a finished run is taken from it at once.
        save_every: seconds between checkpoints.
        advance: told the updates done, counted over all copies.

    Raises:
        ValueError: a recipe that ensembles do not have, or copies that cannot share a program; what differs is named.
    """
    data = [data] if isinstance(data, Dataset) else list(data)
    check_counts(logged, None, save_every)
    if not isinstance(looks, int) or looks < 1:
        raise ValueError(f"looks is a whole number of 1 or more, got {looks!r}")
    check(data, copies)
    if recipe.schedule == "plateau" or recipe.channels_last:
        raise ValueError("an ensemble has no validation for schedule 'plateau' and no channels_last: train one by one")
    batches = Batches(data, copies, recipe.batch, rows, augment)
    check_rows(batches.orders[0], batches.n, 1)
    check_augment(augment, data[0].train, data[0].tasks, batches.orders[0])
    check_columns(augment, copies)
    networks = Networks([build(copy) for copy in copies])
    where = {value.device for value in networks.parameters.values()}
    if where != {batches.x.device}:
        raise ValueError(f"the networks are on {', '.join(map(str, where))}, the data on {batches.x.device}")
    recipe = recipe.resolved(batches.per_epoch)
    if look and looks > recipe.steps:
        raise ValueError(f"{looks} looks need as many steps, the recipe has {recipe.steps}")
    run = Run(copies, networks, batches, recipe, logged, advance, look, looks)
    return run.to_the_end(checkpoint, save_every)


class Run:
    """The state of one call of ``fit``."""

    def __init__(
        self,
        copies: Sequence[Copy],
        networks: Networks,
        batches: Batches,
        recipe: Recipe,
        logged: int,
        advance: Callable[[int], None],
        look: Callable[[Networks], Tensor] | None = None,
        looks: int = 1,
    ) -> None:
        self.networks, self.batches, self.recipe, self.advance = networks, batches, recipe, advance
        self.look = look
        self.when = [round(recipe.steps * (k + 1) / looks) for k in range(looks)] if look else []
        self.every = max(1, recipe.steps // logged)
        self.chunk = max(1, min(CHUNK, ROOM // batches.bytes))
        self.step = 0
        self.optimiser = recipe.optimise(networks.groups())
        self.schedule = recipe.schedules(self.optimiser)
        self.program = Program(networks, batches, recipe)
        self.kept: list[Tensor] = []  # rows of history, K terms
        self.seen: list[Tensor] = []  # of every look, K ...
        x, y = next(batches.draw(0, 1))
        x = x if batches.one else x[0]
        y = y if batches.one_labels else {name: value[0] for name, value in y.items()}
        self.result = Result(copies, networks, networks.names(x, y))

    def to_the_end(self, checkpoint: Path | None, save_every: float) -> Result:
        """Resume if there is something to resume, train, save."""
        run = self._identity() if checkpoint else {}
        if checkpoint and (state := checkpoints.load(checkpoint, run, self.batches.x.device)):
            self.load_state_dict(state)
        saved = time.monotonic()
        begun = self.step
        accelerators = [self.batches.x.device] if self.batches.x.is_cuda else []
        with stoppable() as stop, torch.random.fork_rng(devices=accelerators):
            while self.step < self.recipe.steps and not stop.asked:
                until = next((step for step in self.when if step > self.step), self.recipe.steps)
                self.train(min(self.chunk, until - self.step))
                if self.step in self.when:
                    self._look()
                if checkpoint and time.monotonic() - saved >= save_every:
                    checkpoints.save(checkpoint, run, self.state_dict())
                    saved = time.monotonic()
        if checkpoint and self.step > begun:
            checkpoints.save(checkpoint, run, self.state_dict())
        self.result.interrupted = self.step < self.recipe.steps
        self.result.history = torch.stack(self.kept).cpu() if self.kept else torch.empty(0)
        self.result.looks = torch.stack(self.seen).cpu() if self.seen else torch.empty(0)
        return self.result

    @torch.no_grad()
    def _look(self) -> None:
        self.seen.append(self.look(self.networks))
        self.result.looked.append(self.step)

    def train(self, steps: int) -> None:
        """A chunk of updates. Copies that go wrong in it are put back to its beginning and stay there.

        Nothing is looked at before the chunk's end, as looking waits for the device; until then a bad copy spoils
        only itself.
        """
        networks = self.networks
        trained = [networks.parameters[name] for name in networks.trained()]
        state = [*networks.parameters.values(), *networks.stacked.values()]
        before = [value.detach().clone() for value in state]
        trace = []
        for step, (x, y) in enumerate(self.batches.draw(self.step, steps), self.step):
            torch.manual_seed(derive("step", step))  # for dropout: a resumed run draws the same
            values, gradients = self.program(x, y, step / self.recipe.steps)
            for parameter, gradient in zip(trained, gradients, strict=True):
                if gradient is not None and gradient.stride() != parameter.stride():  # as in Update.step
                    gradient = torch.empty_like(parameter).copy_(gradient)
                parameter.grad = gradient
            self.optimiser.step()
            self.schedule.step()
            trace.append(values)
        values = torch.stack(trace)  # steps K terms
        self._find_frozen(values)
        if self.result.frozen:
            places = torch.tensor(sorted(self.result.frozen), device=values.device)
            values[:, places] = math.nan
            with torch.no_grad():
                for value, old in zip(state, before, strict=True):
                    value[places] = old[places]
        for step in range(self.step, self.step + steps):
            if step % self.every == 0 or step == self.recipe.steps - 1:
                self.result.steps.append(step)
                self.kept.append(values[step - self.step].clone())
        self.step += steps
        self.advance(steps * values.shape[1])

    def _find_frozen(self, values: Tensor) -> None:
        """Note each copy whose losses (steps, K, terms), or parameters after them, are newly not finite."""
        whole = torch.stack([p.detach().flatten(1).isfinite().all(1) for p in self.networks.parameters.values()]).all(0)
        finite = values.isfinite()
        for place in (~(whole & finite.all(2).all(0))).nonzero().flatten().tolist():
            if place in self.result.frozen:
                continue
            wrong = (~finite[:, place]).nonzero()  # in order of steps, the total after its terms
            step, term = wrong[0].tolist() if len(wrong) else (len(values) - 1, None)
            what = "a parameter is not finite after it"
            if term is not None:
                what = f"the loss of {self.result.names[term]!r} is {values[step, place, term].item()}"
            self.result.frozen[place] = f"step {self.step + step}: {what}"

    def _identity(self) -> dict:
        """What another run's checkpoint would differ in."""
        digest = hashlib.blake2b(repr(list(self.result.copies)).encode(), digest_size=8).hexdigest()
        return {
            "kind": "ensemble",
            "recipe": asdict(self.recipe),
            "copies": f"{len(self.result.copies)} copies, {digest}",
            "data": self.batches.digest(),
            "method": describe(self.networks.terms.method, values=False),
            "the networks' initial values": self.networks.digest(),
            "rows": describe(self.batches.orders[0]),
            "augment": self.batches.augment and describe(self.batches.augment),
            "logged every": self.every,
            "chunk": self.chunk,
            "looks after": self.when,
        }

    def state_dict(self) -> dict:
        """All that a resumed run needs."""
        return {
            "step": self.step,
            "parameters": {name: value.detach() for name, value in self.networks.parameters.items()},
            "buffers": {**self.networks.stacked, **self.networks.shared},
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "steps": self.result.steps,
            "history": self.kept,
            "looks": self.seen,
            "looked": self.result.looked,
            "frozen": self.result.frozen,
        }

    def load_state_dict(self, state: dict) -> None:
        """Take back what ``state_dict`` gave."""
        buffers = {**self.networks.stacked, **self.networks.shared}
        with torch.no_grad():
            for own, saved in ((self.networks.parameters, "parameters"), (buffers, "buffers")):
                for name, value in own.items():
                    value.copy_(state[saved][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.kept, self.seen = state["step"], list(state["history"]), list(state["looks"])
        self.result.looked = list(state["looked"])
        self.result.steps, self.result.frozen = list(state["steps"]), dict(state["frozen"])
        self.advance(self.step * len(self.result.copies))
