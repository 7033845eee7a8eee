"""The explorers of notebook 02b, on a trained network: set one attribute of a face, or see where one is looked for."""

from functools import cache

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from mtlib.cam import cam
from mtlib.explore import Explorer
from mtlib.faces.draw import Faces, draw
from mtlib.faces.names import ATTRIBUTES, COLUMN
from mtlib.figures import BLACK, BLUE, ORANGE, Drawing, new
from mtlib.figures.face_maps import hits, outline, overlaid, scale, scaled, verdict
from mtlib.figures.faces import picture
from mtlib.method import Method

LARGE = 96  # pixels of faces that are shown, not seen by the network
BARS = 12
SHOWN = 6
TASK = "attributes"


@torch.no_grad()
def logits(method: Method, images: Tensor) -> Tensor:
    """(B, 40) in evaluation mode, whatever mode the method is in."""
    training = method.training
    method.eval()
    try:
        return method(images)[TASK].double()
    finally:
        method.train(training)


def toggled(method: Method, people: Tensor, seed: int, size: int) -> Explorer:
    """Set one attribute of a face the other way round: which logits follow?

    Args:
        method: with forty outputs for ``attributes``.
        people: (n,) numbers of drawn faces.  seed: of their population.  size: pixels that the method sees.

    Raises:
        ValueError: no face.
    """
    if not len(people):
        raise ValueError("toggled: needs the number of one face or more")
    at = {f"face {k + 1}": int(number) for k, number in enumerate(people)}

    @cache
    def came(number: int) -> tuple[Faces, ndarray]:
        index = torch.tensor([number])
        return draw(index, seed, LARGE), logits(method, draw(index, seed, size).images)[0].numpy()

    def show(face: str, attribute: str) -> Drawing:
        before, z = came(at[face])
        name = attribute.replace(" ", "_")
        value = int(before.margin[0, COLUMN[name]] <= 0)  # what is drawn is turned round, noisy labels or not
        after = draw(before.index, seed, LARGE, {name: value})
        moved = logits(method, draw(before.index, seed, size, {name: value}).images)[0].numpy() - z
        return _toggled(before, after, moved, name, value, face)

    plain = tuple(name.replace("_", " ") for name in ATTRIBUTES)
    return Explorer(
        "Set one attribute: which logits follow? Find one that moves more than the attribute's own; find one that "
        "moves although nothing of it can be seen.",
        {"face": tuple(at), "attribute": plain},
        {"face": next(iter(at)), "attribute": "Gray Hair"},
        show,
        {"attribute": "set"},
    )


def _toggled(before: Faces, after: Faces, moved: ndarray, name: str, value: int, face: str) -> Drawing:
    own = COLUMN[name]
    first = np.argsort(-np.abs(moved), kind="stable")[:BARS]
    if own not in first:
        first = np.append(first[:-1], own)
    figure = new(12.5, 5)
    panels = figure.subplot_mosaic([["before", "after", "bars"]], width_ratios=(1, 1, 1.7))
    word = "with" if value else "without"
    for key, faces, title in (("before", before, "as it came"), ("after", after, f"{word} {name.replace('_', ' ')}")):
        picture(panels[key], faces.images[0]).set_title(title, loc="center")
    ax = panels["bars"]
    bars = ax.barh(range(len(first)), moved[first], 0.75, color=BLUE, edgecolor=BLACK)
    for bar, k in zip(bars, first, strict=True):
        if k == own:
            bar.set(facecolor=ORANGE, hatch="///")
    labels = [ATTRIBUTES[k].replace("_", " ") + (" (itself)" if k == own else "") for k in first]
    ax.set_yticks(range(len(first)), labels)
    ax.axvline(0, color=BLACK, lw=1.2)
    ax.set(ylim=(len(first) - 0.4, -0.6), xlabel="change of the logit", title="logits that move most; hatched: its own")
    ax.grid(axis="x", alpha=0.3)
    others = [k for k in first if k != own][:3]
    if np.abs(moved).max() > 0:
        told = ", ".join(f"{ATTRIBUTES[k].replace('_', ' ')} {moved[k]:+.2f}" for k in others)
        finding = (
            f"{name.replace('_', ' ')} {'on' if value else 'off'}: its own logit {moved[own]:+.2f}, others {told}."
        )
    else:
        finding = f"{name.replace('_', ' ')} {'on' if value else 'off'}: no pixel changes, and so no logit moves."
    return Drawing(
        "explore-toggle",
        figure,
        {"change": moved},
        f"A drawn face twice, {face}: as it came, and {word} {name.replace('_', ' ')}. Right, bars for the logits that "
        "move most, to the right if they rise; the attribute's own is orange and hatched.",
        finding,
        trained={"change": 2.0},
        photo=True,
    )


