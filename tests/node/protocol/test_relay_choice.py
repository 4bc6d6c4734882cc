from __future__ import annotations

import random

import pytest

from p2pchat.node.protocol import relay_choice as rules
from p2pchat.node.protocol.relay_choice import RelayChoice
from p2pchat.proto import actors_pb2 as actors

HOUR = 3600.0


class Story:
    """A choice, and what time it is."""

    def __init__(self, *mailboxes: str, state: actors.Reachability = actors.PRIVATE) -> None:
        self.now = 100.0
        self.choice = RelayChoice(random.Random(1), self.now)
        self.choice.use(mailboxes)
        self.choice.reachability(state, self.now)

    def meets(self, *peers: str) -> Story:
        for peer in peers:
            self.choice.offers(peer, True)
            self.choice.connected(peer, self.now)
        return self

    def loses(self, peer: str) -> Story:
        self.choice.disconnected(peer, self.now)
        return self

    def grants(self, *peers: str, lasts: float = HOUR) -> Story:
        """Exactly these are asked, and agree."""
        assert set(self.choice.due(self.now)) == set(peers)
        for peer in peers:
            self.choice.reserved(peer, lasts, self.now)
        return self

    def refuses(self, *peers: str) -> Story:
        assert set(self.choice.due(self.now)) == set(peers)
        for peer in peers:
            self.choice.refused(peer, "no", self.now)
        return self

    def waits(self, seconds: float) -> Story:
        self.now += seconds
        return self

    def asks_nobody(self) -> Story:
        assert self.choice.due(self.now) == []
        return self

    def until_next(self) -> Story:
        due = self.choice.next_due(self.now)
        assert due is not None
        assert due > self.now
        self.now = due
        return self


def test_two_mailboxes_are_used_and_the_third_is_a_spare() -> None:
    story = Story("a", "b", "c").meets("a", "b", "c", "stranger").grants("a", "b").asks_nobody()
    story.loses("a").asks_nobody().waits(rules.GRACE).grants("c")


def test_a_relay_that_comes_back_soon_finds_its_place_kept() -> None:
    story = Story("a", "b", "c").meets("a", "b", "c").grants("a", "b")
    story.loses("a").waits(rules.GRACE / 2).meets("a").grants("a").waits(HOUR / 4).asks_nobody()


def test_strangers_fill_up_and_make_way_for_mailboxes() -> None:
    story = Story("a", "b").meets("s", "t", "u").grants("s", "t")
    story.meets("a").grants("a")
    # Two places: the mailbox's, and one of the two strangers' reservations is renewed.
    assert len(story.waits(HOUR / 2).choice.due(story.now)) == 2


def test_the_owners_mailboxes_are_enough() -> None:
    Story("a", "b").meets("a", "b", "s").grants("a", "b").asks_nobody()


def test_public_nodes_use_mailboxes_only() -> None:
    story = Story("a", state=actors.PUBLIC).meets("a", "s").grants("a").asks_nobody()
    story.choice.reachability(actors.PRIVATE, story.now)
    story.grants("s")
    story.choice.reachability(actors.PUBLIC, story.now)
    story.waits(HOUR / 2).grants("a").asks_nobody()


def test_who_knows_nothing_has_some_patience_before_it_asks_strangers() -> None:
    story = Story(state=actors.UNKNOWN).meets("s").asks_nobody()
    story.until_next().grants("s")
    assert story.now == 100.0 + rules.PATIENCE


def test_reservations_are_renewed_at_half_time() -> None:
    story = Story("a").meets("a").grants("a")
    story.until_next()
    assert story.now == 100.0 + HOUR / 2
    story.grants("a")
    assert story.choice.held(story.now) == ["a"]


def test_a_relay_that_grants_no_time_is_not_asked_all_the_time() -> None:
    story = Story("a").meets("a").grants("a", lasts=0.0).asks_nobody()
    story.until_next()
    assert story.now == 100.0 + rules.SHORTEST


