"""Fig. 8 of MTFAP on faces with known truth: where the evidence of an attribute lies, and how often on its pixels."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy import ndarray

from mtlib.cam import pointing, upsample
from mtlib.claims import interval
from mtlib.figures import BLACK, BLUE, GREY, ORANGE, Drawing, new
from mtlib.figures.dots import Values, counted, key, known, spread

COLOURS = colormaps["PuOr_r"].resampled(21)  # orange-brown: evidence for; violet: against
CHANCE, CENTRE = "by chance", "centre"
MOVES = 0.3  # what scores and maps may move between machines, on average


# ------------------------------------------------------------------ one map on one face


def scaled(maps: ndarray) -> ndarray:
    """Maps (..., h, w), each in shares of its own largest size: -1 to 1; one that is 0 everywhere stays so."""
    most = np.abs(maps).max((-2, -1), keepdims=True)
    return np.divide(maps, most, out=np.zeros_like(maps, dtype=float), where=most > 0)


def hits(maps: ndarray, masks: ndarray) -> ndarray:
    """The pointing game: which share of a map's largest place lies on the mask, (n,); NaN where it has no pixel.

    Args:
        maps: (n, h, w), of any size; a place of it covers a block of pixels.  masks: (n, H, W) bool.
    """
    large = upsample(torch.as_tensor(maps).unsqueeze(1), masks.shape[-2:])  # n 1 H W
    return pointing(large, torch.as_tensor(masks).unsqueeze(1)).squeeze(1).numpy()


def grey(image: ndarray) -> ndarray:
    """A picture (3, H, W) uint8 without colour and pale, (H, W) from 0 to 1, for evidence to lie on."""
    return 0.25 + 0.75 * np.tensordot((0.299, 0.587, 0.114), np.asarray(image, float), 1) / 255


def overlaid(ax: Axes, image: ndarray, evidence: ndarray) -> None:
    """Evidence (h, w) from -1 to 1 as colour over the grey picture (3, H, W); its largest place is framed.

    Nothing is framed where no evidence is positive: such a map points nowhere.
    """
    high, wide = image.shape[1:]
    where = {"extent": (-0.5, wide - 0.5, high - 0.5, -0.5), "interpolation": "nearest"}
    ax.imshow(grey(image), cmap="gray", vmin=0, vmax=1, **where)
    ax.imshow(evidence, cmap=COLOURS, vmin=-1.05, vmax=1.05, alpha=0.25 + 0.6 * np.abs(evidence), **where)
    if evidence.max() > 0:
        y, x = np.unravel_index(evidence.argmax(), evidence.shape)
        h, w = high / evidence.shape[0], wide / evidence.shape[1]
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)]) * (w, h) + (x * w - 0.5, y * h - 0.5)
        ax.plot(*corners.T, color="white", lw=2.5, path_effects=[withStroke(linewidth=5, foreground=BLACK)])
    _bare(ax, image)


def outline(ax: Axes, mask: ndarray) -> None:
    """The edge of a mask (H, W) bool: black beside white, so that it is seen on every ground."""
    if not mask.any():
        return
    large = np.pad(np.kron(mask, np.ones((4, 4))), 1)  # four times finer: the edge follows the pixels
    y, x = (np.arange(-1, 4 * n + 1) / 4 - 0.375 for n in mask.shape)
    edge = ax.contour(x, y, large, levels=[0.5], colors=BLACK, linewidths=1.3)
    edge.set_path_effects([withStroke(linewidth=3, foreground="white")])


def scale(figure: Figure, axes: object, label: str = "evidence, share of the map's largest") -> None:
    """The colour bar of evidence."""
    shown = ScalarMappable(Normalize(-1.05, 1.05), COLOURS)
    bar = figure.colorbar(shown, ax=axes, shrink=0.75, aspect=25, ticks=(-1, 0, 1))
    bar.set_ticklabels(("against", "0", "for"))
    bar.set_label(label)


def verdict(share: float) -> str:
    """What stands below a map: whether its largest place is on the mask."""
    if np.isnan(share):
        return ""
    return {0.0: "miss", 1.0: "hit"}.get(share, f"{100 * share:.0f} % on it")


def _bare(ax: Axes, image: ndarray) -> None:
    high, wide = image.shape[1:]
    ax.set(xticks=[], yticks=[], xlim=(-0.5, wide - 0.5), ylim=(high - 0.5, -0.5))
    ax.spines[:].set_visible(False)


# ------------------------------------------------------------------ Fig. 8


def maps(
    images: ndarray, cams: ndarray, grads: ndarray | None, masks: ndarray, names: Sequence[str], stamp: str
) -> Drawing:
    """Fig. 8: a column per attribute, on a face that has it; the face, its class activation map, its Grad-CAM.

    Args:
        images: (n, 3, H, W) uint8.  cams, grads: (n, h, w), of attribute k on face k; ``grads`` may be None.
        masks: (n, H, W) bool, the pixels that the attribute draws.  names: of the n attributes.
        stamp: what the network was.

    Raises:
        ValueError: arrays that do not fit each other, a map that is not finite, or a mask without a pixel.
    """
    images, masks = np.asarray(images), np.asarray(masks)
    rows = {"class activation map": cams} | ({} if grads is None else {"Grad-CAM": grads})
    rows = {title: np.asarray(each, float) for title, each in rows.items()}
    _check(images, rows, masks, names)
    n = len(names)
    found = {title: hits(each, masks) for title, each in rows.items()}
    figure = new(1.6 * n + 1.6, 1.75 * (1 + len(rows)) + 0.5)
    axes = figure.subplots(1 + len(rows), n, squeeze=False)
    for k, name in enumerate(names):
        axes[0, k].imshow(images[k].transpose(1, 2, 0), interpolation="nearest")
        _bare(axes[0, k], images[k])
        axes[0, k].set_title(_broken(name), loc="center")
        for ax, (title, each) in zip(axes[1:, k], rows.items(), strict=True):
            overlaid(ax, images[k], scaled(each[k]))
            ax.set_xlabel(verdict(found[title][k]) if each[k].max() > 0 else "all against")
        for ax in axes[:, k]:
            outline(ax, masks[k])
    for ax, title in zip(axes[:, 0], ("face and mask", *rows), strict=True):
        ax.set_ylabel(title.replace("class ", "class\n"))
    scale(figure, axes[1:])
    chance = masks.mean((1, 2))
    told = "; ".join(f"{title} {values.sum():.3g}" for title, values in found.items())
    return Drawing(
        "activation-maps",
        figure,
        {"mask's share of the picture": chance}
        | {f"{title}, on the mask": values for title, values in found.items()}
        | {f"{title}, largest at": _places(each) for title, each in rows.items()},
        f"Columns for {', '.join(names)}, each on a face that has it: the face with the pixels that the attribute "
        f"draws outlined, and below it, grey, with evidence as colour: {', '.join(rows)}. Orange-brown speaks for the "
        "attribute, violet against it; the frame is the largest place, and the word below says whether it is on the "
        "mask.",
        f"{stamp}: of {n} maps so many have their largest place on the mask: {told}; a place at random would hit "
        f"{chance.sum():.1f}.",
        trained={f"{title}, {what}": MOVES for title in rows for what in ("on the mask", "largest at")},
        photo=True,
    )


def _check(images: ndarray, rows: Mapping[str, ndarray], masks: ndarray, names: Sequence[str]) -> None:
    n = len(names)
    if not n or images.ndim != 4 or images.shape[:2] != (n, 3) or masks.shape != (n, *images.shape[2:]):
        raise ValueError(
            f"maps: for {n} names images are ({n}, 3, H, W) and masks ({n}, H, W), got {images.shape}, {masks.shape}"
        )
    for title, each in rows.items():
        if each.ndim != 3 or len(each) != n or not np.isfinite(each).all():
            raise ValueError(f"maps: {title} is ({n}, h, w) and finite, got {each.shape}")
    empty = [name for name, mask in zip(names, masks, strict=True) if not mask.any()]
    if empty or masks.dtype != bool:
        raise ValueError(f"maps: masks are bool with a pixel or more, got {masks.dtype}, none for {empty}")


def _places(each: ndarray) -> ndarray:
    """Row and column of the largest place (n, 2), as shares of the map's sides."""
    at = np.unravel_index(each.reshape(len(each), -1).argmax(1), each.shape[1:])
    return (np.stack(at, 1) + 0.5) / each.shape[1:]


