"""Explorers: sliders that let one discover something. Every callback is a plain function that also runs headless."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from types import ModuleType

from mtlib import figures
from mtlib.headless import headless

SWITCH = (False, True)  # the values of a control that is a switch, not a slider
MOST = 5000  # combinations that ``grid`` goes through
LONGEST = 22  # characters of a value; beside its slider, JupyterLab shows 148 pixels of it


@dataclass(frozen=True)
class Explorer:
    """A question, the controls to answer it with, and the function from their values to a drawing.

    Args:
        question: what to find out.
        controls: {argument of draw: its values}, the first dimension first; ``SWITCH`` makes a switch.
        start: the values to begin with.
        draw: from one value of every control to a Drawing; needs no widget.
        labels: {argument: what stands beside its slider}, where the argument's name does not say it.

    Raises:
        ValueError: a start that the controls do not have, or a value too long to be read beside its slider.
    """

    question: str
    controls: dict[str, tuple]
    start: dict[str, object]
    draw: Callable[..., figures.Drawing]
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if set(self.start) != set(self.controls):
            raise ValueError(f"explorer: start has {sorted(self.start)}, controls are {sorted(self.controls)}")
        for name, value in self.start.items():
            if value not in self.controls[name]:
                raise ValueError(f"explorer: {name} starts at {value!r}, not one of {self.controls[name]}")
            if long := [each for each in self.controls[name] if len(str(each)) > LONGEST]:
                raise ValueError(f"explorer: {name} has {long[0]!r}, longer than the {LONGEST} characters that show")

    def grid(self) -> Iterator[dict[str, object]]:
        """Every combination of the controls' values; of very many, every value with the others as at the start."""
        if prod(map(len, self.controls.values())) <= MOST:
            for values in product(*self.controls.values()):
                yield dict(zip(self.controls, values, strict=True))
        else:
            yield dict(self.start)
            for name, values in self.controls.items():
                yield from ({**self.start, name: value} for value in values if value != self.start[name])


def show(explorer: Explorer) -> None:
    """Sliders and a picture that follows them; where nobody can move a slider, the picture at the start."""
    from IPython.display import Markdown, display

    display(Markdown(f"**Explore.** {explorer.question}"))
    if headless():
        figures.show(explorer.draw(**explorer.start))
        moves = "; ".join(
            f"{explorer.labels.get(name, name)}: {values[0]} … {values[-1]}"
            for name, values in explorer.controls.items()
            if values != SWITCH
        )
        switches = sum(values == SWITCH for values in explorer.controls.values())
        moves += f"; {switches} switches" if switches else ""
        display(Markdown(f"*Still picture. In JupyterLab there are sliders here ({moves}).*"))
    else:
        display(widget(explorer))


def widget(explorer: Explorer) -> object:
    """The explorer as an ipywidgets box: a slider or switch per control, the picture, the finding below it."""
    import ipywidgets as widgets

    natural = widgets.Layout(max_width="100%", align_self="flex-start")  # its own size, never stretched
    made = {
        name: _switch(widgets, explorer, name) if values == SWITCH else _slider(widgets, explorer, name)
        for name, values in explorer.controls.items()
    }
    first = explorer.draw(**explorer.start)
    picture = widgets.Image(value=figures.png(first.figure, first.photo), format="png", layout=natural)
    finding = widgets.HTML(f"<p>{first.finding}</p>")

    def follow(change: object) -> None:
        drawing = explorer.draw(**{name: control.value for name, control in made.items()})
        picture.value, finding.value = figures.png(drawing.figure, drawing.photo), f"<p>{drawing.finding}</p>"

    for control in made.values():
        control.observe(follow, names="value")
    sliders = [control for name, control in made.items() if explorer.controls[name] != SWITCH]
    switches = [control for name, control in made.items() if explorer.controls[name] == SWITCH]
    rows = [widgets.Box(switches, layout=widgets.Layout(flex_flow="row wrap"))] if switches else []
    return widgets.VBox([*sliders, *rows, picture, finding])


def _slider(widgets: ModuleType, explorer: Explorer, name: str) -> object:
    longest = max(len(explorer.labels.get(each, each)) for each in explorer.controls)
    room = f"{0.5 * longest + 1:g}em"  # the same for all, so that their tracks begin below each other
    return widgets.SelectionSlider(
        options=explorer.controls[name],
        value=explorer.start[name],
        description=explorer.labels.get(name, name),
        continuous_update=False,  # a callback may train a network
        style={"description_width": room},
        layout=widgets.Layout(width=f"calc({room} + 24em)"),
    )


def _switch(widgets: ModuleType, explorer: Explorer, name: str) -> object:
    return widgets.ToggleButton(
        value=explorer.start[name], description=explorer.labels.get(name, name), layout=widgets.Layout(width="auto")
    )
