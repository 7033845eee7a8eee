"""Figures of verification: how many pairs of one person are recognised, and of whom two are taken for one."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from mtlib.claims import interval
from mtlib.figures import BLACK, BLUE, FONT, GREEN, GREY, ORANGE, PINK, RED, SKY, Drawing, new
from mtlib.figures.dots import Values, counted, key, known, limits, spread

# Colour, line and marker of the arms, by their place.
LOOKS = (
    (BLUE, "-", "o"),
    (ORANGE, (0, (6, 1.5)), "s"),
    (RED, "-", "D"),
    (SKY, "-.", "^"),
    (PINK, (0, (3, 1, 1, 1, 1, 1)), "v"),
    (GREY, "--", "P"),
    (BLACK, ":", "X"),
    (GREEN, "--", "<"),
)
ASKED = 0.01  # the false-match rate that arms are compared at
LEVEL = 0.05

Curve = Mapping[str, Sequence[float]]


def roc(
    curves: Mapping[str, Curve],
    stamp: str,
    *,
    base: str | None = None,
    gains: Mapping[str, Sequence[float]] | None = None,
    id: str = "verification-roc",
) -> Drawing:
    """True-match rate at every false-match rate, with bands; beside it the same at 1 %, arm by arm.

    Args:
        curves: {arm: {"grid", "mean", "low", "high"}}, false-match rates above 0 with 0.01 among them, and true-match
            rates there: mean over seeds and its 95 % interval, all from 0 to 1.
        stamp: what the runs were.
        base: the arm that the finding compares with; the first.
        gains: {arm: [true match at 1 % minus the base's, points, per seed]}, by which the finding says what is clear:
            intervals of two arms may overlap and their difference be clear all the same.
        id: of the figure.

    Raises:
        ValueError: no curve, too many, one without rates that fit its grid, a grid without 0.01, or an unknown base.
    """
    base = base or next(iter(curves), "")
    _check(curves, base)
    asked = {arm: _asked(own) for arm, own in curves.items()}
    figure = new(12.5, 5.2)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    for (arm, own), look in zip(curves.items(), LOOKS, strict=False):
        _line(left, arm, own, look)
    chance = left.plot(own["grid"], 100 * np.asarray(own["grid"]), color=BLACK, lw=1, ls=(0, (1, 3)))[0]
    _axes(left, min(min(own["grid"]) for own in curves.values()))
    for y, (arm, look) in enumerate(zip(curves, LOOKS, strict=False)):
        _row(right, y, asked[arm], look)
    right.set_yticks(range(len(curves)), list(curves))
    right.set(ylim=(len(curves) - 0.5, -0.5), xlabel="true-match rate at 1 % false matches (%)")
    right.set_title("at the grey line on the left")
    right.grid(axis="x", alpha=0.3)
    right.set_xlim(0, min(104, 1.08 * max(rates[2] for rates in asked.values()) + 1))
    band = left.fill_between([], [], [], color=BLUE, alpha=0.2, lw=0)
    texts = ["mean over seeds, 95 % interval", "chance"]
    figure.legend([(band, left.lines[0]), chance], texts, loc="outside lower center", ncols=2, handlelength=3)
    means = {arm: rates[0] for arm, rates in asked.items()}
    return Drawing(
        id,
        figure,
        {"true match": [own["mean"] for own in curves.values()], "at 1 %": list(means.values())},
        f"Left: a rising curve for each of {_quoted(curves)}: the share of pairs of one person that match, against "
        "the share of pairs of two people that match, on a logarithmic axis; bands are 95 % intervals over seeds and "
        "a dotted line is chance. Right: the same at 1 % false matches, a row for each, with its interval.",
        f"{stamp}: {_compared(means, base, gains)}.",
        trained={"true match": 0.1, "at 1 %": 10.0},
    )


def _check(curves: Mapping[str, Curve], base: str) -> None:
    if not 0 < len(curves) <= len(LOOKS) or base not in curves:
        raise ValueError(f"roc: 1 to {len(LOOKS)} curves, {base!r} among them; got {list(curves)}")
    for arm, own in curves.items():
        lines = [own.get(name, ()) for name in ("grid", "mean", "low", "high")]
        grid = np.asarray(lines[0], dtype=float)
        if len({len(line) for line in lines}) != 1 or not (grid > 0).all() or not np.isclose(grid, ASKED).any():
            raise ValueError(f"roc: {arm!r} needs grid, mean, low and high of one length, rates above 0, 0.01 in it")


def _asked(own: Curve) -> tuple[float, float, float]:
    """Mean, low and high at 1 % false matches, per cent."""
    place = int(np.argmin(np.abs(np.asarray(own["grid"]) - ASKED)))
    return tuple(100 * own[name][place] for name in ("mean", "low", "high"))


def _line(ax: Axes, arm: str, own: Curve, look: tuple) -> None:
    colour, style, marker = look
    mean, low, high = (100 * np.asarray(own[name]) for name in ("mean", "low", "high"))
    ax.fill_between(own["grid"], low, high, color=colour, alpha=0.2, lw=0)
    ax.plot(own["grid"], mean, color=colour, ls=style, lw=2.2, marker=marker, ms=6, markevery=(3, 6), label=arm)


def _axes(ax: Axes, least: float) -> None:
    """Rates in per cent; the false-match rate logarithmic."""
    ax.axvline(ASKED, color=GREY, lw=2, alpha=0.5, zorder=0)
    ax.set(xscale="log", xlim=(least, 1), ylim=(0, 101))
    ax.xaxis.set_major_locator(FixedLocator([0.001, 0.01, 0.1, 1]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{100 * rate:g}"))
    ax.set_xlabel("false-match rate: pairs of two people that match (%)")
    ax.set_ylabel("true-match rate: pairs of one person (%)")
    ax.grid(alpha=0.3)


def _row(ax: Axes, y: float, rates: tuple[float, float, float], look: tuple) -> None:
    colour, _, marker = look
    mean, low, high = rates
    ax.plot([low, high], [y, y], color=colour, lw=3, solid_capstyle="butt")
    ax.plot(mean, y, marker, color=colour, ms=9, mec=BLACK, mew=1.2)
    ax.annotate(f"{mean:.1f}", (mean, y), (0, 9), textcoords="offset points", ha="center")


def _compared(means: Mapping[str, float], base: str, gains: Mapping[str, Sequence[float]] | None) -> str:
    best = max(means, key=means.get)
    text = f'with 1 % false matches "{best}" recognises {means[best]:.1f} % of the pairs of one person'
    if best != base:
        text += f', "{base}" {means[base]:.1f} %'
    told = {arm: interval(values) for arm, values in (gains or {}).items() if arm in means and len(values) > 1}
    if not told:
        return text
    above = [arm for arm, one in told.items() if one.low > 0]
    below = [arm for arm, one in told.items() if one.high < 0]
    text += f'; clearly above "{base}", seed by seed: {_quoted(above)}'
    return text + f"; clearly below: {_quoted(below)}"


def _quoted(names: Iterable[str]) -> str:
    """Names in quotes, as they may have commas of their own."""
    return ", ".join(f'"{name}"' for name in names) or "none"


# ------------------------------------------------------------------ groups


def by_tone(found: Mapping[str, Mapping[str, Values]], overall: float, stamp: str) -> Drawing:
    """False-match rates within thirds of the people by skin tone, a panel for each arm, at one threshold for all.

    Args:
        found: {arm: {third: [rate of every seed, per cent; None where missing]}}; all arms have the same thirds, and
            within an arm the seeds stand in one order.
        overall: the rate of all pairs of two people, per cent, which sets the threshold.
        stamp: what the runs were.

    Raises:
        ValueError: no arm, or arms whose thirds differ.
    """
    thirds = list(next(iter(found.values()), {}))
    if not thirds or any(list(own) != thirds for own in found.values()):
        raise ValueError(f"by tone: arms with the same groups, got { {arm: list(own) for arm, own in found.items()} }")
    values = {(arm, third): known(found[arm][third]) for arm in found for third in thirds}
    figure = new(2.2 + 2.5 * len(found), 4.8)
    axes = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    low, high = limits(values.values(), overall, 0.0)
    for ax, arm in zip(axes, found, strict=True):
        ax.set_ylim(max(low, 0), high)
        ax.set_xlim(-0.6, len(thirds) - 0.4)
        line = ax.axhline(overall, color=BLACK, lw=1.5, ls="--")
        for x, third in enumerate(thirds):
            spread(ax, x, values[arm, third], BLUE, upright=True)
        ax.set_xticks(range(len(thirds)), thirds)
        ax.set_title(arm.replace(", ", ",\n"), loc="center")
        ax.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("false-match rate within the group (%)")
    figure.suptitle(f"thirds of the test people by skin tone, {counted(values.values())} seeds", fontsize=FONT)
    key(figure, {f"all pairs: {overall:g} %": line})
    means = {at: sum(own) / len(own) for at, own in values.items() if own}
    told = [text for text in (_unequal(arm, thirds, found[arm], means) for arm in found) if text]
    return Drawing(
        "false-match-by-tone",
        figure,
        {"means": list(means.values())},
        f"A panel for each of {_quoted(found)}. In each, for the thirds {', '.join(thirds)} of the test people by "
        "skin tone, how many pairs of two people match: small marks are seeds, large ones means, bars 95 % "
        f"intervals. The dashed line at {overall:g} % is the rate of all pairs at the same threshold.",
        f"{stamp}: with {overall:g} % false matches among all pairs, {'; '.join(told) or 'no group has pairs'}.",
        trained={"means": 3.0},
    )


def _unequal(arm: str, thirds: Sequence[str], own: Mapping[str, Values], means: Mapping[tuple[str, str], float]) -> str:
    """Which groups of an arm differ most; clear: the interval of their difference, seed by seed, is off zero.

    The level is shared by all pairs of groups, as the largest difference of several is large by chance.
    """
    there = {third: means[arm, third] for third in thirds if (arm, third) in means}
    if not there:
        return ""
    most, least = max(there, key=there.get), min(there, key=there.get)
    text = f'"{arm}" has {there[most]:.1f} % within {most} and {there[least]:.1f} % within {least}'
    pairs = [(a, b) for a, b in zip(own[most], own[least], strict=True) if a is not None and b is not None]
    if most == least or len(pairs) < 2:
        return text
    one = interval([a - b for a, b in pairs], LEVEL / max(1, len(list(combinations(thirds, 2)))))
    return text + (", a clear difference" if one.low > 0 else ", no clear difference")