def _broken(name: str) -> str:
    """A name on two lines, broken where it is nearest its middle."""
    words = name.split("_")
    cuts = [(abs(len("_".join(words[:k])) - len("_".join(words[k:]))), k) for k in range(1, len(words))]
    k = min(cuts, default=(0, len(words)))[1]
    return " ".join(words[:k]) + "\n" + " ".join(words[k:])


# ------------------------------------------------------------------ all attributes


def localised(found: Mapping[str, Mapping[str, Mapping[str, Values]]], stamp: str) -> Drawing:
    """How well maps find their attribute: a row for each, a panel per score, beside chance and a centred map.

    Args:
        found: {score, such as "pointing": {attribute: {score: [of every seed], "by chance": [...], "centre": [...]}}},
            shares from 0 to 1, seeds in one order, None where missing; the same attributes for every score. Rows are
            sorted by the first score's lead over the better of chance and centre.
        stamp: what the networks were.

    Raises:
        ValueError: no score, scores of different attributes, a row without one of its three lists or without a value.
    """
    _check_scores(found)
    first = next(iter(found))
    leads = {score: {name: _leads(own, score) for name, own in rows.items()} for score, rows in found.items()}
    names = sorted(found[first], key=lambda name: -np.mean(leads[first][name]))
    figure = new(4.2 + 4.2 * len(found), 1.7 + 0.24 * len(names))
    axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    for ax, (score, rows) in zip(axes, found.items(), strict=True):
        marks = _rows(ax, [rows[name] for name in names], score)
        seeds = counted(rows[name][score] for name in names)
        ax.set_title(f"{score}, {seeds}\n{_counts(leads[score].values())}", loc="center")
        ax.set(xlabel=_AXES.get(score, f"{score}, share"), xlim=(-0.02, 1.02), ylim=(len(names) - 0.4, -0.6))
    axes[0].set_yticks(range(len(names)), [name.replace("_", " ") for name in names], fontsize=10)
    key(figure, marks)
    told = [f"{score}, {_counts(leads[score].values())}; means {_means(rows, score)}" for score, rows in found.items()]
    return Drawing(
        "pointing",
        figure,
        {
            f"{score}, {what}": [float(np.mean(known(rows[name][kind]))) for name in names]
            for score, rows in found.items()
            for what, kind in (("maps", score), (CHANCE, CHANCE), (CENTRE, CENTRE))
        },
        f"A row for each of {len(names)} attributes, the best localised on top; panels for {', '.join(found)}. Large "
        "blue marks are means over networks with 95 % intervals, small ones single networks; upright strokes are "
        "chance, hollow diamonds a map that always shows the centre.",
        f"{stamp}: {'; '.join(told)}. Largest lead: {_named(names[:3])}; smallest: {_named(names[-3:])}.",
        trained={f"{score}, {what}": MOVES for score in found for what in ("maps", CHANCE, CENTRE)},
    )


