"""Which rooms are kept and because of whom, as decisions that are stored and read again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto import mailbox_pb2 as mailbox
from p2pchat.proto import records_pb2 as records
from p2pchat.relay_mailbox import refusal
from p2pchat.relay_mailbox.adapters.memory_mail import MemoryMail
from p2pchat.relay_mailbox.archives import GRACE_MS, PLACES, Archives
from p2pchat.relay_mailbox.config import MailboxConfig
from p2pchat.relay_mailbox.refusal import Refusal
from tests.builders import sender_bytes
from tests.relay_mailbox.builders import START_MS
from tests.relay_mailbox.rig import open_mailbox

ALICE, BOB, CAROL = (sender_bytes(number) for number in (1, 2, 3))


class Desk:
    """Archives on a store: each decision is stored, and can be read again at any time."""

    def __init__(self, **options: Any) -> None:
        self.store = MemoryMail()
        self.store.open()
        for peer in (ALICE, BOB, CAROL):
            registration = records.Registration(peer=peer)
            self.store.change_registry(actors.ChangeRegistry(registration=registration))
        self.now_ms = START_MS
        self.start(open_mailbox(**options))

    def start(self, config: MailboxConfig) -> None:
        """Begin again, with what is stored."""
        self.config = config
        self.archives = Archives(config)
        self.perform(self.archives.load(self.store.registry(), self.now_ms))

    def perform(self, change: actors.ChangeRegistry) -> None:
        self.store.change_registry(change)
        self.archives.apply(change)

    def ask(self, peer: bytes, *rooms: str, stop: bool = False) -> Refusal | None:
        """What came of the last one."""
        refused = None
        for room in rooms:
            wish = mailbox.Archive(room=room, stop=stop)
            answer = self.archives.ask(peer, wish, self.now_ms)
            refused = answer if isinstance(answer, Refusal) else None
            if not isinstance(answer, Refusal):
                self.perform(answer)
        return refused

    def end(self, peer: bytes) -> None:
        self.perform(self.archives.end_wishes({peer}, self.now_ms))

    def adopt(self, *stored: str) -> None:
        self.perform(self.archives.adopt(stored, self.now_ms))

    def wanted(self) -> list[str]:
        return list(self.archives.wanted())

    def to_delete(self, *, crowded: bool = False) -> list[str]:
        return list(self.archives.to_delete(self.now_ms, crowded=crowded))

    def stored(self) -> dict[str, int]:
        """Rooms with a record, and how many want them."""
        return {record.room: len(record.peers) for record in self.store.registry().archived}


def test_the_operators_rooms_need_no_record() -> None:
    desk = Desk(archive_rooms=("lobby", "garden"))
    assert desk.wanted() == ["lobby", "garden"]
    assert desk.stored() == {}
    assert desk.to_delete() == []


def test_a_room_is_kept_as_long_as_one_client_wants_it() -> None:
    desk = Desk(archive_rooms=("lobby",))
    assert desk.ask(ALICE, "garden") is None
    assert desk.ask(BOB, "garden", "garden") is None
    assert desk.wanted() == ["lobby", "garden"]
    assert desk.stored() == {"garden": 2}
    desk.ask(ALICE, "garden", stop=True)
    assert desk.archives.terms("garden").archiving
    desk.ask(BOB, "garden", stop=True)
    assert not desk.archives.terms("garden").archiving
    assert desk.wanted() == ["lobby"]


def test_what_was_kept_stays_for_a_week_and_is_as_it_was_for_who_comes_back() -> None:
    desk = Desk()
    desk.ask(ALICE, "garden")
    desk.ask(ALICE, "garden", stop=True)
    desk.adopt("garden")
    desk.now_ms += GRACE_MS - 1
    assert desk.to_delete() == []
    desk.ask(BOB, "garden")
    desk.now_ms += 1
    assert desk.to_delete() == []
    desk.ask(BOB, "garden", stop=True)
    desk.now_ms += GRACE_MS
    assert desk.to_delete() == ["garden"]
    desk.perform(desk.archives.deleted("garden"))
    assert desk.stored() == {}


def test_a_room_that_is_wanted_again_while_it_is_deleted_keeps_its_record() -> None:
    desk = Desk()
    desk.ask(ALICE, "garden")
    desk.ask(ALICE, "garden", stop=True)
    desk.ask(BOB, "garden")
    desk.perform(desk.archives.deleted("garden"))
    assert desk.wanted() == ["garden"]


def test_a_room_of_which_nothing_is_stored_is_forgotten_at_once() -> None:
    desk = Desk()
    desk.ask(ALICE, "garden", "shed")
    desk.ask(ALICE, "garden", stop=True)
    desk.adopt("elsewhere")
    assert desk.stored() == {"shed": 1, "elsewhere": 0}


def test_the_operators_word_holds_without_clients_and_the_other_way_round() -> None:
    desk = Desk(archive_rooms=("lobby",))
    desk.ask(ALICE, "lobby")
    desk.ask(ALICE, "lobby", stop=True)
    assert desk.archives.terms("lobby").archiving
    assert desk.stored() == {}
    desk.ask(BOB, "lobby")
    desk.start(open_mailbox())
    assert desk.wanted() == ["lobby"]


def test_a_room_that_the_operator_names_no_more_has_a_week_from_then_on() -> None:
    desk = Desk(archive_rooms=("lobby",))
    desk.now_ms += 2 * GRACE_MS
    desk.start(open_mailbox())
    desk.adopt("lobby")
    desk.now_ms += GRACE_MS - 1
    assert desk.to_delete() == []
    desk.now_ms += 1
    assert desk.to_delete() == ["lobby"]
    desk.start(open_mailbox(archive_rooms=("lobby",)))
    assert (desk.to_delete(), desk.stored(), desk.wanted()) == ([], {}, ["lobby"])


def test_who_is_no_client_any_more_wants_nothing() -> None:
    desk = Desk()
    desk.ask(ALICE, "garden", "shed")
    desk.ask(BOB, "garden")
    desk.end(ALICE)
    assert desk.wanted() == ["garden"]
    assert desk.stored() == {"garden": 1, "shed": 0}


@pytest.mark.parametrize("how", ["left", "blocked", "forgotten", "not asked any more"])
def test_a_start_finds_out_who_is_no_client_any_more(how: str) -> None:
    desk = Desk()
    desk.ask(ALICE, "garden")
    desk.ask(BOB, "shed")
    by_clients = True
    match how:
        case "left":
            change = actors.ChangeRegistry(registration=records.Registration(peer=ALICE, left=True))
        case "blocked":
            change = actors.ChangeRegistry(block=records.Block(peer=ALICE))
        case "forgotten":
            change = actors.ChangeRegistry(unregistered=[ALICE])
        case _:
            change, by_clients = actors.ChangeRegistry(), False
    desk.store.change_registry(change)
    desk.start(open_mailbox(archive_by_clients=by_clients))
    assert desk.wanted() == (["shed"] if by_clients else [])
    assert desk.stored()["garden"] == 0


def test_a_start_forgets_nothing() -> None:
    desk = Desk()
    desk.ask(ALICE, "garden", "shed")
    desk.ask(BOB, "garden")
    desk.ask(ALICE, "shed", stop=True)
    before = desk.archives.describe()
    desk.now_ms += 1_000
    desk.start(open_mailbox())
    assert desk.archives.describe() == before


@pytest.mark.parametrize("room", ["", "two words", "x" * 65, "bell\x07", "​"])
def test_a_name_that_no_room_can_have(room: str) -> None:
    desk = Desk()
    refused = desk.ask(ALICE, room)
    assert refused is not None
    assert refused.reason == mailbox.MALFORMED
    assert refused.detail.startswith("A room's name")
    assert desk.stored() == {}


def test_not_for_clients() -> None:
    desk = Desk(archive_by_clients=False, archive_rooms=("lobby",))
    assert desk.ask(ALICE, "garden") == refusal.NO_ARCHIVES
    assert desk.ask(ALICE, "lobby") == refusal.NO_ARCHIVES
    assert desk.wanted() == ["lobby"]


def test_as_many_rooms_as_the_operator_allows() -> None:
    desk = Desk(archive_rooms=("lobby",), max_archived_rooms=3, max_archived_rooms_per_client=2)
    assert desk.ask(ALICE, "a", "b") is None
    assert desk.ask(ALICE, "lobby") == refusal.YOUR_ROOMS_FULL
    assert desk.ask(BOB, "c") == refusal.NO_MORE_ROOMS
    assert desk.ask(BOB, "lobby") is None  # is kept already
    assert desk.ask(BOB, "a") is None
    desk.ask(ALICE, "b", stop=True)
    assert desk.ask(CAROL, "c") is None


def test_rooms_that_nobody_wants_make_room_for_others() -> None:
    desk = Desk(max_archived_rooms=2)
    for room in ("a", "b"):
        desk.ask(ALICE, room)
        desk.ask(ALICE, room, stop=True)
        desk.now_ms += 1
    desk.adopt("a", "b")
    assert desk.to_delete() == []
    assert desk.ask(BOB, "c") is None
    assert desk.to_delete() == ["a"]
    assert desk.ask(BOB, "d") is None
    assert desk.to_delete() == ["a", "b"]


def test_a_full_mailbox_keeps_only_what_somebody_wants() -> None:
    desk = Desk()
    desk.ask(ALICE, "a", "b")
    desk.ask(ALICE, "b", stop=True)
    desk.adopt("b")
    assert desk.to_delete() == []
    assert desk.to_delete(crowded=True) == ["b"]


def test_asking_and_taking_back_fills_no_memory() -> None:
    desk = Desk(max_archived_rooms=3)
    refused = None
    for number in range(20):
        refused = desk.ask(ALICE, str(number)) or refused
        desk.ask(ALICE, str(number), stop=True)
    assert refused == refusal.ROOMS_LEFT_OVER
    assert len(desk.stored()) == PLACES * 3
    desk.adopt()
    assert desk.ask(ALICE, "another") is None


def test_what_the_operator_is_told() -> None:
    desk = Desk(archive_rooms=("lobby",))
    desk.ask(ALICE, "lobby", "garden")
    desk.ask(BOB, "lobby")
    desk.ask(ALICE, "garden", stop=True)
    lobby, garden = sorted(desk.archives.describe(), key=lambda one: -one.clients)
    assert (lobby.usage.room, lobby.by_operator, lobby.clients) == ("lobby", True, 2)
    assert (garden.by_operator, garden.deleted_at_ms) == (False, START_MS + GRACE_MS)


def test_what_clients_are_told() -> None:
    desk = Desk(archive_days=2, archive_bytes=1 << 20)
    desk.ask(ALICE, "garden")
    terms = desk.archives.terms("garden")
    assert (terms.room, terms.archiving) == ("garden", True)
    assert (terms.retention_ms, terms.quota_bytes) == (2 * 24 * 3_600_000, 1 << 20)


ROOMS = ("lobby", "a", "b", "c")
STEP = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from((ALICE, BOB, CAROL)), st.sampled_from(ROOMS)),
    st.tuples(st.just("stop"), st.sampled_from((ALICE, BOB, CAROL)), st.sampled_from(ROOMS)),
    st.tuples(st.just("end"), st.sampled_from((ALICE, BOB, CAROL)), st.just("")),
    st.tuples(st.just("restart"), st.just(b""), st.just("")),
    st.tuples(st.just("wait"), st.just(b""), st.just("")),
)


@settings(max_examples=150)
@given(st.lists(STEP, max_size=25))
def test_whatever_happens_a_room_is_kept_exactly_when_somebody_wants_it(
    steps: list[tuple[str, bytes, str]],
) -> None:
    desk = Desk(archive_rooms=("lobby",))
    wishes: set[tuple[bytes, str]] = set()
    for verb, peer, room in steps:
        match verb:
            case "ask" | "stop":
                desk.ask(peer, room, stop=verb == "stop")
                wishes.add((peer, room)) if verb == "ask" else wishes.discard((peer, room))
            case "end":
                desk.end(peer)
                wishes = {wish for wish in wishes if wish[0] != peer}
            case "restart":
                desk.start(desk.config)
            case _:
                desk.now_ms += GRACE_MS
        wanted = {"lobby", *(room for _, room in wishes)}
        assert set(desk.wanted()) == wanted
        assert not wanted & set(desk.to_delete())
        assert {room for room, clients in desk.stored().items() if clients} == {
            room for _, room in wishes
        }
