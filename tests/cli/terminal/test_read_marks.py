from p2pchat.cli.terminal.read_marks import BATCH, KEPT, ReadMarks


def test_what_was_shown_is_read_at_the_next_enter() -> None:
    marks = ReadMarks()
    marks.coming("bob", b"1")
    assert list(marks.entered()) == []  # not on the screen yet
    marks.shown()
    marks.coming("bob", b"2")
    assert list(marks.entered()) == [("bob", [b"1"])]
    assert list(marks.entered()) == []
    marks.shown()
    assert list(marks.entered()) == [("bob", [b"2"])]


def test_marks_are_put_together_by_peer_and_in_batches() -> None:
    marks = ReadMarks()
    ids = [number.to_bytes(2, "big") for number in range(BATCH + 1)]
    for each in ids:
        marks.coming("bob", each)
        marks.coming("carol", each[:1])
    marks.shown()
    assert list(marks.entered()) == [
        ("bob", ids[:BATCH]),
        ("bob", ids[BATCH:]),
        ("carol", [b"\0", b"\1"]),
    ]


def test_what_could_not_be_told_is_told_later() -> None:
    marks = ReadMarks()
    marks.coming("bob", b"1")
    marks.shown()
    for peer, ids in marks.entered():
        marks.give_back(peer, ids)
    assert list(marks.entered()) == [("bob", [b"1"])]


def test_of_too_many_the_oldest_stay_unread() -> None:
    marks = ReadMarks()
    for number in range(KEPT + 1):
        marks.coming("bob", number.to_bytes(4, "big"))
    marks.shown()
    told = [each for _, ids in marks.entered() for each in ids]
    assert len(told) == KEPT
    assert told[0] == (1).to_bytes(4, "big")
