"""The explorers of notebook 01d, on recorded runs: settings of SOS on faces, and what an attribute goes with."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy import ndarray

from mtlib.explore import Explorer
from mtlib.figures import BLACK, GREY, RED, Drawing, new
from mtlib.figures.dots import counted, known, limits, look, spread
from mtlib.figures.sos_probes import CHANCE, MARKS

SPACES = {"common": "common\nspace", "own": "own\ntask", "others": "other\ntasks"}
NEIGHBOURS = 12  # bars that are shown


def settings(runs: Sequence[Mapping], data: str = "drawn faces") -> Explorer:
    """Go through the recorded settings of SOS: what each gains, and what its spaces know.

    Args:
        runs: {"common": C, "specific": S, "lambda": weight of (6) and (7), "difference": [points above the baseline of
            every seed, None where missing], "probes": {"common", "own", "others": mean area under the curve} or None},
            and "name" where the three numbers do not tell a setting from the others.
        data: what they were on.

    Raises:
        ValueError: no run, a run without one of these, or two settings of one name.
    """
    needed = ("common", "specific", "lambda", "difference", "probes")
    for run in runs:
        if missing := [key for key in needed if key not in run]:
            raise ValueError(f"settings: a run lacks {missing}; it has {sorted(run)}")
    ordered = sorted(runs, key=lambda run: (run["common"], run["specific"], run["lambda"]))
    named = {_name(run): run for run in ordered}
    if len(named) < len(ordered) or not named:
        raise ValueError(f"settings: one or more runs with names of their own, got {[_name(run) for run in ordered]}")

    def draw(setting: str) -> Drawing:
        return _setting(named, setting, data)

    return Explorer(
        "Does the common space empty when Equation (6) weighs more? Which sizes tell their own task best, and do they "
        "gain most?",
        {"setting": tuple(named)},
        {"setting": _name(max(ordered, key=lambda run: run["lambda"]))},
        draw,
        {"setting": "recorded setting"},
    )


def _name(run: Mapping) -> str:
    return run.get("name") or f"SOS({run['common']}, {run['specific']}), λ {run['lambda']:g}"


def _setting(named: Mapping[str, Mapping], chosen: str, data: str) -> Drawing:
    run = named[chosen]
    figure = new(12, max(4.2, 2.0 + 0.42 * len(named)))
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    values = {name: known(run["difference"]) for name, run in named.items()}
    left.set_xlim(limits(values.values(), 0))
    for y, name in enumerate(named):
        if name == chosen:
            left.axhspan(y - 0.5, y + 0.5, color=RED, alpha=0.12, lw=0)
        spread(left, y, values[name], *((RED, "o") if name == chosen else (GREY, "s")))
    left.axvline(0, color=BLACK, lw=1.2)
    left.set_yticks(range(len(named)), list(named))
    left.set(ylim=(len(named) - 0.5, -0.7), xlabel="points above the baseline (95 % interval)")
    left.set_title(f"{data}, {counted(v for v in values.values() if v)}")
    least = _least(named, run)
    _bars(right, run["probes"], least["probes"] if least is not None else None)
    right.set_title(chosen)
    mean = float(np.mean(values[chosen])) if values[chosen] else None
    text = "no run ended" if mean is None else f"{mean:+.2f} points above the baseline"
    return Drawing(
        "explore-settings",
        figure,
        {"points": [0.0 if mean is None else mean], "probes": list((run["probes"] or {}).values())},
        f"Left, a row for each of {len(named)} recorded settings: points above the baseline, {chosen} highlighted. "
        "Right, three bars for it: what a linear probe reads off the common space, off a specific space about its own "
        "task, and about other tasks; black lines are the same sizes at their smallest weight.",
        f"{chosen}: {text}; {_known(run, least)}.",
        trained={"points": 3.0, "probes": 0.3},
    )


def _least(named: Mapping[str, Mapping], run: Mapping) -> Mapping | None:
    """The probed run of the same sizes with the smallest weight, if that is another one."""
    sizes = (run["common"], run["specific"])
    same = [other for other in named.values() if (other["common"], other["specific"]) == sizes and other["probes"]]
    first = min(same, key=lambda other: other["lambda"], default=None)
    return first if first is not None and first["lambda"] < run["lambda"] else None


def _bars(ax: Axes, probes: Mapping[str, float] | None, least: Mapping[str, float] | None) -> None:
    ax.set(xlim=(-0.6, 2.6), ylim=(CHANCE, 1), ylabel="area under the ROC curve (0.5: chance)")
    ax.set_xticks(range(3), [f"{text}\n{probes[which]:.2f}" if probes else text for which, text in SPACES.items()])
    if not probes:
        ax.text(1, 0.75, "not probed", ha="center", color="#666666", style="italic")
        return
    for x, which in enumerate(SPACES):
        colour, _ = MARKS[which]
        ax.bar(x, probes[which] - CHANCE, 0.7, CHANCE, color=colour, edgecolor=BLACK)
        if least:
            ax.plot([x - 0.45, x + 0.45], [least[which]] * 2, color=BLACK, lw=2.5)
    if least:
        line = ax.plot([], [], color=BLACK, lw=2.5)
        ax.figure.legend(line, ["the same sizes at their smallest weight"], loc="outside lower right")


def _known(run: Mapping, least: Mapping | None) -> str:
    probes = run["probes"]
    if not probes:
        return "its spaces were not probed"
    text = f"probes read {probes['common']:.2f} off the common space, {probes['own']:.2f} off a specific one about its "
    text += f"own task and {probes['others']:.2f} about others"
    if least is None:
        return text
    moved = probes["common"] - least["probes"]["common"]
    return f"{text}; the common space is {moved:+.2f} from where it was at weight {least['lambda']:g}"


def neighbours(
    truth: Mapping[str, ndarray], predicted: Mapping[str, Mapping[str, ndarray]], names: Sequence[str]
) -> Explorer:
    """Choose an attribute: what it goes with in the labels, and in what the models predict.

    Args:
        truth: {"plain": (n, n), "balanced": (n, n)} correlations of the labels.  predicted: {model: the same}, NaN
            where a model never or always predicts an attribute.  names: of the n attributes.
    """
    plain = tuple(name.replace("_", " ") for name in names)
    kinds = tuple(truth)

    def draw(attribute: str, kind: str) -> Drawing:
        models = {model: np.asarray(of[kind], float) for model, of in predicted.items()}
        return _neighbours(np.asarray(truth[kind], float), models, plain, attribute, kind)

    apart = np.abs(np.nan_to_num(truth[kinds[0]])) - np.eye(len(names))
    start = plain[int(np.unravel_index(apart.argmax(), apart.shape)[0])]
    return Explorer(
        "Which attribute has neighbours that the models do not see, or see too close? Is it a rare one? Then change "
        "between plain and balanced.",
        {"attribute": plain, "kind": kinds},
        {"attribute": start, "kind": kinds[0]},
        draw,
        {"kind": "correlation"},
    )


def _neighbours(
    truth: ndarray, models: Mapping[str, ndarray], names: Sequence[str], attribute: str, kind: str
) -> Drawing:
    i = names.index(attribute)
    size = np.where(np.arange(len(names)) == i, -1, np.abs(np.nan_to_num(truth[i])))
    first = np.argsort(-size, kind="stable")[: min(NEIGHBOURS, len(names) - 1)]
    true = truth[i, first]
    figure = new(10, 1.9 + 0.4 * len(first))
    ax = figure.subplots()
    ax.barh(range(len(first)), np.nan_to_num(true), 0.85, color="#D9D9D9", edgecolor=GREY, label="labels")
    texts = []
    for k, (model, matrix) in enumerate(models.items()):
        theirs = matrix[i, first]
        there = np.isfinite(theirs - true)
        colour, marker = look(model, models)
        y = np.arange(len(first)) + 0.26 * (k - (len(models) - 1) / 2)
        ax.plot(theirs[there], y[there], marker, color=colour, mec=BLACK, mew=0.6, ms=8, ls="none", label=model)
        if there.any():
            off = float(np.abs(theirs - true)[there].mean())
            texts.append(f"{model} {off:.2f}" + ("" if there.all() else f" over the {there.sum()} that it predicts"))
        else:
            texts.append(f"{model} cannot be compared, as it predicts {attribute} for all or for none")
    ax.axvline(0, color=BLACK, lw=1)
    ax.set_yticks(range(len(first)), [names[k] for k in first])
    ax.set(ylim=(len(first) - 0.4, -0.6), xlim=(-1, 1), xlabel=f"{kind} correlation with {attribute}")
    ax.grid(axis="x", alpha=0.3)
    ax.set_axisbelow(True)
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=1 + len(models))
    return Drawing(
        "explore-neighbours",
        figure,
        {"labels": np.nan_to_num(true)} | {model: np.nan_to_num(matrix[i, first]) for model, matrix in models.items()},
        f"Bars: the {len(first)} attributes whose labels correlate most with {attribute} ({kind}), the strongest on "
        f"top; to the right they go together, to the left they exclude each other. Marks: the same for what "
        f"{', '.join(models)} predict.",
        f"{attribute}, {kind}: nearest is {names[first[0]]} ({true[0]:+.2f}); mean distance of the predictions from "
        f"these bars: {'; '.join(texts) or 'no model'}.",
        trained=dict.fromkeys(models, 0.3),
    )
