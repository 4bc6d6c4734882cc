"""How a diagnosis looks: a sign, what was looked at, what was found, and below it what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from p2pchat.cli.terminal.lines import Line, Span, line
from p2pchat.cli.terminal.render import count, hint, note, warning
from p2pchat.cli.terminal.safe_text import safe_line
from p2pchat.proto.actors_pb2 import Check

SIGNS = {Check.OK: "ok", Check.HINT: "hint", Check.WARNING: "warn", Check.FAILED: "FAIL"}
_STYLES = {Check.HINT: "hint", Check.WARNING: "warning", Check.FAILED: "warning"}
_SIGN_WIDTH = max(map(len, SIGNS.values()))


def diagnosis(checks: Sequence[Check]) -> Iterator[Line]:
    """Two lines for each thing that can be mended, one for the others, and a summary below."""
    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        sign = Span(f"{SIGNS[check.verdict]:{_SIGN_WIDTH}}", _STYLES.get(check.verdict, ""))
        name = f"  {safe_line(check.name):{width}}  "
        yield line("  ", sign, name, safe_line(check.finding))
        if check.advice:
            indent = " " * (2 + _SIGN_WIDTH + len(name))
            yield line(Span(f"{indent}{safe_line(check.advice)}", "dim"))
    yield summary(checks)


def summary(checks: Sequence[Check]) -> Line:
    verdicts = Counter(check.verdict for check in checks)
    failed, warned = verdicts[Check.FAILED], verdicts[Check.WARNING]
    if failed:
        more = f", and {count(warned, 'warning')}" if warned else ""
        return warning(f"{count(failed, 'thing')} {'does' if failed == 1 else 'do'} not work{more}")
    if warned:
        return hint(f"It works, with {count(warned, 'warning')}")
    return note("All is well")
