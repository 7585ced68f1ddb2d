"""The fault matrix's short form: after the exchange, every answer lost and every process killed. All of it: ``make matrix``."""

from collections.abc import Iterator

import pytest

from sandbox.world import Sandbox
from tests.matrix import matrix
from tests.matrix.acts import ACTS
from tests.matrix.allowed import CELLS, ROWS, calls
from tests.matrix.matrix import Cell, Result
from tests.support.sandbox_app import PARAMETERS, QUICK


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    """A sandbox of its own: here processes are killed."""
    with Sandbox(parameters=PARAMETERS, settings=QUICK, streams=False) as running:
        yield running


@pytest.fixture(scope="module")
def cells(own: Sandbox) -> list[Cell]:
    return matrix.cells(own)


def test_every_call_of_every_act_has_its_cells_written_down(cells: list[Cell]) -> None:
    assert {(cell.act.name, cell.call) for cell in cells} == calls()


def test_a_cell_is_written_down_only_where_it_differs_from_its_row() -> None:
    for (call, fault), (first, end) in CELLS.items():
        rows = [row[call] for row in ROWS.values() if call in row]
        assert fault in matrix.FAULTS
        assert any((first or row[0], end or row[1]) != row for row in rows), (call, fault)


@pytest.mark.parametrize(("act", "calls_made"), [("callback", 7), ("callback, sealed", 5)])
@pytest.mark.parametrize("fault", ["garbage", "lost", "killed before", "killed after"])
def test_no_token_is_lost_when_a_call_of_the_callback_fails(
    own: Sandbox, cells: list[Cell], act: str, calls_made: int, fault: str
) -> None:
    results = list(matrix.run(own, [cell for cell in cells if cell.act.name == act and cell.fault == fault]))
    assert len(results) == calls_made
    assert [result for result in results if not result.right] == []


def test_a_token_that_is_left_in_the_clear_is_seen(own: Sandbox) -> None:
    act = next(one for one in ACTS if one.name == "callback, sealed")
    scene = act.scene(own)
    assert (act.do(scene), act.end(scene)) == ("granted", "owed")
    scene.app.relay(scene.key)
    assert act.end(scene) == "sealed"
    token = own.provider_server.valid_token(scene.app.consumer.key, scene.app.user)
    assert token
    scene.app.change_item(scene.key, reason=f"refused {token}")
    assert act.end(scene) == "in the clear"


def test_a_cell_outside_its_set_is_seen(cells: list[Cell]) -> None:
    cell = next(one for one in cells if one.act.name == "callback" and one.call == "CreateSecret 1" and one.fault == "lost")
    assert Result(cell, "granted", "granted", "stored", struck=True).right
    assert not Result(cell, "granted", "granted", "lost", struck=True).right
    assert not Result(cell, "granted", "granted", "stored", struck=False).right
