from p2pchat.cli.tui.conversation import ITEMS_KEPT, Conversation, key_of, message_key
from p2pchat.cli.tui.rows import row
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, ME, said

LOBBY = scene.room("lobby")


def conversation() -> Conversation:
    return Conversation("#lobby", control.ConversationStatus(conversation=LOBBY))


def message(number: int, sender: str = BOB, text: str = "hi") -> control.Message:
    return said(LOBBY, number, sender, text, number * 1000)


def numbers(found: Conversation) -> list[int]:
    return [each.lamport for each in found.messages()]


def test_messages_stand_in_their_order_however_they_come() -> None:
    made = conversation()
    for number in (3, 1, 2):
        assert made.put(message(number))
    assert numbers(made) == [1, 2, 3]


def test_the_same_message_is_there_once_and_the_newer_version_counts() -> None:
    made = conversation()
    made.put(message(1))
    assert not made.put(message(1, text="edited"))
    assert [each.text for each in made.messages()] == ["edited"]


def test_a_mark_changes_in_place() -> None:
    made = conversation()
    made.put(message(1, ME))
    item = made.items[0]
    assert made.deliver(f"{1:032x}", ME, scene.delivery(control.DELIVERED))
    assert made.items == [item]
    assert item.version == 1
    assert not made.deliver("unknown", ME, scene.delivery(control.READ))


def test_what_is_pending_stays_below_what_comes() -> None:
    made = conversation()
    pending = made.pend(message(0, ME, "mine"))
    made.put(message(7))
    made.note([])
    assert made.items[-1] is pending


def test_what_was_not_sent_keeps_its_place_in_time() -> None:
    made = conversation()
    made.put(message(1))
    failed = made.pend(message(0, ME, "mine"))
    later = made.pend(message(0, ME, "waits"))
    made.fail(failed, "That room is full.")
    note = made.note([])
    made.put(message(7))
    assert [made.items.index(each) for each in (failed, note, later)] == [1, 2, 4]
    assert failed.is_unsent
    made.read_newest([message(1), message(7), message(8)], "")
    made.clear_messages()
    assert made.items == [failed, note, later]


def test_notes_stay_where_they_were_said() -> None:
    made = conversation()
    made.put(message(1))
    note = made.note([])
    made.put(message(2))
    assert made.items.index(note) == 1


def test_a_note_that_changes_stays_where_it_is() -> None:
    made = conversation()
    note = made.note([row("10 %")], key="transfer x")
    made.put(message(2))
    assert made.note([row("20 %")], key="transfer x") is note
    assert made.items.index(note) == 0
    assert note.lines == (row("20 %"),)
    assert note.version == 1


def test_no_more_is_kept_than_said_and_what_was_let_go_can_be_read_again() -> None:
    made = conversation()
    made.cursor = ""
    for number in range(1, 3 * ITEMS_KEPT):
        made.put(message(number))
    assert len(made.items) <= ITEMS_KEPT * 11 // 10
    assert numbers(made)[-1] == 3 * ITEMS_KEPT - 1
    assert made.cursor is None


def test_whoever_has_scrolled_up_keeps_what_is_old() -> None:
    made = conversation()
    made.held = True
    for number in range(1, 3 * ITEMS_KEPT):
        made.put(message(number))
    assert numbers(made)[0] == 1


def test_reading_anew_lets_go_what_is_gone_and_keeps_what_came_meanwhile() -> None:
    made = conversation()
    for number in (1, 2, 3, 9):
        made.put(message(number))
    made.read_newest([message(1), message(3)], "older")
    assert numbers(made) == [1, 3, 9]
    assert made.cursor == "older"


def test_a_page_that_does_not_reach_what_is_held_replaces_it() -> None:
    made = conversation()
    made.put(message(1))
    made.read_newest([message(50), message(51)], "older")
    assert numbers(made) == [50, 51]
    assert made.cursor == "older"


def test_the_unread_ones_begin_above_the_last_so_many_of_others() -> None:
    made = conversation()
    for number, sender in enumerate((BOB, BOB, ME, BOB), 1):
        made.put(message(number, sender))
    made.unread_begins(2)
    assert made.new_from == message_key(BOB, f"{2:032x}")
    made.unread_begins(0)
    assert made.new_from == ""


def test_the_key_of_a_message_is_that_of_its_conversation() -> None:
    assert key_of(message(1)) == "#lobby"
