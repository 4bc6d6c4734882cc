import pytest

from p2pchat.cli.tui.link import NodeState, Phase
from p2pchat.cli.tui.state import (
    CONVERSATIONS,
    EVERYTHING,
    INFO,
    MEMBERS,
    TRANSFERS_KEPT,
    ChatState,
)
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, EVE, ME, START_MS, room, said

LOBBY = room("lobby")


def state() -> ChatState:
    return ChatState(scene.opening())


def arrived(*messages: control.Message, late: bool = False) -> control.Event:
    event = control.MessagesArrived(
        conversation=messages[0].conversation, messages=messages, late=late
    )
    return control.Event(messages_arrived=event)


def test_the_opening_screen_is_there_before_anything_was_asked() -> None:
    made = state()
    assert made.current == "#lobby"
    here = made.here
    assert here is not None
    assert len(here.items) == len(scene.lobby_page())


def test_a_message_touches_its_conversation_and_is_told_when_it_is_news() -> None:
    made = state()
    message = said(LOBBY, 99, BOB, "hi", 1)
    changes = made.apply(arrived(message))
    assert changes.touched == {"#lobby"}
    assert changes.arrived == [message]
    assert made.apply(arrived(message)).arrived == []


def test_own_messages_and_late_ones_are_no_news() -> None:
    made = state()
    assert made.apply(arrived(said(LOBBY, 90, ME, "hi", 1))).arrived == []
    assert made.apply(arrived(said(LOBBY, 91, BOB, "hi", 1), late=True)).arrived == []


def test_somebody_new_gets_a_conversation() -> None:
    made = state()
    changes = made.apply(arrived(said(scene.person("12D3KooWNew"), 1, EVE, "hello", 1)))
    assert "@12D3KooWNew" in made.conversations
    assert CONVERSATIONS in changes.ask


def test_a_change_of_a_message_that_is_not_held_is_not_put_in_between() -> None:
    made = state()
    changed = control.MessagesChanged(
        conversation=LOBBY, messages=[said(LOBBY, 777, BOB, "edited", 1)]
    )
    made.apply(control.Event(messages_changed=changed))
    here = made.here
    assert here is not None
    assert all(each.lamport != 777 for each in here.messages())


def test_a_deleted_message_is_gone() -> None:
    made = state()
    gone = control.DeletedMessage(sender=BOB, id=f"{1:032x}")
    changed = control.MessagesChanged(conversation=LOBBY, deleted=[gone])
    made.apply(control.Event(messages_changed=changed))
    here = made.here
    assert here is not None
    assert all(each.lamport != 1 for each in here.messages())


def test_a_mark_moves_where_the_message_stands() -> None:
    made = state()
    change = control.DeliveryChange(id=f"{7:032x}", delivery=scene.delivery(control.DELIVERED))
    event = control.DeliveriesChanged(conversation=scene.person(BOB), changes=[change])
    changes = made.apply(control.Event(deliveries_changed=event))
    assert changes.touched == {f"@{BOB}"}
    item = made.conversations[f"@{BOB}"].find(f"{ME}/{7:032x}")
    assert item is not None
    assert item.message is not None
    assert item.message.delivery.stage == control.DELIVERED


def test_a_gap_has_one_line_until_it_is_closed() -> None:
    made = state()
    for missing in (3, 2):
        made.apply(control.Event(room_gap=control.RoomGap(room="lobby", missing=missing)))
    here = made.here
    assert here is not None
    assert [each.key for each in here.items if each.message is None] == ["gap"]
    made.apply(control.Event(room_gap=control.RoomGap(room="lobby")))
    assert here.find("gap") is None


def test_a_new_stream_or_a_gap_in_it_means_reading_everything_anew() -> None:
    made = state()
    fresh = control.Event(subscribed=control.Subscribed())
    resumed = control.Event(subscribed=control.Subscribed(resumed=True))
    behind = control.Event(fell_behind=control.FellBehind(reason="slow"))
    assert EVERYTHING in made.apply(fresh).ask
    assert made.apply(resumed).ask == {INFO}
    assert EVERYTHING in made.apply(behind).ask


def test_a_mute_by_another_front_end_shows_at_once_and_the_list_is_asked_for_again() -> None:
    made = state()
    muted = control.ConversationChanged(conversation=LOBBY, muted=True)
    changes = made.apply(control.Event(conversation_changed=muted))
    assert changes.overview
    assert changes.ask == {CONVERSATIONS}
    assert made.conversations["#lobby"].status.muted


def test_members_are_asked_for_only_where_they_are_shown() -> None:
    made = state()
    here = control.Event(members_changed=control.MembersChanged(room="lobby"))
    elsewhere = control.Event(members_changed=control.MembersChanged(room="harbour"))
    assert made.apply(here).ask == {MEMBERS}
    assert made.apply(elsewhere).ask == set()


def test_the_node_is_what_it_says() -> None:
    made = state()
    made.apply(NodeState("gone", "it ended"))
    assert made.node.detail == "it ended"


def test_the_list_is_the_nodes_but_the_open_conversation_stays() -> None:
    made = state()
    made.current = "#noise"
    made.set_conversations(scene.statuses()[:1])
    assert list(made.conversations) == ["#lobby", "#noise"]
    assert not made.conversations["#noise"].status.joined


def test_an_offer_without_a_message_has_a_note_of_its_own() -> None:
    made = state()
    transfer = scene.transfer()
    transfer.id = "e" * 32
    made.apply(control.Event(transfer_changed=control.TransferChanged(transfer=transfer)))
    bob = made.conversations[f"@{BOB}"]
    assert bob.find(f"transfer {'e' * 32}") is not None


def test_the_note_about_a_file_is_gone_once_its_message_is_there() -> None:
    made = state()
    transfer = scene.transfer()
    transfer.id = "e" * 32
    made.set_transfer(transfer)
    bob = made.conversations[f"@{BOB}"]
    file = control.File(transfer=transfer.id, name="plan.pdf", size=2_100_000)
    bob.put(said(scene.person(BOB), 77, BOB, "", 9, file=file))
    assert bob.find(f"transfer {transfer.id}") is None


@pytest.mark.parametrize("phase", ["restarting", "stopped", "failed"])
def test_a_connection_that_is_lost_late_hides_nothing_of_how_the_node_ended(phase: Phase) -> None:
    made = state()
    made.apply(NodeState(phase, "killed by SIGKILL"))
    made.apply(NodeState("gone"))
    assert made.node == NodeState(phase, "killed by SIGKILL")
    made.apply(NodeState("running"))
    made.apply(NodeState("gone"))
    assert made.node == NodeState("gone")


def test_no_more_transfers_are_kept_than_said() -> None:
    made = state()
    for number in range(TRANSFERS_KEPT + 5):
        made.set_transfer(control.Transfer(id=f"{number:032x}", peer=BOB))
    assert len(made.transfers) == TRANSFERS_KEPT


def test_events_of_a_later_version_change_nothing() -> None:
    assert state().apply(control.Event(at_ms=START_MS)).touched == set()
