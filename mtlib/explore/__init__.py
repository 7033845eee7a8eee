"""Explorers: sliders that let one discover something. Every callback is a plain function that also runs headless."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from mtlib import figures
from mtlib.headless import headless


@dataclass(frozen=True)
class Explorer:
    """A question, the controls to answer it with, and the function from their values to a drawing.

    Args:
        question: what to find out.
        controls: {argument of draw: its values}, the first dimension first.
        start: the values to begin with.
        draw: from one value of every control to a Drawing; needs no widget.
        labels: {argument: what stands beside its slider}, where the argument's name does not say it.

    Raises:
        ValueError: a start that the controls do not have.
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

    def grid(self) -> Iterator[dict[str, object]]:
        """Every combination of the controls' values."""
        for values in product(*self.controls.values()):
            yield dict(zip(self.controls, values, strict=True))


def show(explorer: Explorer) -> None:
    """Sliders and a picture that follows them; where nobody can move a slider, the picture at the start."""
    from IPython.display import Markdown, display

    display(Markdown(f"**Explore.** {explorer.question}"))
    if headless():
        figures.show(explorer.draw(**explorer.start))
        moves = "; ".join(
            f"{explorer.labels.get(name, name)}: {values[0]} … {values[-1]}"
            for name, values in explorer.controls.items()
        )
        display(Markdown(f"*Still picture. In JupyterLab there are sliders here ({moves}).*"))
    else:
        display(widget(explorer))


def widget(explorer: Explorer) -> object:
    """The explorer as an ipywidgets box: a slider per control, the picture, the finding below it."""
    import ipywidgets as widgets

    natural = widgets.Layout(max_width="100%", align_self="flex-start")  # its own size, never stretched
    sliders = {
        name: widgets.SelectionSlider(
            options=values,
            value=explorer.start[name],
            description=explorer.labels.get(name, name),
            continuous_update=False,  # a callback may train a network
            style={"description_width": "initial"},
            layout=widgets.Layout(width="36em"),
        )
        for name, values in explorer.controls.items()
    }
    first = explorer.draw(**explorer.start)
    picture = widgets.Image(value=figures.png(first.figure), format="png", layout=natural)
    finding = widgets.HTML(f"<p>{first.finding}</p>")

    def follow(change: object) -> None:
        drawing = explorer.draw(**{name: slider.value for name, slider in sliders.items()})
        picture.value, finding.value = figures.png(drawing.figure), f"<p>{drawing.finding}</p>"

    for slider in sliders.values():
        slider.observe(follow, names="value")
    return widgets.VBox([*sliders.values(), picture, finding])
