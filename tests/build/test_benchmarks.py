"""What the benchmark makes of its samples and traces."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.visitors.plot import HIGH, LOW, place, plot
from benchmarks.visitors.table import NAMES, ROWS, Row, Samples, facts, markdown, table, text
from benchmarks.visitors.trace import Json, mark, tasks

VALUES = dict(zip(NAMES, (1.0, 10.0, 20.0, 2.0, 4.0, 100.0), strict=True))


def samples(measure: str, **other: float) -> Samples:
    return {(measure, name): [value] for name, value in {**VALUES, **other}.items()}


def task(begin: float, length: float, thread: int = 1) -> Json:
    return {"name": "RunTask", "ph": "X", "ts": begin, "dur": length, "pid": 7, "tid": thread}


TAG = {"name": "tag", "ph": "R", "ts": 1000, "pid": 7, "tid": 1}


def test_the_last_mark_counts() -> None:
    assert mark([{**TAG, "ts": 1}, TAG, {**TAG, "name": "ready"}], "tag") is TAG


def test_tasks_of_other_threads_and_outside_of_the_time_do_not_count() -> None:
    trace = [TAG, task(0, 900), task(2000, 500), task(2000, 9000, thread=2), task(6000, 100)]
    assert tasks(trace, TAG, 5000) == [0.5]


def test_a_task_inside_of_another_is_part_of_it() -> None:
    trace = [task(2000, 900), task(2100, 300), task(2000, 900), task(3000, 400)]
    assert tasks(trace, TAG, 5000) == [0.9, 0.4]


def test_of_the_task_with_the_mark_what_comes_after_it_counts() -> None:
    assert tasks([task(500, 700)], TAG, 5000) == [0.2]


def test_a_row_tells_medians_ratios_and_whether_its_bars_are_reached() -> None:
    row = Row("a", "m", "ms", of_customerio=0.2, of_snowplow=0.05)
    cells = row.cells({**samples("m"), ("m", "shared"): [1.0, 2.0, 30.0]})
    assert cells["shared"] == 2.0
    assert row.ratios(cells) == [0.2, 0.1]
    assert row.verdict(cells) == "short"
    assert Row("a", "m", "ms", of_customerio=0.2).verdict(cells) == "ok"
    assert Row("a", "m", "ms", at_most=2).verdict(cells) == "ok"
    assert Row("a", "m", "ms", at_most=1.9).verdict(cells) == "short"
    assert Row("a", "m", "ms").verdict(cells) == ""


def test_what_the_page_does_without_a_tracker_can_be_taken_off() -> None:
    cells = Row("a", "m", "ms", added=True).cells(samples("m", none=3.0))
    assert (cells["Customer.io"], cells["shared"]) == (7.0, 0.0)


def test_a_percentile_and_a_share() -> None:
    one = {("m", "shared"): [float(n) for n in range(200)]}
    assert Row("a", "m", "ms", percentile=99).cells(one)["shared"] == 198
    assert Row("a", "m", "%", share=True).cells({("m", "shared"): [0, 100]})["shared"] == 50


def test_what_was_not_measured_is_short_if_it_has_a_bar() -> None:
    row = next(row for row in ROWS if row.at_most)
    assert row.verdict(row.cells({})) == "short"


def test_the_table_is_the_same_in_every_form() -> None:
    measured = samples("burst")
    lines = table(measured)
    assert len(lines) == len(ROWS) + 1 == len(facts(measured)) + 1
    assert {len(line) for line in lines} == {len(lines[0])}
    row = next(line for line in lines if "events" in line[0] and line[4])
    assert row[2:8] == ["1", "10", "20", "2", "4", "100"]
    assert row[8:10] == ["0.2", "0.1"]
    assert markdown(lines).count("\n") == len(lines)
    assert "burst" not in text(lines)
    assert row[0] in text(lines)


def test_the_plot_has_a_point_for_each_ratio() -> None:
    drawing = ElementTree.fromstring(plot(samples("burst")))
    circles = [each for each in drawing if each.tag.endswith("circle")]
    assert len(circles) == 2 + 2  # what the colors mean, and two ratios


@pytest.mark.parametrize(("ratio", "like"), [(1e9, 10.0**HIGH), (0.0, 10.0**LOW)])
def test_what_is_off_the_scale_stands_at_its_end(ratio: float, like: float) -> None:
    assert place(ratio) == place(like)
