"""Every notebook in JupyterLab, in a browser: it runs without an error, and a slider moved by key changes a picture.

A new notebook joins by its number in NOTEBOOKS.
"""

import time
from contextlib import contextmanager, suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from mtlib.paths import repository
from mtlib.runs import notebooks

NOTEBOOKS = ("00b", "01", "01b", "01c", "01d", "02", "02b", "02c", "03", "03b", "04", "04b", "05", "05b")
SHOTS = repository() / "runs" / "lab"
PATIENCE = 10  # times the seconds that a notebook declares for two cores with nothing else to do
REDRAW = 30_000  # ms: some pictures come after a small training

# The open notebook as JupyterLab holds it: scrolling and folding do not matter. Cells are numbered from 1, all kinds.
STATE = """() => {
    const panel = jupyterapp.shell.currentWidget, cells = panel.content.widgets
    const code = cells.map((cell, k) => ({cell, number: k + 1, source: cell.model.sharedModel.getSource().trim()}))
        .filter(one => one.cell.model.type === 'code' && one.source)
    const outputs = one => one.cell.model.outputs.toJSON()
    const asks = out => out.data?.['text/markdown']?.startsWith('**Explore.**')
    const errors = code.flatMap(one => outputs(one).filter(out => out.output_type === 'error')
        .map(out => ({number: one.number, source: one.source, error: `${out.ename}: ${out.evalue}`})))
    return {
        errors, status: panel.sessionContext.session?.kernel?.status,
        waiting: code.filter(one => one.cell.model.executionCount === null).map(one => one.number),
        explorers: code.flatMap(outputs).filter(asks).length,
        dialog: document.querySelector('.jp-Dialog')?.innerText,
    }
}"""


@pytest.mark.parametrize("path", [notebooks.find(name) for name in NOTEBOOKS], ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_sliders_move_pictures(path, lab, page):
    with photographed(page, SHOTS / f"{path.stem}.failed.png"):
        open_notebook(page, lab.url(f"lab/tree/{path.name}"))
        run_all(page, PATIENCE * notebooks.expected_seconds(notebooks.load(path), "quick"))
        if "**Explore.**" not in path.read_text():  # as committed, it shows none
            page.screenshot(path=SHOTS / f"{path.stem}.png")
            return
        found = explorers(page)
        for number, explorer in enumerate(found, start=1):
            moved = move_a_slider(explorer)
            assert moved, f"explorer {number} of {len(found)}: no slider changes the picture"
            shot = SHOTS / f"{path.stem}.{number}.png"
            page.screenshot(path=shot)
            print(f"explorer {number}: the slider '{moved}' changes the picture; see {shot.relative_to(repository())}")


@contextmanager
def photographed(page, shot):
    """What fails inside is told without our own lines, and with a screenshot of that moment."""
    shot.unlink(missing_ok=True)
    try:
        yield
    except (AssertionError, PlaywrightError) as error:
        page.screenshot(path=shot)
        raise pytest.fail.Exception(f"{error}\n\nthe window then: {shot}", pytrace=False) from None


def open_notebook(page, url):
    page.goto(url)
    # Run All before the kernel is there would be lost without a word.
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


def run_all(page, seconds):
    """By the menu, as a reader does; until every cell has run, one has failed, or the time is over."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    deadline = time.monotonic() + seconds
    state = page.evaluate(STATE)
    while not state["errors"] and (state["waiting"] or state["status"] != "idle"):
        if state["dialog"]:
            raise AssertionError(f"JupyterLab asks or tells: {state['dialog']}")
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s cell {min(state['waiting'], default='?')} is not done")
        page.wait_for_timeout(500)
        state = page.evaluate(STATE)
    if state["errors"]:
        page.evaluate("k => jupyterapp.shell.currentWidget.content.scrollToItem(k)", state["errors"][0]["number"] - 1)
        raise AssertionError("\n\n".join("cell {number}: {error}\n\n{source}".format(**one) for one in state["errors"]))


def explorers(page):
    """Each box of sliders and a picture, in the notebook's order; as many as the notebook announces."""
    announced = page.evaluate(STATE)["explorers"]
    assert announced, "no cell shows an explorer"
    boxes = page.locator(".widget-vbox", has=page.locator(".noUi-handle"), has_not=page.locator(".widget-vbox"))
    boxes = boxes.filter(has=page.locator("img.widget-image"))
    with suppress(AssertionError):
        expect(boxes).to_have_count(announced, timeout=REDRAW)
    if boxes.count() != announced:
        raise AssertionError(f"{announced} explorers announced, {boxes.count()} with a slider and a picture")
    return boxes.all()


def move_a_slider(explorer):
    """Press the right arrow on one slider after the other; the first that changes the picture, or None."""
    picture = explorer.locator("img.widget-image")
    for slider in explorer.locator(".widget-slider", has=explorer.page.locator(".noUi-handle")).all():
        before = picture.get_attribute("src")
        slider.locator(".noUi-handle").focus()
        explorer.page.keyboard.press("ArrowRight")
        try:
            expect(picture).not_to_have_attribute("src", before, timeout=REDRAW)
        except AssertionError:
            continue
        picture.evaluate("img => img.decode()")  # fails where the bytes are no picture
        explorer.evaluate("box => box.scrollIntoView()")  # now: cells above took their heights as they came into view
        return slider.locator("label").inner_text()
    return None
