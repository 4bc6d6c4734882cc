"""The searches of a session: what was looked for last, and how far it was shown."""

from __future__ import annotations

from collections.abc import Callable

from p2pchat.cli.terminal import commands, render
from p2pchat.cli.terminal.contacts import Contacts
from p2pchat.cli.terminal.front import Front
from p2pchat.cli.terminal.render_direct import Partner
from p2pchat.cli.terminal.render_search import SearchView, nothing
from p2pchat.node.protocol import peer_id
from p2pchat.node.protocol.names import shown_room
from p2pchat.node.protocol.search_query import parse_query
from p2pchat.proto import actors_pb2 as actors

HITS = 20  # messages shown at a time

NO_SEARCH = "Search for what? E.g. /search harbour; /search more goes on after that."
NO_MORE = "Everything that was found is shown already."


class Searches:
    def __init__(
        self,
        front: Front,
        contacts: Contacts,
        known: dict[str, str],
        stored: Callable[[str], str],
    ) -> None:
        """`known` holds names of connected peers by their peer ids; `stored` says what the store calls a room."""
        self._stored = stored
        self._front = front
        self._contacts = contacts
        self._known = known
        rooms = render.MessageView(front.node.identity.peer, known=known)
        self._view = SearchView(rooms, self._partner)
        self._question: actors.SearchHistory | None = None  # of the next page

    async def carry_out(self, command: commands.SearchCommand) -> None:
        """Raises `P2pchatError` with a sentence."""
        match command:
            case commands.Search(words, room):
                place = self._stored(room) if room else ""
                await self._show(actors.SearchHistory(words=words, room=place, limit=HITS))
            case commands.SearchOn():
                if self._question is None:
                    await self._front.show([render.hint(NO_SEARCH)])
                elif not self._question.before:
                    await self._front.show([render.note(NO_MORE)])
                else:
                    await self._show(self._question)

    async def _show(self, question: actors.SearchHistory) -> None:
        page = await self._front.ask(question, actors.SearchPage)
        further = bool(question.before)
        room = shown_room(question.room)
        self._question = actors.SearchHistory()
        self._question.CopyFrom(question)
        self._question.before = page.last
        if page.hits:
            query = parse_query(question.words)
            await self._front.show(list(self._view.page(page, query, room)))
        else:
            await self._front.show(list(nothing(page, room, further=further)))

    def _partner(self, peer: str) -> Partner:
        return self._contacts.partner(peer, self._known.get(peer, f"…{peer_id.short(peer)}"))
