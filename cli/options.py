"""What the commands that run something have in common: where an option's value came from, and TOML files."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import typer

from p2pchat.node.errors import ConfigError

# The keys of a configuration file, and what each may hold.
FileKeys: TypeAlias = Mapping[str, type | tuple[type, ...]]

_KINDS = {
    str: "a text",
    bool: "true or false",
    list: "a list of texts",
    int: "a whole number",
    float: "a number",
}


def several(context: typer.Context, option: str, values: list[str] | None) -> tuple[str, ...]:
    """The values of an option that may be repeated; in the environment they are separated by spaces or commas."""
    if source_of(context, option) == "ENVIRONMENT":
        return tuple(from_environment(values or ()))
    return tuple(values or ())


def from_environment(values: Iterable[str]) -> list[str]:
    """Lists in environment variables are separated by spaces or commas."""
    return [part for value in values for part in value.replace(",", " ").split()]


def origins(context: typer.Context, config: Path | None) -> dict[str, str]:
    """What the options are called that came from the environment or from the file."""
    found = {}
    for parameter in context.command.params:
        source = source_of(context, parameter.name or "")
        option = (parameter.name or "").replace("_", "-")
        if source == "ENVIRONMENT":
            names = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar
            found[option] = next(filter(os.environ.get, names or ()), option)
        if source == "DEFAULT_MAP":
            found[option] = f"in {config}, {option}"
    return found


def source_of(context: typer.Context, name: str) -> str:
    """Where a parameter's value came from: COMMANDLINE, ENVIRONMENT, DEFAULT_MAP (the file), DEFAULT, or ""."""
    source = context.get_parameter_source(name)
    return source.name if source is not None else ""


def file_loader(keys: FileKeys) -> Callable[[typer.Context, Path | None], Path | None]:
    """For an eager option: the file's values are there as defaults when the other options are looked at."""

    def load(context: typer.Context, path: Path | None) -> Path | None:
        if path is not None:
            context.default_map = read_file(path, keys)
        return path

    return load


def read_file(path: Path, keys: FileKeys) -> dict[str, Any]:
    """The options in a TOML file, by their Python names. Raises `ConfigError`."""
    import tomllib

    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from error
    return {key.replace("-", "_"): _checked(path, keys, key, value) for key, value in found.items()}


def _checked(path: Path, keys: FileKeys, key: str, value: object) -> Any:
    wanted = keys.get(key.replace("_", "-"))
    if isinstance(value, dict):
        raise ConfigError(f"{path}: options stand without sections; leave out the line [{key}].")
    if wanted is None:
        raise ConfigError(f"{path}: there is no setting {key!r}; {_suggestion(keys, key)}")
    kinds = wanted if isinstance(wanted, tuple) else (wanted,)
    if list in kinds and isinstance(value, str):
        return [value]
    is_fit = type(value) in kinds  # not `isinstance`: true and false are no numbers
    if isinstance(value, list):
        is_fit = is_fit and all(isinstance(each, str) for each in value)
    if not is_fit:
        wanted_kinds = " or ".join(_KINDS[kind] for kind in kinds)
        raise ConfigError(f"{path}: {key} must be {wanted_kinds}, not {value!r}.")
    return (
        str(value) if str in kinds else value
    )  # click takes a number for such an option only as text


def _suggestion(keys: FileKeys, key: str) -> str:
    close = difflib.get_close_matches(key.replace("_", "-"), keys, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(keys)}."


# ---- amounts with units ---------------------------------------------------------------------------------

_SIZES = {
    "": 1,
    "b": 1,
    **{f"{letter}ib": 1 << (10 * power) for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
}
_TIMES = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}  # seconds
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", re.ASCII)


def size(text: str, called: str) -> int:
    """Bytes: "1048576", "64MiB", "1.5 GB". Raises `ConfigError`."""
    number, factor = _amount(text, _SIZES, "")
    if factor is None:
        raise ConfigError(f"{called}: {text!r} is no size in bytes, such as 64MiB.")
    return round(number * factor)


def seconds(text: str, called: str, unit: str) -> float:
    """A time: "90s", "12h", "30d"; a bare number is in `unit`. Raises `ConfigError`."""
    number, factor = _amount(text, _TIMES, unit)
    if factor is None:
        raise ConfigError(f"{called}: {text!r} is no time, such as 12h or 30d.")
    return number * factor


def _amount(text: str, units: Mapping[str, int], bare: str) -> tuple[float, int | None]:
    found = _AMOUNT.fullmatch(text[:32])  # longer: no amount that anybody means
    if found is None or len(text) > 32:
        return 0, None
    return float(found[1]), units.get(found[2].lower() or bare)
