"""Puts the parts of the delivery actor together."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from p2pchat.node.actors.bell import Bell
from p2pchat.node.actors.delivery.actor import DeliveryActor
from p2pchat.node.actors.delivery.altering import Altering
from p2pchat.node.actors.delivery.blocks import Blocks
from p2pchat.node.actors.delivery.envelopes import Envelopes
from p2pchat.node.actors.delivery.incoming import Incoming
from p2pchat.node.actors.delivery.mailboxes import Mailboxes
from p2pchat.node.actors.delivery.outgoing import Outgoing
from p2pchat.node.actors.delivery.people import People
from p2pchat.node.actors.delivery.record_lookups import RecordLookups
from p2pchat.node.config import NodeConfig
from p2pchat.node.ports import Network
from p2pchat.node.protocol import links, peer_id
from p2pchat.node.protocol.contacts import ContactBook
from p2pchat.node.protocol.courier import Courier
from p2pchat.node.protocol.envelope import Opener, Sealer
from p2pchat.node.protocol.limits import DAY_MS
from p2pchat.node.protocol.own_mailboxes import OwnMailboxes
from p2pchat.node.protocol.seal import SealKey
from p2pchat.node.runtime import ActorRef
from p2pchat.proto import actors_pb2 as actors


def wall_clock() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def make_delivery(
    config: NodeConfig,
    *,
    author: bytes,
    key: Ed25519PrivateKey,
    seal_key: SealKey,
    network: Network,
    storage: ActorRef,
    transport: ActorRef,
    ui: ActorRef,
    nick: Callable[[], str],
    rng: random.Random,
    now_ms: Callable[[], int],
    dht: ActorRef | None = None,
    pubsub: ActorRef | None = None,
    files: ActorRef | None = None,
) -> DeliveryActor:
    """A fresh incarnation; everything it must remember is in the store. `author` is the own binary peer id."""
    contacts, work = ContactBook(), Bell()
    peer = peer_id.to_text(author)
    envelopes = Envelopes(
        storage=storage,
        contacts=contacts,
        sealer=Sealer(author, key),
        nick=nick,
        now_ms=now_ms,
    )
    outgoing = Outgoing(
        peer=peer,
        storage=storage,
        ui=ui,
        contacts=contacts,
        courier=Courier(rng),
        envelopes=envelopes,
        lifetime_ms=config.message_days * DAY_MS,
        nick=nick,
        randomness=os.urandom,
        now_ms=now_ms,
        on_work=work.ring,
        files=files,
    )
    altering = Altering(
        me=author,
        storage=storage,
        ui=ui,
        outgoing=outgoing,
        nick=nick,
        now_ms=now_ms,
        lifetime_ms=config.message_days * DAY_MS,
    )
    incoming = Incoming(
        opener=Opener(author, seal_key),
        storage=storage,
        ui=ui,
        contacts=contacts,
        outgoing=outgoing,
        altering=altering,
        now_ms=now_ms,
        files=files,
    )

    def choice_changed(peer: str) -> None:
        incoming.choice_changed(peer)
        ui.offer(actors.ContactChanged(peer=peer))

    people = People(
        peer=peer,
        contacts=contacts,
        outgoing=outgoing,
        storage=storage,
        on_choice=choice_changed,
        now_ms=now_ms,
    )
    blocks = Blocks(
        peer=peer,
        people=people,
        contacts=contacts,
        storage=storage,
        ui=ui,
        told=[actor for actor in (pubsub, files) if actor is not None],
        now_ms=now_ms,
    )
    configured = [
        link
        for link in map(links.parse_link, config.mailboxes)
        if isinstance(link, links.MailboxLink)
    ]
    mailboxes = Mailboxes(
        peer=peer,
        make_own=partial(OwnMailboxes, author, key, seal_key.public),
        configured=configured,
        network=network,
        transport=transport,
        storage=storage,
        contacts=contacts,
        outgoing=outgoing,
        incoming=incoming,
        nick=nick,
        now_ms=now_ms,
        rng=rng,
    )
    return DeliveryActor(
        network=network,
        transport=transport,
        storage=storage,
        ui=ui,
        outgoing=outgoing,
        incoming=incoming,
        mailboxes=mailboxes,
        people=people,
        lookups=RecordLookups(dht, outgoing),
        altering=altering,
        blocks=blocks,
        work=work,
        read_receipts=config.read_receipts,
        now_ms=now_ms,
        rng=rng,
    )
