"""Many copies of one architecture as stacked tensors, and their data, each set held once."""

import copy as copying
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.func import stack_module_state

from mtlib.augment import Augment
from mtlib.checkpoints import describe, digest
from mtlib.lazy import Lazy
from mtlib.method import Method
from mtlib.rows import Rows
from mtlib.tasks import Batch, Dataset
from mtlib.training.checks import check_split


@dataclass(frozen=True)
class Copy:
    """What makes one copy differ from the others.

    Args:
        seed: of the order of its batches, and of what is done to them at random; ``build`` may use it for the initial
            weights.
        data: which of the data sets, counted from 0.
        columns: {task name: places of the label columns it learns}; all columns where a task is not named.
        settings: for ``build``, which puts them into its network's buffers.
    """

    seed: int = 0
    data: int = 0
    columns: Mapping[str, Sequence[int]] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


class Terms(nn.Module):
    """A method whose call gives every loss term and the total, (terms,): what ``functional_call`` can call."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.names: list[str] = []  # of the terms, once called

    def forward(self, x: Tensor, y: dict[str, Tensor], progress: Tensor) -> Tensor:
        """x (B, ...), y {task: (B, c)}, progress () -> (terms,), ``total`` last."""
        losses = self.method.losses(Batch(x, y, progress=progress))
        self.names = [*self.method.loss_names, *losses.extra, "total"]
        return torch.cat([losses.tasks, torch.stack([*losses.extra.values(), losses.total()])])


class Networks:
    """The copies' parameters and buffers, stacked.

    parameters: {name: (K, ...)} leaves.  stacked: buffers that may differ or change, (K, ...).
    shared: whole-number buffers on which all copies agree, such as tables of places: indices cost more if stacked.
    """

    def __init__(self, methods: Sequence[Method]) -> None:
        self.terms = Terms(copying.deepcopy(methods[0])).train()
        _check_alike(methods)
        self.parameters, buffers = stack_module_state([Terms(method).train() for method in methods])
        self.shared = {
            name: value[0]
            for name, value in buffers.items()
            if not value.is_floating_point() and (value == value[:1]).all()
        }
        self.stacked = {name: value for name, value in buffers.items() if name not in self.shared}

    def trained(self) -> list[str]:
        """The names of the parameters that are not frozen."""
        return [name for name, value in self.parameters.items() if value.requires_grad]

    def groups(self) -> list[dict]:
        """The first copy's optimiser groups, of stacked parameters; all copies have the same."""
        names = {id(value): name for name, value in self.terms.named_parameters()}
        return [
            {**group, "params": [self.parameters[names[id(value)]] for value in group["params"]]}
            for group in self.terms.method.groups()
        ]

    def names(self, x: Tensor, y: dict[str, Tensor]) -> list[str]:
        """The loss terms' names, from one copy's batch; the copies stay as they are."""
        terms = copying.deepcopy(self.terms)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            terms(x, y, torch.tensor(0.0))
        return terms.names

    def digest(self) -> str:
        """A short hash of all parameters and buffers, initial ones if taken before training."""
        return digest(*self.parameters.values(), *self.stacked.values(), *self.shared.values())

    def network(self, place: int) -> Method:
        """Copy number ``place`` as a network of its own, in evaluation mode."""
        alone = copying.deepcopy(self.terms)
        own = {name: value[place] for name, value in (*self.parameters.items(), *self.stacked.items())} | self.shared
        with torch.no_grad():
            for name, value in (*alone.named_parameters(), *alone.named_buffers()):
                value.copy_(own[name])
        return alone.method.eval()


