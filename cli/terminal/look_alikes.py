"""Which names can be taken for each other by somebody who reads quickly."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

# Letters of other scripts, and digits, that look like small or large Latin ones. The commonest: a remark is no fence.
_LIKE = str.maketrans(
    {
        **dict(zip("аеорсухіѕјкмтвнԁԛԝһ", "aeopcyxlsjkmtbhdqwh", strict=True)),  # Cyrillic
        **dict(zip("αορντικυχεηβμ", "aopvtlkuxenbm", strict=True)),  # Greek
        **dict(zip("01|i", "olll", strict=True)),
    }
)


def skeleton(name: str) -> str:
    """Equal for names that look alike: without case, accents, spaces, signs and what cannot be seen."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LIKE)
    letters = "".join(character for character in plain if character.isalnum())
    return letters or name.strip()


def ambiguous(names: Iterable[str]) -> set[str]:
    """Skeletons that several of these names have."""
    seen = Counter(skeleton(name) for name in names if name.strip())
    return {each for each, times in seen.items() if times > 1}
