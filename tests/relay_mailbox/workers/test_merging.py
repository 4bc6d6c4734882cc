"""What several workers say, as one answer."""

from __future__ import annotations

import pytest

from p2pchat.node.identity import Identity
from p2pchat.node.protocol.links import (
    LinkError,
    MailboxLink,
    MailboxWorker,
    format_link,
    parse_link,
)
from p2pchat.proto import actors_pb2
from p2pchat.proto import mailbox_actors_pb2 as actors
from p2pchat.proto.actors_pb2 import Check
from p2pchat.relay_mailbox.workers.merging import one_description, one_diagnosis, one_link

PEERS = [Identity(bytes([number]) * 32).peer for number in (1, 2, 3)]
LINKS = [format_link(MailboxLink(peer, (f"/ip4/1.2.3.4/tcp/{n}",))) for n, peer in enumerate(PEERS)]


def test_one_link_names_all_of_them() -> None:
    assert parse_link(one_link(LINKS, "token")) == MailboxLink(
        PEERS[0],
        ("/ip4/1.2.3.4/tcp/0",),
        "token",
        tuple(MailboxWorker(p, (f"/ip4/1.2.3.4/tcp/{n}",)) for n, p in enumerate(PEERS) if n),
    )


def test_one_that_is_not_known_yet_is_left_out() -> None:
    parsed = parse_link(one_link([LINKS[0], "", LINKS[2]]))
    assert isinstance(parsed, MailboxLink)
    assert [worker.peer for worker in parsed.workers] == [PEERS[2]]


def test_the_token_of_the_first_stays() -> None:
    first = format_link(MailboxLink(PEERS[0], ("/a",), "secret"))
    parsed = parse_link(one_link([first, LINKS[1]]))
    assert isinstance(parsed, MailboxLink)
    assert parsed.token == "secret"
    with pytest.raises(LinkError):
        one_link(["nonsense"])


def worker(number: int, **fields: object) -> actors.WorkerDescription:
    mailbox = actors.MailboxDescription(
        peer=PEERS[number],
        addresses=[f"/{number}"],
        registered=number + 1,
        invites=5 - number,
        blocked=2,
        held_bytes=10,
        counters={"kept": 3, f"only_{number}": 1},
        limits=[
            actors.Limit(name="max_total_bytes", value=100, unit="bytes", bitten=1),
            actors.Limit(name="quota_bytes", value=7, unit="bytes", bitten=number),
        ],
        actors=[actors_pb2.ActorStatus(name="mailbox", restarts=number)],
        **fields,  # type: ignore[arg-type]
    )
    mailbox.store.size_bytes = 1_000
    mailbox.store.free_bytes = 50 - number
    mailbox.relay.reservations = 4
    return actors.WorkerDescription(number=number, state="running", mailbox=mailbox)


def test_numbers_are_added_up() -> None:
    merged = one_description([worker(0), worker(1)], "link", 9)
    assert (merged.peer, merged.link, merged.uptime_ms) == (PEERS[0], "link", 9)
    assert (merged.registered, merged.held_bytes, merged.store.size_bytes) == (3, 20, 2_000)
    assert (merged.invites, merged.blocked, merged.store.free_bytes) == (5, 2, 49)
    assert dict(merged.counters) == {"kept": 6, "only_0": 1, "only_1": 1}
    assert [(limit.value, limit.bitten) for limit in merged.limits] == [(200, 2), (7, 1)]
    assert merged.relay.reservations == 8
    assert list(merged.addresses) == ["/0", "/1"]
    assert [(part.name, part.restarts) for part in merged.actors] == [
        ("0: mailbox", 0),
        ("1: mailbox", 1),
    ]


def test_one_that_does_not_answer_is_named_and_counts_nothing() -> None:
    away = actors.WorkerDescription(number=0, state="restarting", last_end="why")
    merged = one_description([away, worker(1)], "link", 9)
    assert (merged.registered, merged.peer, merged.invites) == (2, "", 0)
    assert [one.state for one in merged.workers] == ["restarting", "running"]
    assert one_description([away], "", 9).workers[0].last_end == "why"


def test_latencies_are_added_up_by_bucket() -> None:
    def histogram(*counts: int) -> actors_pb2.Histogram:
        return actors_pb2.Histogram(bounds=[1, 2], counts=counts, sum=sum(counts))

    both = [
        worker(0, latencies={"deposit": histogram(1, 2, 3)}),
        worker(1, latencies={"deposit": histogram(10, 20, 30), "more": histogram(1, 1, 1)}),
    ]
    merged = one_description(both, "link", 9).latencies
    assert merged["deposit"] == histogram(11, 22, 33)
    assert merged["more"] == histogram(1, 1, 1)


def test_a_room_that_both_keep_is_one_room() -> None:
    def archive(messages: int, clients: int, deleted: int) -> actors.ArchiveDescription:
        usage = actors_pb2.RoomUsage(room="plaza", messages=messages, bytes=10)
        return actors.ArchiveDescription(usage=usage, clients=clients, deleted_at_ms=deleted)

    both = [worker(0, archives=[archive(3, 1, 0)]), worker(1, archives=[archive(4, 2, 99)])]
    (merged,) = one_description(both, "link", 9).archives
    assert (merged.usage.messages, merged.usage.bytes, merged.clients) == (4, 20, 3)
    assert merged.deleted_at_ms == 0


def check(name: str, verdict: Check.Verdict, finding: str) -> Check:
    return Check(name=name, verdict=verdict, finding=finding)


def test_of_each_check_the_worst_and_whose_it_is() -> None:
    found = {
        0: [check("nat", Check.OK, "fine"), check("disk", Check.OK, "fine")],
        1: [check("nat", Check.FAILED, "closed"), check("disk", Check.OK, "also fine")],
        2: [check("nat", Check.WARNING, "half"), check("new", Check.HINT, "hm")],
    }
    merged = [(one.name, one.verdict, one.finding) for one in one_diagnosis(found).checks]
    assert merged == [
        ("workers", Check.OK, "All 3 workers answer."),
        ("nat", Check.FAILED, "Worker 1: closed"),
        ("disk", Check.OK, "fine"),
        ("new", Check.HINT, "hm"),
    ]


def test_a_hint_of_one_is_nothing_against_another_that_is_fine() -> None:
    found = {
        0: [check("dht", Check.HINT, "idle"), check("nat", Check.HINT, "idle")],
        1: [check("dht", Check.OK, "knows 3"), check("nat", Check.WARNING, "half")],
    }
    _, *merged = one_diagnosis(found).checks
    assert [(one.verdict, one.finding) for one in merged] == [
        (Check.OK, "knows 3"),
        (Check.WARNING, "Worker 1: half"),
    ]


def test_where_each_of_them_listens() -> None:
    found = {n: [check("listening", Check.OK, f"Listens on {4001 + n}.")] for n in range(2)}
    assert one_diagnosis(found).checks[1].finding == (
        "Worker 0: Listens on 4001. Worker 1: Listens on 4002."
    )
    found[1] = [check("listening", Check.FAILED, "Listens nowhere.")]
    assert one_diagnosis(found).checks[1].finding == "Worker 1: Listens nowhere."


def test_one_that_does_not_answer_is_a_failure() -> None:
    found = {0: [check("nat", Check.OK, "fine")]}
    first, second = one_diagnosis(found, ["Worker 1 is restarting.", "Worker 2 ..."]).checks
    assert (first.verdict, first.finding) == (Check.FAILED, "Worker 1 is restarting. Worker 2 ...")
    assert first.advice
    assert (second.verdict, second.finding) == (Check.OK, "fine")
