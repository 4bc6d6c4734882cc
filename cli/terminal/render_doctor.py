"""How a diagnosis looks: a sign, what was looked at, what was found, and below it what to do."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import count, hint, note, warning
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.proto.actors_pb2 import Check

SIGNS = {Check.OK: "ok", Check.HINT: "hint", Check.WARNING: "warn", Check.FAILED: "FAIL"}
_STYLES = {Check.HINT: "hint", Check.WARNING: "warning", Check.FAILED: "warning"}
_SIGN_WIDTH = max(map(len, SIGNS.values()))
LINE_WIDTH = 79  # columns


def diagnosis(checks: Sequence[Check]) -> Iterator[Line]:
    """Two lines for each thing that can be mended, one for the others, and a summary below."""
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        sign = Span(f"{SIGNS[check.verdict]:{_SIGN_WIDTH}}", _STYLES.get(check.verdict, ""))
        name = f"  {safe_line(check.name):{width}}  "
        indent = " " * (2 + _SIGN_WIDTH + len(name))
        finding, *more = _wrapped(check.finding, indent)
        yield line("  ", sign, name, finding)
        yield from (line(f"{indent}{text}") for text in more)
        if check.advice:
            advice = _wrapped(check.advice, indent)
            yield from (line(Span(f"{indent}{text}", "dim")) for text in advice)
    yield summary(checks)


def _wrapped(text: str, indent: str) -> list[str]:
    """A terminal would go on at its left edge, below the signs."""
    wanted = safe_line(text)
    width = LINE_WIDTH - len(indent)
    lines = textwrap.wrap(wanted, width, break_long_words=False, break_on_hyphens=False)
    return lines or [wanted]


def summary(checks: Sequence[Check]) -> Line:
    verdicts = Counter(check.verdict for check in checks)
    failed, warned = verdicts[Check.FAILED], verdicts[Check.WARNING]
    if failed:
        # By name: on a small screen they may be above its edge.
        names = ", ".join(safe_line(c.name) for c in checks if c.verdict == Check.FAILED)
        more = f"; and {count(warned, 'warning')}" if warned else ""
        does = "does" if failed == 1 else "do"
        return warning(f"{count(failed, 'thing')} {does} not work: {names}{more}")
    if warned:
        return hint(f"It works, with {count(warned, 'warning')}")
    return note("All is well")