class Batches:
    """The copies' batches, drawn in chunks.

    Each data set is held once: x (D, N, ...), and where there is one set, without copying it. If all copies see the
    same rows of the same set, there is one batch for all of them.
    """

    def __init__(
        self,
        data: Sequence[Dataset],
        copies: Sequence[Copy],
        batch: int,
        rows: Callable[[int, int, int], Rows],
        augment: Augment | None = None,
    ) -> None:
        splits = [each.train for each in data]
        self.x = _together([split.x for split in splits])  # D N ...
        self.y = {task.name: _together([split.y[task.name] for split in splits]) for task in data[0].tasks}
        self.n = len(splits[0])
        self.augment = augment
        self.seeds = list(dict.fromkeys(copy.seed for copy in copies))
        self.orders = [rows(self.n, batch, seed) for seed in self.seeds]
        self.per_epoch = self.orders[0].per_epoch
        device = self.x.device
        self.order = torch.tensor([self.seeds.index(copy.seed) for copy in copies])  # K
        self.set = torch.tensor([copy.data for copy in copies], device=device)  # K
        self.columns = {
            name: torch.tensor([list(copy.columns.get(name, range(y.shape[-1]))) for copy in copies], device=device)
            for name, y in self.y.items()
        }  # K c
        self.one = len({(copy.seed, copy.data) for copy in copies}) == 1
        self.one_labels = self.one and all(len(each.unique(dim=0)) == 1 for each in self.columns.values())
        if augment is not None:  # it changes inputs and labels together
            self.one = self.one_labels
        batch = len(self.orders[0](0))
        row = (1 if self.one else len(copies)) * self.x[0, 0].nbytes
        row += (1 if self.one_labels else len(copies)) * sum(y[0, 0].nbytes for y in self.y.values())
        self.bytes = batch * row  # of one step's inputs and labels

    def draw(self, start: int, steps: int) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """x (K, B, ...) and y {task: (K, B, c)} of ``steps`` steps from ``start``; without K where one serves all."""
        places = torch.stack([torch.stack([order(start + i) for i in range(steps)]) for order in self.orders])
        places = places.to(self.x.device, non_blocking=True)  # orders steps B
        one, labels = (slice(1) if same else slice(None) for same in (self.one, self.one_labels))
        rows, sets = places[self.order], self.set[:, None, None]  # K steps B; K 1 1
        x = self.x[sets[one], rows[one]]  # K steps B ...
        y = {
            name: y[sets[labels, ..., None], rows[labels][..., None], self.columns[name][labels][:, None, None]]
            for name, y in self.y.items()
        }  # K steps B c
        for i in range(steps):
            found = {name: value[0, i] if self.one_labels else value[:, i] for name, value in y.items()}
            own = x[0, i] if self.one else x[:, i]
            yield (own, found) if self.augment is None else self._augmented(own, found, start + i)

    def _augmented(self, x: Tensor, y: dict[str, Tensor], step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The batches of a step, each augmented as its copy's would be alone."""
        if self.one:
            batch = self.augment(Batch(x, y), self.seeds[0], step)
            return batch.x, batch.y
        shape = x.shape[:2]  # K B
        numbers = torch.stack([self.augment.numbers(seed, step, shape[1]) for seed in self.seeds])[self.order]
        batch = Batch(x.flatten(0, 1), {name: value.flatten(0, 1) for name, value in y.items()})
        batch = self.augment.apply(batch, numbers.flatten(0, 1), groups=shape[0])
        return batch.x.unflatten(0, shape), {name: value.unflatten(0, shape) for name, value in batch.y.items()}

    def digest(self) -> str:
        """A short hash of all data, which a resumed run must find unchanged."""
        return digest(self.x, *self.y.values())


def check(data: Sequence[Dataset], copies: Sequence[Copy]) -> None:
    """Refuse copies and data that cannot share a program, before anything is built.

    Raises:
        ValueError: no copies, a set or column that does not exist, sets of different shapes, tasks or labels.
    """
    if not copies or not all(isinstance(copy, Copy) for copy in copies):
        raise ValueError(f"an ensemble needs one or more Copy, got {copies!r}")
    first, x = data[0], data[0].train.x
    for each in data:
        check_split(f"train split of {each.name!r}", each.train, each.tasks, each.train.x.device)
        if each.train.source is not None:
            raise ValueError(f"{each.name}: an ensemble has one data base per copy, but its train split has sources")
        if isinstance(each.train.x, Lazy):
            made = type(each.train.x).__name__
            raise ValueError(
                f"{each.name}: an ensemble needs its inputs in a tensor, but they are {made}, made when asked for"
            )
        if (each.train.x.shape, each.train.x.dtype, each.tasks) != (x.shape, x.dtype, first.tasks):
            raise ValueError(
                f"data sets of one ensemble have one shape and the same tasks: {first.name} has "
                f"{tuple(x.shape)}, {each.name} has {tuple(each.train.x.shape)}"
            )
    widths = {task.name: len(task.columns) for task in first.tasks}
    for place, copy in enumerate(copies):
        if copy.data not in range(len(data)):
            raise ValueError(f"copy {place}: data set {copy.data} does not exist, there are {len(data)}")
        for name, columns in copy.columns.items():
            if name not in widths or not all(column in range(widths[name]) for column in columns):
                raise ValueError(f"copy {place}: no columns {list(columns)} of task {name!r} among {widths}")
        for name, width in widths.items():
            if len(copy.columns.get(name, range(width))) != len(copies[0].columns.get(name, range(width))):
                raise ValueError(f"copy {place}: every copy learns the same number of columns of {name!r}")


def check_columns(augment: Augment | None, copies: Sequence[Copy]) -> None:
    """Refuse copies that learn some coordinates of points that move with the picture.

    Raises:
        ValueError: which copy, and of which task.
    """
    for place, copy in enumerate(copies):
        split = {*augment.positions} & {*copy.columns} if augment is not None and augment.moves else ()
        if split:
            raise ValueError(f"copy {place}: augment moves whole points, so all columns of {min(split)!r} are learned")


def _check_alike(methods: Sequence[Method]) -> None:
    """One program for all: the same class, parameters, optimiser groups, and settings outside the buffers."""

    def shape(method: Method) -> tuple:
        named = [*method.named_parameters(), *method.named_buffers()]
        shapes = [(name, tuple(value.shape), value.dtype, value.requires_grad) for name, value in named]
        rates = [{key: value for key, value in group.items() if key != "params"} for group in method.groups()]
        return type(method), shapes, rates, describe(method, values=False)

    first, names = shape(methods[0]), ("classes", "parameters", "optimiser groups", "settings")
    for place, method in enumerate(methods):
        for what, own, other in zip(names, shape(method), first, strict=True):
            if own != other:
                raise ValueError(f"copies share one program, but copy {place} has other {what}: {own}, not {other}")


def _together(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)) if len(values) > 1 else values[0].unsqueeze(0)