def looked_at(method: Method, weights: Tensor, people: Tensor, seed: int, size: int) -> Explorer:
    """Where the network looks for an attribute: maps of single faces, and the mean of all that have it.

    Args:
        method: one that ``cam.cam`` can look into.  weights: (K, 40) of its heads.
        people: (n,) numbers of drawn faces.  seed: of their population.  size: pixels that the method sees.

    Raises:
        ValueError: no face.
    """
    if not len(people):
        raise ValueError("looked_at: needs the number of one face or more")
    faces = draw(people, seed, size)
    maps = cam(method, weights, faces.images)  # n 40 h w
    masks = cache(faces.mask)

    def show(attribute: str) -> Drawing:
        name = attribute.replace(" ", "_")
        there = (faces.attributes[:, COLUMN[name]] == 1).nonzero().flatten()
        own = maps[there, COLUMN[name]].numpy()
        return _looked_at(faces.images[there].numpy(), own, masks(name)[there].numpy(), name)

    enough = [name for name in ATTRIBUTES if (faces.attributes[:, COLUMN[name]] == 1).any()]
    plain = tuple(name.replace("_", " ") for name in enough)
    start = "Eyeglasses" if "Eyeglasses" in plain else plain[0]
    return Explorer(
        "Choose an attribute. Is it found where it is? Compare a large one (hair), a small one (earrings), one without "
        "pixels (Attractive), and one that the network tells by something else.",
        {"attribute": plain},
        {"attribute": start},
        show,
    )


def _looked_at(images: ndarray, maps: ndarray, masks: ndarray, name: str) -> Drawing:
    n = min(SHOWN, len(images))
    figure = new(2.0 * (SHOWN + 1) + 1.4, 3.2)
    axes = figure.subplots(1, SHOWN + 1)
    found = hits(maps, masks)
    for k, ax in enumerate(axes[:-1]):
        if k >= n:
            ax.set_visible(False)
            continue
        overlaid(ax, images[k], scaled(maps[k]))
        outline(ax, masks[k])
        ax.set_xlabel(verdict(found[k]) if maps[k].max() > 0 else "all against")
    mean = maps.mean(0)
    overlaid(axes[-1], images.mean(0), scaled(mean))
    outline(axes[-1], masks.mean(0) > 0.5)
    axes[-1].set_title(f"mean of {len(images)}", loc="center")
    scale(figure, axes, "evidence")
    figure.suptitle(f"{name.replace('_', ' ')}: faces that have it", fontsize=13)
    return Drawing(
        "explore-maps",
        figure,
        {"mean map": mean, "faces": [len(images)]},
        f"Up to {SHOWN} grey faces that have {name.replace('_', ' ')} with the evidence for it in orange-brown and "
        "against it in violet, the attribute's own pixels outlined, the largest place framed; right, the mean of all.",
        _told(name, found, masks),
        trained={"mean map": 3.0},
        photo=True,
    )


def _told(name: str, found: ndarray, masks: ndarray) -> str:
    plain = name.replace("_", " ")
    if np.isnan(found).all():
        return f"{plain} has no pixels of its own: there is nothing to hit, and the map shows what else goes with it."
    share, area = 100 * np.nanmean(found), 100 * masks[~np.isnan(found)].mean()
    return f"{plain}: the largest place is on its pixels in {share:.0f} % of the faces, a random one in {area:.0f} %."
