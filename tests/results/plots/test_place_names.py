"""Names at points: clear of each other, of points, and inside."""

from __future__ import annotations

import math

from vlpbench.results.plots.place_names import place_names
from vlpbench.results.plots.style import blank, house_style


def placed(points, names):
    with house_style():
        figure = blank("page", 3.5)
        axes = figure.subplots()
        for x, y in points:
            axes.plot(x, y, "ko", markersize=4)
        axes.set_xlim(0, 10)
        axes.set_ylim(0, 10)
        place_names(figure, axes, points, names)
        figure.draw_without_rendering()
        centres = axes.transData.transform(points)
        return axes, [text.get_tightbbox() for text in axes.texts], centres


def test_a_lone_name_stands_beside_its_point():
    _, (box,), ((x, y),) = placed([(5, 5)], ["alone"])
    assert math.dist((box.x0, (box.y0 + box.y1) / 2), (x, y)) < 20


def test_a_cluster_fans_out_with_leading_lines():
    points = [(5 + at / 100, 5) for at in range(9)]
    axes, _, _ = placed(points, [f"a longer name {at}" for at in range(9)])
    assert [text.get_text() for text in axes.texts] == [f"a longer name {at}" for at in range(9)]
    assert any(text.arrow_patch is not None for text in axes.texts)
    extents = [text.get_bbox_patch().get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(two) for at, one in enumerate(extents) for two in extents[at + 1 :])


def test_names_at_the_edges_stay_inside():
    axes, boxes, _ = placed([(0.05, 5), (9.95, 5), (5, 9.9), (5, 0.1)], ["left side", "right side", "top", "bottom"])
    room = axes.get_window_extent()
    assert all(room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1 for box in boxes)


def test_names_do_not_cover_points():
    points = [(x, y) for x in (2, 5, 8) for y in (2, 5, 8)]
    _, boxes, centres = placed(points, ["name"] * 9)
    assert not any(box.contains(*centre) for box in boxes for centre in centres)


def test_a_name_is_never_beside_another_point_alone():
    points = [(5.0, 5.0), (5.12, 5.0)]
    axes, _, centres = placed(points, ["the left one", "the right one"])
    boxes = [text.get_bbox_patch().get_window_extent() for text in axes.texts]
    for at, (box, text) in enumerate(zip(boxes, axes.texts, strict=True)):
        away = [
            math.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1)) for x, y in centres
        ]
        assert away[at] < away[1 - at] or text.arrow_patch is not None
