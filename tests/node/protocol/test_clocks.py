from p2pchat.node.protocol.clocks import FARTHEST_MS, MAX_PEERS, Clocks

NOW = 1_790_000_000_000


def test_an_offset_is_taken_from_the_middle_of_the_round_trip() -> None:
    clocks = Clocks()
    clocks.heard("a", NOW + 5_050, NOW, NOW + 100)
    assert clocks.of("a") == 5_000


def test_the_median_shrugs_off_a_wrong_clock() -> None:
    clocks = Clocks()
    for peer, ahead in (("a", 10), ("b", -20), ("c", 86_400_000)):
        clocks.heard(peer, NOW + ahead, NOW, NOW)
    assert (clocks.median(), len(clocks)) == (10, 3)


def test_nobody_to_compare_with() -> None:
    assert Clocks().median() is None


def test_an_older_program_tells_no_time_and_nonsense_is_none() -> None:
    clocks = Clocks()
    clocks.heard("old", 0, NOW, NOW)
    clocks.heard("mad", NOW + FARTHEST_MS + 1, NOW, NOW)
    assert len(clocks) == 0


def test_who_has_left_does_not_count() -> None:
    clocks = Clocks()
    clocks.heard("a", NOW + 7, NOW, NOW)
    clocks.forget("a")
    clocks.forget("a")
    assert (clocks.of("a"), clocks.median()) == (None, None)


def test_only_so_many_are_remembered() -> None:
    clocks = Clocks()
    for n in range(MAX_PEERS + 1):
        clocks.heard(str(n), NOW + n, NOW, NOW)
    assert len(clocks) == MAX_PEERS
    assert clocks.of("0") is None