def test_who_refuses_waits_longer_and_longer_while_another_one_steps_in() -> None:
    story = Story().meets("s", "t").refuses("s", "t").asks_nobody()
    story.meets("u").grants("u")
    waits = []
    for _ in range(12):
        before = story.now
        while not (asked := story.choice.due(story.now)):
            story.until_next()
        waits.append(story.now - before)
        for peer in asked:
            if peer == "u":
                story.choice.reserved(peer, HOUR * 100, story.now)
            else:
                story.choice.refused(peer, "no", story.now)
    assert waits[0] <= 7.5
    assert max(waits) > 60
    assert story.choice.held(story.now) == ["u"]


def test_who_was_good_is_preferred() -> None:
    story = Story().meets("s").grants("s").loses("s").waits(60).meets("t", "u", "s")
    assert story.choice.due(story.now)[0] == "s"


def test_a_reservation_ends_with_its_connection() -> None:
    story = Story("a").meets("a").grants("a")
    assert story.choice.held(story.now) == ["a"]
    story.loses("a")
    assert story.choice.held(story.now) == []
    described = story.choice.describe(story.now)[0]
    assert (described.held, described.connected, described.problem) == (False, False, rules.LOST)


def test_an_answer_over_the_old_connection_is_asked_for_again_over_the_new_one() -> None:
    story = Story("a").meets("a")
    assert story.choice.due(story.now) == ["a"]
    story.loses("a").meets("a").asks_nobody()
    story.choice.refused("a", "connection lost", story.now)
    story.grants("a")


def test_what_is_found_gone_is_asked_for_at_once() -> None:
    story = Story("a").meets("a").grants("a").waits(60)
    story.choice.lost("a", story.now)
    story.grants("a")


def test_after_a_change_of_network_everything_is_asked_for_anew() -> None:
    story = Story("a").meets("a", "s").grants("a", "s").waits(60).asks_nobody()
    story.choice.doubt(story.now)
    story.grants("a", "s")


def test_descriptions_show_the_owners_and_whoever_is_used() -> None:
    story = Story("a", "b").meets("b", "s", "t").grants("b", "s")
    described = {each.relay: each for each in story.waits(60).choice.describe(story.now)}
    assert described.keys() == {"a", "b", "s"}
    assert described["a"].mailbox
    assert not described["a"].connected
    assert described["b"].seconds_left == HOUR - 60
    assert not described["s"].mailbox
    assert story.choice.wants_relays(story.now)


def test_who_is_gone_and_was_no_good_is_forgotten() -> None:
    story = Story()
    for number in range(100):
        story.meets(str(number)).loses(str(number))
    assert story.choice.describe(story.now) == []
    story.choice.use(["a"])
    story.choice.use([])
    assert story.choice.next_due(story.now) is None


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_at_most_two_are_asked_at_a_time_and_time_passes(seed: int) -> None:
    rng = random.Random(seed)
    story, peers = Story("a", "b", "c"), ["a", "b", "c", "s", "t", "u"]
    asked: set[str] = set()
    for _ in range(300):
        peer = rng.choice(peers)
        match rng.randrange(6):
            case 0:
                story.meets(peer)
            case 1:
                story.loses(peer)
            case 2 if asked:
                story.choice.reserved(asked.pop(), rng.uniform(0, 100), story.now)
            case 3 if asked:
                story.choice.refused(asked.pop(), "no", story.now)
            case 4:
                state = rng.choice([actors.UNKNOWN, actors.PUBLIC, actors.PRIVATE])
                story.choice.reachability(state, story.now)
            case _:
                story.waits(rng.uniform(0, 20))
        due = story.choice.due(story.now)
        assert not asked & set(due)
        asked |= set(due)
        next_due = story.choice.next_due(story.now)
        assert next_due is None or next_due > story.now
        assert len(due) <= rules.WANTED


def test_who_must_be_found_at_his_own_addresses_asks_no_strangers() -> None:
    choice = RelayChoice(random.Random(1), 0.0, strangers=False)
    choice.offers("stranger", True)
    choice.connected("stranger", 0.0)
    choice.use({"own"})
    choice.connected("own", 0.0)
    for state in (actors.UNKNOWN, actors.PRIVATE):
        choice.reachability(state, 100.0)
        assert "stranger" not in choice.due(100.0)
