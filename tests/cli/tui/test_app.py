"""What the keyboard, the mouse and the node do to the screen."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from textual import events

from p2pchat.cli.control_client import LinkDownError, RequestRefusedError
from p2pchat.cli.tui.conversation import ITEMS_KEPT
from p2pchat.cli.tui.opening import OpeningScreen
from p2pchat.proto import control_pb2 as control
from tests.cli.tui import scene
from tests.cli.tui.scene import BOB, HOUR, ME, MIA, said
from tests.cli.tui.screens import LARGE, NOW, SMALL, Stage, on_stage
from tests.cli.tui.scripted_link import ScriptedLink

LOBBY = scene.room("lobby")


def sent(request: Any, number: int = 50) -> control.SendMessageResponse:
    where = scene.room(request.room) if request.room else scene.person(request.who)
    message = said(where, number, ME, request.text, 40 * HOUR)
    if request.who:
        message.delivery.CopyFrom(scene.delivery(control.QUEUED))
    return control.SendMessageResponse(message=message)


def sending_link() -> ScriptedLink:
    link = scene.link()
    link.answers[control.SendMessageRequest] = sent
    return link


def arrive(stage: Stage, *messages: control.Message) -> None:
    where = messages[0].conversation
    stage.link.tell(control.MessagesArrived(conversation=where, messages=messages))


# ---- saying something -----------------------------------------------------------------------------------


def test_what_is_typed_goes_to_the_open_conversation_and_its_mark_moves_in_place() -> None:
    async def play(stage: Stage) -> None:
        stage.app.open(f"@{BOB}")
        await stage.type("hello there")
        await stage.press("enter")
        await stage.until_shown("hello there", "… waiting")
        asked = stage.link.asked_for(control.SendMessageRequest)
        assert [(each.who, each.text) for each in asked] == [(BOB, "hello there")]
        for delivery, mark in (
            (scene.delivery(control.STORED, 2, 2), "✓ stored 2/2"),
            (scene.delivery(control.READ), "✓✓ read"),
        ):
            change = control.DeliveryChange(id=f"{50:032x}", delivery=delivery)
            event = control.DeliveriesChanged(conversation=scene.person(BOB), changes=[change])
            stage.link.tell(event)
            await stage.until(lambda wanted=mark: _line(stage, "hello there").endswith(wanted))  # type: ignore[misc]

    on_stage(play, link=sending_link())


def _line(stage: Stage, text: str) -> str:
    return next((line.rstrip() for line in stage.text().split("\n") if text in line), "")


def test_an_own_message_that_comes_as_an_event_too_is_shown_once() -> None:
    async def play(stage: Stage) -> None:
        await stage.type("once")
        await stage.press("enter")
        await stage.until(lambda: bool(stage.link.asked_for(control.SendMessageRequest)))
        arrive(stage, said(LOBBY, 50, ME, "once", 40 * HOUR))
        arrive(stage, said(LOBBY, 51, BOB, "seen", 40 * HOUR))
        await stage.until_shown("seen")
        assert stage.text().count("once") == 1

    on_stage(play, link=sending_link())


def test_many_pasted_lines_are_one_message() -> None:
    async def play(stage: Stage) -> None:
        stage.app.post_message(events.Paste("one\ntwo\nthree"))
        await stage.until_shown("three")
        await stage.press("enter")
        await stage.until(lambda: bool(stage.link.asked_for(control.SendMessageRequest)))
        asked = stage.link.asked_for(control.SendMessageRequest)
        assert [each.text for each in asked] == ["one\ntwo\nthree"]

    on_stage(play, link=sending_link())


def test_a_new_line_is_typed_with_ctrl_j_and_alt_enter() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("a", "ctrl+j", "b", "alt+enter", "c", "enter")
        await stage.until(lambda: bool(stage.link.asked_for(control.SendMessageRequest)))
        assert stage.link.asked_for(control.SendMessageRequest)[0].text == "a\nb\nc"

    on_stage(play, link=sending_link())


def test_what_is_said_before_the_node_is_up_waits_and_goes_out_once() -> None:
    link = sending_link()
    is_up: list[bool] = []

    def answer(request: Any) -> control.SendMessageResponse:
        if not is_up:
            raise LinkDownError("The node does not run at the moment.")
        return sent(request)

    link.answers[control.SendMessageRequest] = answer

    async def play(stage: Stage) -> None:
        await stage.type("early")
        await stage.press("enter")
        await stage.until_shown("early", "… to the node")
        is_up.append(True)
        scene.up(link)
        await stage.until(lambda: "… to the node" not in stage.text())
        assert stage.text().count("early") == 1

    on_stage(play, link=link, is_up=False)


def test_what_is_said_before_it_is_known_where_goes_out_in_order_once_that_is_known() -> None:
    link = sending_link()
    numbers = count(50)
    link.answers[control.SendMessageRequest] = lambda request: sent(request, next(numbers))

    async def play(stage: Stage) -> None:
        for text in ("early", "and more"):
            await stage.type(text)
            await stage.press("enter")
        await stage.until(lambda: not stage.app.picture.composer.text)
        assert not link.asked_for(control.SendMessageRequest)
        scene.up(link)
        await stage.until_shown("early", "and more")
        await stage.until(lambda: len(link.asked_for(control.SendMessageRequest)) == 2)
        asked = link.asked_for(control.SendMessageRequest)
        assert [(each.room, each.text) for each in asked] == [
            ("lobby", "early"),
            ("lobby", "and more"),
        ]

    on_stage(play, link=link, is_up=False, opening=OpeningScreen())


def test_what_the_node_took_before_it_died_is_not_said_twice() -> None:
    link = sending_link()
    taken: list[control.Message] = []

    def die(request: Any) -> control.SendMessageResponse:
        taken.append(sent(request).message)
        taken[0].received_at_ms = int(NOW * 1000)
        raise LinkDownError("The node does not run at the moment.")

    link.answers[control.SendMessageRequest] = die
    link.answers[control.ReadHistoryRequest] = lambda _: control.ReadHistoryResponse(
        messages=[*scene.lobby_page(), *taken]
    )

    async def play(stage: Stage) -> None:
        await stage.type("precious")
        await stage.press("enter")
        await stage.until(lambda: bool(taken) and "… to the node" not in stage.text())
        await stage.until_shown("precious")
        assert len(link.asked_for(control.SendMessageRequest)) == 1
        assert stage.text().count("precious") == 1

    on_stage(play, link=link)


def test_a_text_that_is_refused_stays_with_the_reason() -> None:
    link = sending_link()

    def refuse(_: Any) -> control.SendMessageResponse:
        raise RequestRefusedError("That room is full.")

    link.answers[control.SendMessageRequest] = refuse

    async def play(stage: Stage) -> None:
        await stage.type("in vain")
        await stage.press("enter")
        await stage.until_shown("in vain", "✗ not sent: That room is full.")

    on_stage(play, link=link)


# ---- conversations --------------------------------------------------------------------------------------


def test_what_is_looked_at_is_marked_read_and_nothing_else() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("alt+down")
        await stage.until(lambda: bool(stage.link.asked_for(control.MarkReadRequest)))
        asked = stage.link.asked_for(control.MarkReadRequest)
        assert [each.conversation.room for each in asked] == ["harbour"]

    on_stage(play)


def test_nothing_is_marked_read_while_the_terminal_is_not_looked_at() -> None:
    async def play(stage: Stage) -> None:
        stage.app.post_message(events.AppBlur())
        await stage.pilot.pause()
        stage.link.tell(control.UnreadChanged(conversation=LOBBY, unread=1))
        await stage.until(lambda: stage.app.state.conversations["#lobby"].status.unread == 1)
        await stage.pilot.pause()
        assert not stage.link.asked_for(control.MarkReadRequest)
        stage.app.post_message(events.AppFocus())
        await stage.until(lambda: bool(stage.link.asked_for(control.MarkReadRequest)))

    on_stage(play)


def test_a_click_opens_a_conversation_and_accepts_a_file() -> None:
    link = scene.link()
    link.answers[control.AcceptFileRequest] = control.AcceptFileResponse(
        transfer=scene.transfer(0, control.RUNNING)
    )

    async def play(stage: Stage) -> None:
        await stage.pilot.click("#list", offset=(4, 6))
        await stage.until_shown("/accept a1b2c3")
        y = next(i for i, line in enumerate(stage.text().split("\n")) if "[ accept ]" in line)
        await stage.pilot.click(offset=(30, y))
        await stage.until_shown("0%  341.8 KiB/s")
        assert link.asked_for(control.AcceptFileRequest)[0].transfer == scene.transfer().id

    on_stage(play, link=link)


def test_joining_opens_the_room() -> None:
    link = scene.link()
    link.answers[control.JoinRoomRequest] = control.JoinRoomResponse(room="garden")
    garden = control.ConversationStatus(
        conversation=scene.room("garden"), name="garden", joined=True
    )
    listed = control.ListConversationsResponse(conversations=[*scene.statuses(), garden])
    link.answers[control.ListConversationsRequest] = listed

    async def play(stage: Stage) -> None:
        await stage.type("/join garden")
        await stage.press("enter")
        await stage.until_shown("Write to #garden")

    on_stage(play, link=link)


def test_what_was_typed_wrongly_is_answered_with_a_sentence() -> None:
    async def play(stage: Stage) -> None:
        await stage.type("/jion lobby")
        await stage.press("enter")
        await stage.until_shown("did you mean /join?")

    on_stage(play)


def test_edit_puts_the_last_own_message_where_one_types() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.type("/edit")
        await stage.press("enter")
        await stage.until_shown("> /edit Moved to eleven.")
        await stage.press("backspace", "!", "enter")
        await stage.until(lambda: bool(stage.link.asked_for(control.EditMessageRequest)))
        asked = stage.link.asked_for(control.EditMessageRequest)[0]
        assert (asked.id, asked.text) == (f"{7:032x}", "Moved to eleven!")

    on_stage(play)


def test_a_message_that_is_edited_or_retracted_changes_in_place() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        edited = said(LOBBY, 9, MIA, "shorter", 34 * HOUR, edited_at_ms=scene.START_MS)
        gone = said(LOBBY, 5, scene.DAN, "", 33 * HOUR, retracted=True)
        stage.link.tell(control.MessagesChanged(conversation=LOBBY, messages=[edited, gone]))
        await stage.until_shown("shorter (edited)")
        assert stage.text().count("taken back") == 2

    on_stage(play)


# ---- scrolling ------------------------------------------------------------------------------------------


def long_room(number: int) -> list[control.Message]:
    return [said(LOBBY, each, BOB, f"number {each:04}", each * 1000) for each in range(1, number)]


def test_whoever_scrolls_up_stays_there_and_is_told_what_is_below() -> None:
    async def play(stage: Stage) -> None:
        arrive(stage, *long_room(200))
        await stage.until_shown("number 0199")
        await stage.press("pageup", "pageup")
        await stage.until(lambda: "number 0199" not in stage.text())
        top = stage.text().split("\n")[2]
        arrive(stage, said(LOBBY, 300, MIA, "news", 40 * HOUR))
        await stage.until_shown("1 new message below")
        assert stage.text().split("\n")[2] == top
        await stage.press("escape")
        await stage.until_shown("news")
        assert "below" not in stage.text()

    on_stage(play)


def test_scrolling_to_the_top_reads_what_is_older() -> None:
    link = scene.link()
    every = long_room(400)

    def page(asked: Any) -> control.ReadHistoryResponse:
        end = int(asked.before) if asked.before else len(every)
        start = max(0, end - asked.limit)
        return control.ReadHistoryResponse(
            messages=every[start:end], cursor=str(start) if start else ""
        )

    link.answers[control.ReadHistoryRequest] = page

    async def play(stage: Stage) -> None:
        await stage.until_shown("number 0399")
        for _ in range(8):
            await stage.press("ctrl+home")
            await stage.pilot.pause(0.05)
        await stage.until_shown("number 0001")
        here = stage.app.state.here
        assert here is not None
        assert here.cursor == ""
        assert [each.lamport for each in here.messages()] == list(range(1, 400))

    on_stage(play, link=link, opening=OpeningScreen(scene.statuses(), {}, ME, "ada"))


def test_thousands_of_messages_leave_a_bounded_number_and_the_keys_alive() -> None:
    async def play(stage: Stage) -> None:
        every = long_room(3000)
        for start in range(0, len(every), 20):
            arrive(stage, *every[start : start + 20])
        await stage.type("still here")
        await stage.until_shown("> still here", "number 2999")
        here = stage.app.state.here
        assert here is not None
        assert len(here.items) <= ITEMS_KEPT * 11 // 10

    on_stage(play)


# ---- search, palette, looks -----------------------------------------------------------------------------


def test_a_found_message_is_gone_to() -> None:
    async def play(stage: Stage) -> None:
        await stage.press("ctrl+f")
        await stage.type("look")
        await stage.until_shown("2 messages")
        await stage.press("down", "enter")
        await stage.until_shown("@ Bob", "Can you look at this?", "Write to Bob")

    on_stage(play)


def test_the_palette_goes_to_a_person_whose_name_is_no_markup() -> None:
    link = scene.link()
    hostile = control.ConversationStatus(conversation=scene.person(MIA), name="[red]mallory[/red]")
    listed = control.ListConversationsResponse(conversations=[*scene.statuses()[:1], hostile])
    link.answers[control.ListConversationsRequest] = listed

    async def play(stage: Stage) -> None:
        await stage.until_shown("[red]mallo")
        await stage.press("ctrl+p")
        await stage.type("mallory")
        await stage.until_shown("Write to [red]mallory[/red]")
        await stage.press("enter")
        await stage.until_shown("Write to [red]mallory[/red]", "@ [red]mallory[/red]")

    on_stage(play, LARGE, link=link)


def test_the_side_panes_go_and_come_with_the_room_there_is() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("People")
        assert "Members" not in stage.text()
        await stage.press("ctrl+b")
        await stage.until(lambda: "People" not in stage.text())
        await stage.press("ctrl+o")
        await stage.until_shown("Members 5")
        await stage.pilot.resize_terminal(40, 12)
        await stage.until_shown("Write to #lobby")
        assert "Members" not in stage.text()

    on_stage(play, SMALL)


def test_the_theme_changes_with_a_key() -> None:
    async def play(stage: Stage) -> None:
        before = stage.picture()
        await stage.press("ctrl+t")
        await stage.until(lambda: stage.picture() != before)
        assert stage.app.theme == "p2pchat-light"

    on_stage(play)


def test_a_bell_rings_for_what_comes_elsewhere_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play(stage: Stage) -> None:
        rung: list[bool] = []
        monkeypatch.setattr(stage.app, "bell", lambda: rung.append(True))
        harbour = scene.room("harbour")
        arrive(stage, said(harbour, 1, BOB, "ahoy", HOUR))
        await stage.until(lambda: len(stage.app.state.conversations["#harbour"].items) == 1)
        assert not rung
        await stage.type("/notify bell")
        await stage.press("enter")
        await stage.until_shown("Notifications: bell.")
        arrive(stage, said(LOBBY, 60, BOB, "here", HOUR), said(LOBBY, 61, BOB, "more", HOUR))
        arrive(stage, said(harbour, 2, BOB, "ahoy again", HOUR))
        await stage.until(lambda: bool(rung))
        assert rung == [True]

    on_stage(play)


def test_a_long_message_is_shown_whole_with_a_key() -> None:
    async def play(stage: Stage) -> None:
        arrive(stage, said(LOBBY, 60, BOB, "\n".join(f"row {n}" for n in range(60)), 41 * HOUR))
        await stage.until_shown("show all of it")
        await stage.press("ctrl+g")
        await stage.until_shown("row 59")

    on_stage(play)


def test_ctrl_c_clears_first_and_leaves_only_when_pressed_twice() -> None:
    async def play(stage: Stage) -> None:
        await stage.type("draft")
        await stage.press("ctrl+c")
        await stage.until_shown("Write to #lobby")
        await stage.press("ctrl+c")
        await stage.until_shown("ctrl+c again")
        assert stage.app.is_running
        await stage.press("ctrl+c")
        await stage.until(lambda: stage.app.return_value == 0)

    on_stage(play)


@pytest.mark.parametrize(
    "line",
    [
        "/rooms",
        "/who",
        "/contacts",
        "/peers",
        "/doctor",
        "/mailbox list",
        "/files",
        "/blocked",
        "/contact link",
        "/verify Bob",
        "/keep 30",
        "/mailbox archive lobby",
    ],
)
def test_every_question_has_an_answer_on_the_screen(line: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        here = stage.app.state.here
        assert here is not None
        before = len(here.items)
        stage.app.run_command(line)
        await stage.until(lambda: len(here.items) > before)

    on_stage(play)


@pytest.mark.parametrize("close", ["escape", "f1"])
def test_the_help_stands_above_everything_and_is_closed_again(close: str) -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        here = stage.app.state.here
        assert here is not None
        before = len(here.items)
        await stage.press("f1")
        await stage.until_shown("Help", "alt+up, alt+down", "escape: close")
        await stage.press("end")
        await stage.until_shown("two mailboxes keeps it")
        await stage.press(close)
        await stage.until_shown("Write to #lobby", "Moved to eleven.")
        assert "alt+up" not in stage.text()
        assert len(here.items) == before
        await stage.type("/help")
        await stage.press("enter")
        await stage.until_shown("alt+up, alt+down")

    on_stage(play)


def test_the_description_of_the_node_stands_above_everything() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.type("/info")
        await stage.press("enter")
        await stage.until_shown("How this node is doing", scene.ME)

    on_stage(play)


def test_the_palette_offers_every_command_and_those_with_an_argument_are_completed_by_hand() -> (
    None
):
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.press("ctrl+p")
        await stage.type("/verif")
        await stage.until_shown("/verify <who>")
        await stage.press("enter")
        await stage.until_shown("> /verify")
        assert stage.app.picture.composer.text == "/verify "

    on_stage(play)


def test_history_goes_to_where_so_many_messages_begin() -> None:
    def top(stage: Stage) -> str:
        return stage.text().split("\n")[1]

    async def play(stage: Stage) -> None:
        arrive(stage, *long_room(200))
        await stage.until_shown("number 0199")
        await stage.type("/history 60")
        await stage.press("enter")
        await stage.until_shown("from here on: 60 messages · page up")
        await stage.until(lambda: "number 0140" in top(stage))
        await stage.type("/history more 3")
        await stage.press("enter")
        await stage.until_shown("from here on: 63 messages")
        await stage.until(lambda: "number 0137" in top(stage))
        await stage.type("/history 2")
        await stage.press("enter")
        await stage.until_shown("on the screen already: the last 2 messages", "number 0199")

    on_stage(play)


def test_history_reads_what_is_not_there_yet() -> None:
    link = scene.link()
    every = long_room(400)

    def page(asked: Any) -> control.ReadHistoryResponse:
        end = int(asked.before) if asked.before else len(every)
        start = max(0, end - asked.limit)
        return control.ReadHistoryResponse(
            messages=every[start:end], cursor=str(start) if start else ""
        )

    link.answers[control.ReadHistoryRequest] = page

    async def play(stage: Stage) -> None:
        await stage.until_shown("number 0399")
        await stage.type("/history 1000")
        await stage.press("enter")
        await stage.until_shown("from here on: 399 messages · nothing is older")

    on_stage(play, link=link, opening=OpeningScreen(scene.statuses(), {}, ME, "ada"))


def test_search_more_goes_on_with_the_words_of_before() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.press("ctrl+f")
        await stage.type("plan")
        await stage.until_shown("2 messages")
        await stage.press("escape")
        await stage.until_shown("Write to #lobby")
        await stage.type("/search more")
        await stage.press("enter")
        await stage.until_shown("2 messages", "> plan")

    on_stage(play)


def test_alt_with_a_letter_goes_to_the_next_unread_one_or_types_nothing() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others")
        await stage.press("alt+x", "alt+a")
        await stage.until_shown("Write to #harbour")
        assert not stage.app.picture.composer.text

    on_stage(play)


def test_a_refusal_is_said_to_be_one_only_once() -> None:
    link = sending_link()

    def refuse(_: Any) -> control.SendMessageResponse:
        raise RequestRefusedError("Not sent: the disk is full.")

    link.answers[control.SendMessageRequest] = refuse

    async def play(stage: Stage) -> None:
        await stage.type("in vain")
        await stage.press("enter")
        await stage.until_shown("✗ not sent: the disk is full.")

    on_stage(play, link=link)


def test_text_is_selected_with_the_mouse_to_be_copied() -> None:
    async def play(stage: Stage) -> None:
        await stage.until_shown("4 others", "Moved to eleven.")
        lines = stage.text().split("\n")
        y = next(at for at, text in enumerate(lines) if "Moved to eleven." in text)
        x = lines[y].index("Moved")
        await stage.pilot.mouse_down(offset=(x, y))
        await stage.pilot.hover(offset=(x + len("Moved to"), y))
        await stage.pilot.mouse_up(offset=(x + len("Moved to"), y))
        selected = stage.app.screen.get_selected_text()
        assert selected is not None
        assert selected.strip().startswith("Moved to")

    on_stage(play)


# ---- the size of the screen -----------------------------------------------------------------------------


def test_the_newest_message_stays_in_sight_while_the_input_and_the_screen_change() -> None:
    async def play(stage: Stage) -> None:
        text = "\n".join(f"row {number}" for number in range(20))
        arrive(stage, said(LOBBY, 70, BOB, f"{text}\nthe newest one", 41 * HOUR))
        await stage.until_shown("the newest one")
        for letter in "abcdef":
            await stage.press(letter, "ctrl+j")
        await stage.until_shown("> a", "   f", "the newest one")
        for size in (SMALL, (44, 14), LARGE, (100, 20)):
            await stage.pilot.resize_terminal(*size)
            await stage.until_shown("> a", "   f", "the newest one")
            wanted = stage.app.picture.timeline.columns
            await stage.until(lambda wanted=wanted: _drawn_for(stage) == wanted)  # type: ignore[misc]

    on_stage(play)


def test_the_open_conversation_is_in_sight_in_a_long_list() -> None:
    async def play(stage: Stage) -> None:
        for number in range(40):
            stage.app.state.room(f"room-{number}")
        stage.app.open("#room-39")
        await stage.until_shown("# room-39", "#room-39")

    on_stage(play)


def _drawn_for(stage: Stage) -> int:
    """Columns for which the conversation was drawn last."""
    return stage.app.picture.timeline._made._for[1].width  # type: ignore[attr-defined,no-any-return]
