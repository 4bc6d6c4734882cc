"""What only holds the parts of the screen, and is covered by them completely: there is nothing of its own to draw."""

from __future__ import annotations

from textual.containers import Horizontal, Vertical
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

LAYOUT = """
Screen { layout: vertical; background: $background; }
#main { height: 1fr; }
#middle { width: 1fr; }
#list { width: 24; background: $surface; scrollbar-background: $surface; }
#side { width: 26; background: $surface; scrollbar-background: $surface; }
#timeline { height: 1fr; background: $background; }
#below, #offer, #draft { display: none; }
CommandPalette > Vertical { width: 84; max-width: 94%; }
"""


class Covered(Widget):
    # Behind Textual's class in a list of bases: of the first one Textual takes the look.
    def render_lines(self, crop: Region) -> list[Strip]:
        return [Strip.blank(crop.width)] * crop.height


class Whole(Screen[None], Covered):
    pass


class SideBySide(Horizontal, Covered):
    pass


class Stacked(Vertical, Covered):
    pass
