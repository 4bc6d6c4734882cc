from p2pchat.cli.tui import panes
from p2pchat.cli.tui.rows import plain
from p2pchat.cli.tui.state import ChatState
from tests.cli.tui import scene


def member_rows(columns: int = 26) -> list[str]:
    state = ChatState(scene.opening())
    state.current = "#lobby"
    state.set_members("lobby", scene.members())
    return [plain(each) for each in panes.side_rows(state, columns)]


def test_members_whose_names_look_alike_are_marked_and_the_others_are_not() -> None:
    rows = member_rows()
    marked = [each for each in rows if each.endswith("≈")]
    assert len(marked) == 2
    assert rows[-1] == " ≈ names that look alike"


def test_the_mark_fits_a_narrow_pane() -> None:
    assert all(len(each) <= 20 for each in member_rows(20)[:-1])
