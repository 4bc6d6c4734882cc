from pathlib import Path

from p2pchat.cli.tui.settings import UiSettings, load, remember


def test_what_was_set_is_there_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "ui.json"
    remember(UiSettings(dark=False, notify="bell", path=path))
    assert load(path) == UiSettings(dark=False, notify="bell", path=path)
    assert [each.name for each in tmp_path.iterdir()] == ["ui.json"]


def test_what_cannot_be_read_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "ui.json"
    assert load(path) == UiSettings(path=path)
    for text in ("not json", "[1]", '{"notify": 7}', "{}"):
        path.write_text(text, "utf-8")
        assert load(path) == UiSettings(path=path)


def test_a_folder_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    remember(UiSettings(path=tmp_path / "missing" / "ui.json"))
