"""How much of the pair search a notebook makes."""

from dataclasses import dataclass, replace
from pathlib import Path

from mtlib.experiments.pair_data import Source
from mtlib.experiments.pair_search import Plan

RATES = (0.003, 0.01, 0.03)  # that are tried on seed 900, by single networks and by multi-task ones
RATE = 0.01  # of demonstrations, which are not tuned


@dataclass(frozen=True)
class Profile:
    """Faces of each split, attributes (None: all), epochs, single networks of every attribute, seeds, trunk.

    ``network`` None takes principal components; else the named network learns all attributes and is frozen, and
    ``widths`` are the paper's hidden layers (L-19).
    """

    train: int | None
    validation: int | None
    test: int | None
    attributes: int | None
    epochs: int
    replicates: int
    seeds: int
    network: str | None = None
    size: int = 32
    widths: tuple[int, ...] = (32, 32)

    def plan(self, folder: Path, *, data: str, root: str | None, made_by: str | None, device: str) -> Plan:
        """The plan of a search."""
        sizes = {"train": self.train, "validation": self.validation, "test": self.test, "attributes": self.attributes}
        source = Source(data, root, size=self.size, network=self.network, device=device, **sizes)
        made = {"epochs": self.epochs, "replicates": self.replicates, "widths": self.widths, "made_by": made_by}
        return Plan(source, folder, looks=min(6, self.epochs), **made)


PROFILES = {
    "smoke": Profile(256, 128, 128, 4, 2, 6, 2),
    "quick": Profile(2048, 1024, 2048, 8, 6, 12, 2),
    "standard": Profile(16_384, 8192, 8192, None, 6, 40, 6),
    "paper": Profile(None, None, None, None, 6, 40, 5, "resnet18", 224, (512, 512)),
}


def profile(name: str, *, attributes: int = 0, seeds: int = 0) -> Profile:
    """A notebook's profile with what was asked for instead; 0 takes the profile's."""
    found = PROFILES[name]
    return replace(found, attributes=attributes or found.attributes, seeds=seeds or found.seeds)
