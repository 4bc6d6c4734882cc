from __future__ import annotations

import random

import pytest

from p2pchat.node.protocol import reachability as rules
from p2pchat.node.protocol.own_addresses import Scope
from p2pchat.node.protocol.reachability import Judgement, Rank, Rounds, Verdict, Verdicts
from p2pchat.proto import actors_pb2 as actors

HERE = "/ip4/203.0.113.7/tcp/4001"


def verdict(reached: bool, scope: Scope = Scope.WIDE, at: float = 0.0) -> Verdict:
    return Verdict(reached, scope, at, HERE if reached else "")


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        ([], actors.UNKNOWN),
        ([True], actors.PUBLIC),
        ([False], actors.PRIVATE),
        ([True, False], actors.PRIVATE),
        ([True, True, False], actors.PUBLIC),
        ([True, False, False], actors.PRIVATE),
    ],
)
def test_the_majority_decides_and_a_tie_is_private(
    reached: list[bool], expected: actors.Reachability
) -> None:
    assert rules.decide(verdict(each) for each in reached) == expected


def test_the_newest_verdict_of_each_peer_counts_for_a_while() -> None:
    verdicts = Verdicts()
    verdicts.add("ann", verdict(False, at=0.0))
    verdicts.add("ann", verdict(True, at=1.0))
    assert [each.reached for each in verdicts.counting(2.0)] == [True]
    assert verdicts.counting(1.0 + rules.VERDICT_LIFE) == []


def test_who_is_near_counts_only_when_nobody_is_far() -> None:
    verdicts = Verdicts()
    verdicts.add("near", verdict(True, Scope.LOCAL))
    assert rules.decide(verdicts.counting(0.0)) == actors.PUBLIC
    verdicts.add("far", verdict(False, Scope.WIDE))
    assert rules.decide(verdicts.counting(0.0)) == actors.PRIVATE


def test_only_so_many_verdicts_are_remembered() -> None:
    verdicts = Verdicts()
    for number in range(rules.MAX_VERDICTS + 5):
        verdicts.add(str(number), verdict(True))
    assert len(verdicts.counting(0.0)) == rules.MAX_VERDICTS


class TestJudgement:
    def known(self, reached: bool, scope: Scope = Scope.WIDE) -> Judgement:
        judgement = Judgement()
        judgement.verdicts.add("ann", verdict(reached, scope))
        judgement.conclude(0.0)
        assert judgement.is_settled
        return judgement

    def test_the_first_word_is_believed(self) -> None:
        assert self.known(True).state == actors.PUBLIC
        assert self.known(True).confirmed(0.0) == [HERE]
        assert self.known(False).state == actors.PRIVATE
        assert self.known(False).confirmed(0.0) == []

    def test_a_known_state_is_left_when_a_second_round_agrees(self) -> None:
        judgement = self.known(True)
        judgement.verdicts.add("ann", verdict(False))
        judgement.conclude(1.0)
        assert judgement.state == actors.PUBLIC
        assert not judgement.is_settled
        judgement.conclude(2.0)
        assert judgement.state == actors.PRIVATE
        assert judgement.is_settled

    def test_one_round_that_contradicts_itself_later_changes_nothing(self) -> None:
        judgement = self.known(True)
        for reached in (False, True, False):
            judgement.verdicts.add("ann", verdict(reached))
            judgement.conclude(1.0)
        assert judgement.state == actors.PUBLIC

    def test_a_word_from_afar_outdoes_those_from_near_at_once(self) -> None:
        judgement = self.known(True, Scope.LOOPBACK)
        judgement.verdicts.add("far", verdict(False))
        judgement.conclude(1.0)
        assert judgement.state == actors.PRIVATE

    def test_after_a_change_of_network_the_first_word_is_believed_again(self) -> None:
        judgement = self.known(True)
        judgement.doubt(10.0)
        assert judgement.state == actors.PUBLIC
        assert not judgement.is_settled
        judgement.conclude(11.0)  # nobody has said anything yet
        assert judgement.state == actors.PUBLIC
        judgement.verdicts.add("ben", verdict(False, at=12.0))
        judgement.conclude(12.0)
        assert judgement.state == actors.PRIVATE
        assert judgement.doubts_end() is None

    def test_when_nobody_says_anything_about_the_new_network_it_is_unknown(self) -> None:
        judgement = self.known(True)
        judgement.doubt(10.0)
        end = judgement.doubts_end()
        assert end == 10.0 + rules.DOUBT_PATIENCE
        judgement.give_up(end - 1)
        assert judgement.state == actors.PUBLIC
        judgement.give_up(end)
        assert judgement.state == actors.UNKNOWN
        assert judgement.doubts_end() is None


