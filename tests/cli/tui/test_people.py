from p2pchat.cli.tui.people import NAMES_KNOWN, People
from tests.cli.tui.scene import BOB, EVE, ME, MIA

CYRILLIC_BOB = "B\u043eb"


def people() -> People:
    made = People(ME, "ada")
    made.learn(BOB, "Bob")
    return made


def test_a_name_that_only_one_has_stands_alone() -> None:
    assert people().label(BOB) == "Bob"


def test_names_that_look_alike_get_the_end_of_the_peer_id() -> None:
    made = people()
    made.learn(EVE, CYRILLIC_BOB)
    assert made.label(BOB) == "Bob …Bob002"
    assert made.label(EVE) == f"{CYRILLIC_BOB} …Eve003"


def test_whoever_is_called_like_the_owner_or_you_is_told_apart() -> None:
    made = people()
    made.learn(EVE, "Ada")
    made.learn(MIA, "You")
    assert made.label(EVE) == "Ada …Eve003"
    assert made.label(MIA) == "You …Mia004"
    assert made.label(ME) == "You"


def test_a_name_given_up_no_longer_confuses() -> None:
    made = people()
    made.learn(EVE, CYRILLIC_BOB)
    before = made.generation
    made.learn(EVE, "Eve")
    assert made.generation > before
    assert made.label(BOB) == "Bob"


def test_somebody_without_a_name_is_the_end_of_the_peer_id() -> None:
    assert people().label(EVE, "…Eve003") == "…Eve003"
    assert people().label(EVE) == "…Eve003"


def test_colours_stay_with_the_peer_whatever_it_calls_itself() -> None:
    made = people()
    assert made.piece(BOB, "Bob").style == made.piece(BOB, "Robert").style


def test_hostile_names_are_harmless_and_short() -> None:
    shown = people().label(EVE, "\x1b[2J\u202e" + "x" * 500)
    assert "\x1b" not in shown
    assert len(shown) <= 40


def test_no_more_names_are_kept_than_said() -> None:
    made = people()
    for number in range(NAMES_KNOWN + 10):
        made.learn(f"peer{number}", f"name {number}")
    assert len(made.known()) == NAMES_KNOWN
