"""A link as a QR code for a terminal: two rows of modules in each line, by half blocks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segno import QRCode

QUIET_ZONE = 4  # modules around it that must stay light: ISO/IEC 18004
_BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m"  # of the fixed colours, which themes leave alone
_RESET = "\x1b[0m"

# By (upper module, lower module), true for dark. In colours the text is dark ...
_DARK_TEXT = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
# ... and without it is taken to be light, as in most terminals; cameras that read inverted codes take both.
_LIGHT_TEXT = {(False, False): "█", (True, False): "▄", (False, True): "▀", (True, True): " "}

Rows = Sequence[Sequence[bool]]


def qr_text(link: str, *, color: bool = True, width: int | None = None) -> str:
    """The lines of the code, or a sentence where it does not fit.

    `color`: black on white by escape sequences, whatever the terminal's colours are. `width`: columns that there are;
    None: as many as the terminal has.
    """
    columns = shutil.get_terminal_size().columns if width is None else width
    code = _fitting(link, columns)
    if code is None:
        return "The link is too long for a QR code."
    rows = _modules(code)
    if len(rows[0]) > columns:
        return (
            f"A QR code of the link needs {len(rows[0])} columns, and the terminal has {columns}."
        )
    marks = _DARK_TEXT if color else _LIGHT_TEXT
    lines = ("".join(map(marks.__getitem__, pair)) for pair in _in_pairs(rows))
    return "\n".join(f"{_BLACK_ON_WHITE}{line}{_RESET}" if color else line for line in lines)


def _fitting(link: str, columns: int) -> QRCode | None:
    """With error level M (15 % may be unreadable) if that fits, else L (7 %); None when neither holds the link."""
    import segno

    code = None
    for level in ("m", "l"):
        try:
            code = segno.make_qr(link, error=level, boost_error=False)
        except segno.DataOverflowError:
            continue
        if code.symbol_size(border=QUIET_ZONE)[0] <= columns:
            break
    return code


def _modules(code: QRCode) -> Rows:
    """With the quiet zone."""
    return [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_ZONE)]


def _in_pairs(rows: Rows) -> list[list[tuple[bool, bool]]]:
    """The rows two by two, as columns of pairs; a last one alone has a light one below."""
    below = [*rows[1::2], *([[False] * len(rows[0])] if len(rows) % 2 else [])]
    return [
        list(zip(upper, lower, strict=True)) for upper, lower in zip(rows[::2], below, strict=True)
    ]