class TestRounds:
    def rounds(self) -> Rounds:
        return Rounds(random.Random(1))

    def test_nobody_is_nobody_to_ask(self) -> None:
        rounds = self.rounds()
        rounds.hurry(0.0)
        assert rounds.next_due() is None

    def test_who_knows_nothing_asks_soon(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 5.0, is_known=False)
        due = rounds.next_due()
        assert due is not None
        assert 6.0 <= due <= 7.0
        assert rounds.begin(due) == ["ann"]

    def test_a_new_peer_does_not_hurry_who_knows_already(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=False)
        rounds.begin(2.0)
        rounds.answered("ann")
        rounds.ended(3.0, is_settled=True)
        rounds.offer("ben", Rank.OTHER, 10.0, is_known=True)
        due = rounds.next_due()
        assert due is not None
        assert due >= 3.0 + rules.REST * (1 - rules.JITTER)

    def test_four_are_asked_the_owners_first_and_others_in_turn(self) -> None:
        rounds = self.rounds()
        for number in range(6):
            rounds.offer(f"other{number}", Rank.OTHER, 0.0, is_known=False)
        rounds.offer("configured", Rank.CONFIGURED, 0.0, is_known=False)
        rounds.offer("own", Rank.MAILBOX, 0.0, is_known=False)
        rounds.offer("guess", Rank.GUESS, 0.0, is_known=False)
        assert rounds.begin(1.0) == ["own", "configured", "other0", "other1"]
        assert rounds.begin(100.0) == ["own", "configured", "other2", "other3"]

    def test_guesses_are_asked_when_there_is_nobody_else(self) -> None:
        rounds = self.rounds()
        rounds.offer("guess", Rank.GUESS, 0.0, is_known=False)
        assert rounds.begin(1.0) == ["guess"]
        rounds.failed("guess", 1.0)
        rounds.ended(1.0, is_settled=False)
        rounds.offer("guess", Rank.OTHER, 2.0, is_known=False)  # it says that it answers now
        due = rounds.next_due()
        assert due is not None
        assert due <= 1.0 + rules.SOONEST

    def test_who_gives_no_verdict_is_asked_more_and_more_seldom(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=False)
        now, waits = 0.0, []
        for _ in range(8):
            rounds.begin(now)
            rounds.failed("ann", now)
            rounds.ended(now, is_settled=False)
            due = rounds.next_due()
            assert due is not None
            waits.append(due - now)
            now = due
        assert waits[0] < 50
        assert 450 <= waits[-1] <= 1350
        rounds.begin(now)
        rounds.answered("ann")
        rounds.ended(now, is_settled=False)
        due = rounds.next_due()
        assert due is not None
        assert due - now < 50

    def test_rounds_keep_their_distance_unless_the_network_has_changed(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=False)
        rounds.begin(100.0)
        rounds.failed("ann", 100.0)
        rounds.ended(101.0, is_settled=True)
        rounds.answered("ann")
        rounds.hurry(102.0)
        assert rounds.next_due() == 100.0 + rules.SOONEST
        rounds.failed("ann", 102.0)
        rounds.hurry(102.0, anew=True)
        due = rounds.next_due()
        assert due is not None
        assert due <= 104.0

    def test_what_calls_for_a_round_during_another_one_is_not_forgotten(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=False)
        rounds.begin(100.0)
        rounds.hurry(101.0)
        rounds.answered("ann")
        rounds.ended(102.0, is_settled=True)
        assert rounds.next_due() == 100.0 + rules.SOONEST

    def test_who_knows_by_an_earlier_word_asks_all_the_same(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=True)
        due = rounds.next_due()
        assert due is not None
        assert due < 50

    def test_who_has_left_is_not_asked(self) -> None:
        rounds = self.rounds()
        rounds.offer("ann", Rank.OTHER, 0.0, is_known=False)
        rounds.withdraw("ann")
        assert rounds.next_due() is None
        assert rounds.begin(10.0) == []
