import os
import threading
from pathlib import Path

import pytest

from build_tools.commands import BuildError, Runner
from build_tools.steps import Step, digest, only_one, run_steps, stamped


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.txt"
    path.write_text("one")
    return path


@pytest.fixture
def step(tmp_path: Path, source: Path) -> Step:
    product = tmp_path / "product.txt"

    def copy(_: Runner) -> None:
        product.write_text(source.read_text())

    return stamped(
        "copy",
        copy,
        stamp=tmp_path / "stamps" / "copy",
        inputs=lambda: digest(source),
        products=lambda: [product],
    )


def test_a_new_step_is_stale_and_done_after_it_ran(step: Step, runner: Runner) -> None:
    assert not step.is_done()
    step.action(runner)
    assert step.is_done()


def test_a_changed_input_makes_it_stale(step: Step, runner: Runner, source: Path) -> None:
    step.action(runner)
    source.write_text("two")
    assert not step.is_done()


def test_a_missing_product_makes_it_stale(step: Step, runner: Runner, tmp_path: Path) -> None:
    step.action(runner)
    (tmp_path / "product.txt").unlink()
    assert not step.is_done()


def test_a_step_that_fails_leaves_no_stamp(tmp_path: Path, runner: Runner) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_text("x")

    def fail(_: Runner) -> None:
        raise BuildError("no")

    step = stamped("fail", fail, stamp=stamp, inputs=lambda: "x", products=list)
    assert step.is_done()
    with pytest.raises(BuildError):
        step.action(runner)
    assert not step.is_done()


def test_an_edit_while_the_step_runs_makes_it_stale(
    tmp_path: Path, runner: Runner, source: Path
) -> None:
    def edit(_: Runner) -> None:
        source.write_text("edited")

    step = stamped("edit", edit, stamp=tmp_path / "s", inputs=lambda: digest(source), products=list)
    step.action(runner)
    assert not step.is_done()


def test_the_digest_of_a_folder_knows_names_contents_and_absence(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    seen = {digest(folder)}
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a").write_text("1")
    seen.add(digest(folder))
    (folder / "inner" / "a").write_text("2")
    seen.add(digest(folder))
    (folder / "inner" / "a").rename(folder / "inner" / "b")
    seen.add(digest(folder))
    assert len(seen) == 4
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_text("compiled")
    assert digest(folder) in seen


def test_texts_do_not_run_into_each_other() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_progress_has_a_line_for_every_step(
    runner: Runner, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = [
        Step("first", lambda _: "with a detail"),
        Step("second", lambda _: None, lambda: True),
    ]
    run_steps(steps, runner)
    assert capsys.readouterr().out.splitlines() == [
        "[ 1/2] first … 0.0 s (with a detail)",
        "[ 2/2] second … up to date",
    ]


def test_a_failing_command_shows_its_output_and_what_to_do(runner: Runner) -> None:
    with pytest.raises(BuildError) as caught:
        runner.run(["sh", "-c", "echo out; echo err >&2; exit 3"], hint="try again")
    assert caught.value.report().splitlines() == [
        "out",
        "err",
        "build.py: error: exit code 3 from: sh -c 'echo out; echo err >&2; exit 3'",
        "  to do: try again",
    ]


def test_a_command_that_is_not_there_is_named(runner: Runner) -> None:
    with pytest.raises(BuildError, match="cannot start no-such-program: No such file"):
        runner.run(["no-such-program"])


def test_commands_get_their_variables_and_no_input(runner: Runner) -> None:
    printed = runner.run(["sh", "-c", 'cat; echo "$COLOUR in $PWD"'], env={"COLOUR": "blue"})
    assert printed == f"blue in {os.path.realpath(runner.root)}\n"


def test_a_second_build_waits_for_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = []

    def second() -> None:
        with only_one(tmp_path / "lock"):
            order.append("second")

    with only_one(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert "waiting for another build.py" in capsys.readouterr().out
