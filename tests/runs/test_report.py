import json
from html.parser import HTMLParser

import pytest

from mtlib.runs import record, report


class Page(HTMLParser):
    """Every tag with its attributes, and the text between."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def folder(finished, tmp_path):
    for name in ("tiny.smoke.ipynb", "tiny.smoke.json"):
        (tmp_path / name).write_bytes((finished.folder / "out" / name).read_bytes())
    return tmp_path


def test_nothing_is_fetched_from_elsewhere(finished):
    page = Page((finished.folder / "out/report.html").read_text("utf-8"))
    links = [values.get(key) for _, values in page.tags for key in ("src", "href") if values.get(key)]
    assert links
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in links)
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, values in page.tags for name in values)


def test_every_claim_figure_and_fact_is_shown(folder):
    page = Page(report.write(folder).read_text("utf-8"))
    for text in ("A tiny <course>", "SOS < MT & <i>ST</i>", "gain: 0.25; low: 0.125", "◐", "partly", "Table I"):
        assert text in page.text
    for text in ("steps: 5", "0 to 3", "accuracy.st", 'They "overlap" & differ.', "torch: "):
        assert text in page.text
    (image,) = [values for tag, values in page.tags if tag == "img"]
    assert image["alt"] == "Two <b>sets</b>"
    assert not {"i", "b", "course"} & {tag for tag, _ in page.tags}  # escaped, not obeyed


def test_two_builds_are_equal(folder):
    assert report.write(folder).read_bytes() == report.write(folder).read_bytes()


def test_runs_in_course_order_and_damage_named(folder):
    found = json.loads((folder / "tiny.smoke.json").read_text("utf-8"))
    for name, profile in (("tiny", "paper"), ("alpha", "quick")):
        text = record.dumps(found | {"notebook": name, "profile": profile})
        (folder / f"{name}.{profile}.json").write_text(text, "utf-8")
        (folder / f"{name}.{profile}.ipynb").write_bytes((folder / "tiny.smoke.ipynb").read_bytes())
    (folder / "half.quick.json").write_text('{"notebook": ')
    (folder / "alone.quick.json").write_text(record.dumps(found), "utf-8")
    (folder / "tiny.quick.partial.ipynb").write_text("{}")
    page = Page(report.write(folder).read_text("utf-8"))
    sections = [values["id"] for tag, values in page.tags if tag == "section"]
    assert sections == ["alpha.quick", "tiny.smoke", "tiny.paper"]
    for text in ("half.quick.json is truncated", "alone.quick.ipynb", "tiny.quick.partial.ipynb"):
        assert text in page.text
    assert str(folder) not in page.text


def test_an_empty_folder_is_refused(tmp_path, shell):
    done = shell("report", tmp_path)
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "no finished run" in done.stderr
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "none"),
        (True, "yes"),
        (0.1 + 0.2, "0.3"),
        ([], "none"),
        ([1, 2], "1, 2"),
        ([5, 6, 7, 8], "5 to 8"),
        ([5, 6, 8, 9], "5, 6, 8, 9"),
        ({"a": [0.5], "b": ""}, "a: 0.5; b: none"),
    ],
)
def test_words(value, said):
    assert report.words(value) == said
