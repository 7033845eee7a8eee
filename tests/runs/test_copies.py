from mtlib.runs import copies, notebooks, parameters


def test_teach(course, shell, pretend):
    pretend()
    assert shell("notebooks", "01").exit_code == 0  # so that there are outputs to clear
    done = shell("teach", "--to", course / "desk")
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) == 4
    student = notebooks.load(course / "desk/student/01_tiny.ipynb")
    assert not any("solution" in cell.metadata.get("tags", []) for cell in student.cells)
    assert len(student.cells) == 6
    assert "answer" not in (course / "desk/student/01_tiny.ipynb").read_text("utf-8")
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert parameters.read(student)["steps"].default == 3
    teacher = notebooks.load(course / "desk/instructor/01_tiny.ipynb")
    assert len(teacher.cells) == 8
    assert any(cell.get("outputs") for cell in teacher.cells)
    hidden = {"source_hidden", "outputs_hidden"}
    assert not any(hidden & set(cell.metadata.get("jupyter", {})) for cell in teacher.cells)


def test_the_source_stays_folded(course):
    source = notebooks.load(course / "notebooks/01_tiny.ipynb")
    copies.instructor(source)
    copies.student(source)
    assert len(source.cells) == 8
    assert source.cells[5].metadata.jupyter.source_hidden


def test_teach_refuses_a_file(course, shell):
    (course / "desk").touch()
    done = shell("teach", "--to", course / "desk")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
