"""Where forty attributes are looked for, and what moves them: maps against masks, and interventions (Eqs. 15, 16).

The unit is a cell, one network with one seed, as in ``face_table``, whose plan and cells these are. Networks see drawn
faces in colour: there the pixels of an attribute are known, and one attribute can be set while all else stays.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mtlib.cam import cam, grad_cam, localise, summarise, upsample
from mtlib.datasets.registry import DRAWN
from mtlib.experiments import face_scores, face_table, jobs
from mtlib.experiments.face_scores import TASK
from mtlib.experiments.face_table import Cell, cells, total
from mtlib.faces import Faces, draw
from mtlib.faces.data import numbers
from mtlib.faces.draw import pictures
from mtlib.faces.names import ATTRIBUTES
from mtlib.metrics.evaluate import outputs
from mtlib.networks import Trunk, averaged
from mtlib.seeds import seeded
from mtlib.structure import Ridge
from mtlib.tasks import Split, Task
from mtlib.updates import Descend

__all__ = ["ARMS", "Cell", "Plan", "build", "cells", "from_text", "run_cell", "to_text", "total", "train"]

# How features come of the last map (its mean, as (16) needs; a layer that sees all places), and the maps to go with it.
ARMS = {"averaged": "CAM", "flattened": "Grad-CAM"}
KEPT = (
    "faces",
    *(f"{score}{beside}" for score in ("pointing", "overlap") for beside in ("", " by chance", " of the centre")),
)
COLOURS = 3
WEIGHT = 1e-4  # of Eq. (1)'s penalty, as in ``attribute_graph``
DIGITS = 4
PIXELS = 2**18  # judged at a time: forty maps and masks of each are kept, some in double precision


@dataclass(frozen=True)
class Plan(face_table.Plan):
    """How the cells are trained; the arguments are ``face_table.Plan``'s, and

    judged: test faces whose maps are compared with masks and that are drawn with every attribute set and unset.

    Raises:
        ValueError: other data than drawn faces, or more faces to judge than to test.
    """

    judged: int = 512

    def __post_init__(self) -> None:
        if self.data != DRAWN:
            raise ValueError(f"masks and interventions need {DRAWN}, of {self.data} they are not known")
        if not 1 <= self.judged <= (self.test or 0):
            raise ValueError(f"judged is from 1 to the {self.test} test faces, got {self.judged}")

    def stem(self, cell: Cell) -> Path:
        """Where a cell leaves its files: named after all that decides its outcome, but not the training code."""
        sizes = (self.size, self.train, self.test, self.judged)
        return self.folder / f"maps-{jobs.digest(self.recipe, sizes, cell, self.device)}"


def train(wanted: Sequence[Cell], plan: Plan, *, workers: int = 1, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """Train what is not trained yet; the rows of every cell in the order given, see ``scores``.

    Arguments as in ``face_table.train``.
    """
    return face_table.train(wanted, plan, workers=workers, advance=advance, run=run_cell)


def run_cell(cell: Cell, plan: Plan, advance: jobs.Advance = jobs.nothing) -> list[dict]:
    """One row, from its file if the cell is done."""
    return face_table.run_cell(cell, plan, advance, _trained)


def _trained(cell: Cell, plan: Plan, checkpoint: Path, advance: jobs.Advance) -> dict:
    torch.set_num_threads(1)  # as in face_table
    data = face_table.load(plan, cell.seed, COLOURS)
    method = build(cell.arm, plan.size, data.tasks, cell.seed).to(plan.device)
    row, _ = face_table.fitted(cell, plan, method, data, Descend(), checkpoint, advance)
    if not row["diverged"]:
        row |= face_scores.right(method.decide(outputs(method, data.test))[TASK], data.test.y[TASK])
        row |= scores(method, cell, draw(numbers("test", plan.judged), cell.seed, plan.size, device=plan.device))
        checkpoint.unlink(missing_ok=True)
    return row


def build(arm: str, size: int, tasks: Sequence[Task], seed: int) -> Ridge:
    """A network with its initial weights; the convolutions of both arms are the same.

    Args:
        arm: one of ``ARMS``.  size: pixels.
    """
    with seeded("face maps", "trunk", seed):
        trunk = averaged(COLOURS)
    with seeded("face maps", "head", seed):
        if arm == "flattened":
            places = (size // 4) ** 2
            neck = nn.Sequential(nn.Flatten(), nn.Linear(trunk.channels * places, trunk.features), nn.ReLU())
            trunk = Trunk(trunk.body, neck, trunk.channels, trunk.features)
        elif arm != "averaged":
            raise ValueError(f"arm is one of {', '.join(ARMS)}, got {arm!r}")
        return Ridge(trunk, trunk.features, tasks, WEIGHT)


# ------------------------------------------------------------------ what is kept


def scores(method: Ridge, cell: Cell, faces: Faces) -> dict[str, object]:
    """What is kept of a trained network besides its accuracy; numbers as lines of text, see ``line``.

    Returns:
        "localised" {score: 40 numbers}, see ``KEPT`` and ``cam.localise``, of the arm's maps on faces that have the
        attribute; "area", 40 shares of the picture; "effect" (40, 40), see ``effects``; "share" (40, 40), see
        ``shares``; "network", its weights, see ``to_text``.
    """
    at_once = faces.index.split(max(1, PIXELS // faces.size**2))
    parts = [_judged(method, cell.arm, draw(some, faces.seed, faces.size)) for some in at_once]
    joined = {key: torch.cat([part[key] for part in parts]) for key in parts[0]}
    area, share = joined.pop("area").mean(0), joined.pop("share").nanmean(0)
    found = summarise(joined)
    return {
        "localised": {score: line(found[score]) for score in KEPT},
        "area": line(area),
        "effect": [line(row) for row in effects(method, faces)],
        "share": [line(row) for row in share],
        "network": to_text(method),
    }


def _judged(method: Ridge, arm: str, faces: Faces) -> dict[str, Tensor]:
    """Of each face: what ``localise`` says (B, 40), "area" (B, 40) and "share" (B, 40, 40)."""
    masks = faces.masks(ATTRIBUTES)  # B 40 H W
    has = faces.attributes == 1
    own = cam(method, method.weights(), faces.images) if arm == "averaged" else grad_cam(method, faces.images, TASK)
    maps = upsample(own, masks.shape[-2:])
    found = localise(maps, masks, where=has)
    return found | {"area": masks.double().mean((2, 3)), "share": shares(maps, masks, has)}


@torch.no_grad()
def effects(method: Ridge, faces: Faces) -> Tensor:
    """By how much logit j rises when attribute i is set instead of unset on the same face: (40, 40), mean over faces.

    In standard deviations of logit j over the faces as they are. Rows are what is set: nothing but its pixels changes,
    so an effect on another attribute's logit is the network's, not the population's.
    """
    spread = _logits(method, faces.images).std(0)  # 40
    dos = [{name: value} for name in ATTRIBUTES for value in (0, 1)]
    found = [_logits(method, images) for images in pictures(faces.index, faces.seed, faces.size, dos)]
    return torch.stack([(on - off).mean(0) / spread for off, on in zip(found[::2], found[1::2], strict=True)])


def shares(maps: Tensor, masks: Tensor, has: Tensor) -> Tensor:
    """What the map of attribute j suggests about attribute i on every face: (B, 40, 40), 1 is chance.

    The share of the map's positive part that lies on the pixels of i, over the share of the picture that these are.
    NaN where the face does not have j or shows no pixel of i, or the map has no positive part.

    Args:
        maps: (B, 40, H, W).  masks: (B, 40, H, W) bool.  has: (B, 40) bool, which face has which attribute.
    """
    positive = maps.double().clamp(min=0).flatten(2)  # B j P
    whole = positive.sum(2)
    inside = masks.flatten(2).double()  # B i P
    area = inside.mean(2)
    ratio = torch.einsum("bjp,bip->bij", positive, inside) / (area.unsqueeze(2) * whole.unsqueeze(1))
    there = (area > 0).unsqueeze(2) & (has & (whole > 0)).unsqueeze(1)  # B i j
    return torch.where(there, ratio, torch.nan)


def _logits(method: Ridge, images: Tensor) -> Tensor:
    """(B, 40) outputs of pictures without labels."""
    return outputs(method, Split(images, {}))[TASK].double()


def line(values: Tensor) -> str:
    """Numbers (n,) as a line of text, "nan" where one is missing; ``face_summary.from_lines`` reads lines."""
    return " ".join(f"{value:.{DIGITS}f}" for value in values.tolist())


def to_text(method: nn.Module) -> str:
    """All weights and running averages in half precision, as text: 300 kB for ``averaged`` with forty heads."""
    parts = [
        value.detach().cpu().half().flatten() for value in method.state_dict().values() if value.is_floating_point()
    ]
    return base64.b64encode(torch.cat(parts).numpy().tobytes()).decode()


def from_text(method: nn.Module, text: str) -> None:
    """Give a method of the same architecture the weights that ``to_text`` wrote.

    Raises:
        ValueError: a text of another architecture.
    """
    values = torch.from_numpy(np.frombuffer(base64.b64decode(text), np.float16).astype(np.float32))
    state = {name: value for name, value in method.state_dict().items() if value.is_floating_point()}
    sizes = [value.numel() for value in state.values()]
    if len(values) != sum(sizes):
        raise ValueError(f"the text has {len(values)} weights, the network {sum(sizes)}")
    parts = zip(state.items(), values.split(sizes), strict=True)
    method.load_state_dict({name: part.view_as(value) for (name, value), part in parts}, strict=False)