_AXES = {"pointing": "share of faces: largest place on the mask", "overlap": "intersection over union with the mask"}


def _check_scores(found: Mapping[str, Mapping[str, Mapping[str, Values]]]) -> None:
    rows = {score: sorted(own) for score, own in found.items()}
    if not rows or not all(rows.values()) or any(own != next(iter(rows.values())) for own in rows.values()):
        raise ValueError(f"localised: one score or more, all of the same attributes, got {rows}")
    for score, own in found.items():
        for name, lists in own.items():
            sizes = [len(lists.get(kind, ())) for kind in (score, CHANCE, CENTRE)]
            if len(set(sizes)) != 1 or not _leads(lists, score):
                raise ValueError(
                    f"localised: {score} of {name} needs {score!r}, {CHANCE!r}, {CENTRE!r}, a value for every seed; "
                    f"got {dict(lists)}"
                )


def _leads(own: Mapping[str, Values], score: str) -> list[float]:
    """The maps' score above the better of chance and centre, for every seed that has all three."""
    triples = zip(own[score], own[CHANCE], own[CENTRE], strict=True)
    return [three[0] - max(three[1:]) for three in triples if len(known(three)) == 3]


def _counts(leads: Sequence[Sequence[float]]) -> str:
    """In how many rows the maps lead, by the interval over seeds where there are two or more of them."""
    leads = list(leads)
    if min(map(len, leads)) < 2:
        above = sum(np.mean(values) > 0 for values in leads)
        return f"{above} of {len(leads)} above both chance and centre (no intervals)"
    above = sum(interval(values).low > 0 for values in leads)
    below = sum(interval(values).high < 0 for values in leads)
    return f"{above} of {len(leads)} clearly above both, {below} clearly below one"


def _rows(ax: Axes, rows: Sequence[Mapping[str, Values]], score: str) -> dict[str, object]:
    """Draw the rows of a panel; the marks of chance and centre for a legend."""
    ax.set_xlim(-0.02, 1.02)  # before ``spread``, which cuts intervals at the axis
    for y, own in enumerate(rows):
        if y % 2:
            ax.axhspan(y - 0.5, y + 0.5, color="#F2F2F2", zorder=0)
        chance, middle = (float(np.mean(known(own[kind]))) for kind in (CHANCE, CENTRE))
        stroke = ax.plot(chance, y, "|", color=BLACK, ms=13, mew=2.5, ls="none", zorder=2.5)[0]
        diamond = ax.plot(middle, y, "D", mfc="none", mec=ORANGE, mew=2, ms=8, ls="none", zorder=2.6)[0]
        spread(ax, y, own[score], BLUE)
    ax.grid(axis="x", alpha=0.3, color=GREY)
    ax.set_axisbelow(True)
    return {"chance": stroke, "always the centre": diamond}


def _means(rows: Mapping[str, Mapping[str, Values]], score: str) -> str:
    mean = {kind: np.mean([np.mean(known(own[kind])) for own in rows.values()]) for kind in (score, CHANCE, CENTRE)}
    return f"{mean[score]:.2f}, {CHANCE} {mean[CHANCE]:.2f}, of the centre {mean[CENTRE]:.2f}"


def _named(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
