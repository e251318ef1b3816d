"""A text whose replacements must replace something: a test that changes nothing would prove nothing."""

from typing import SupportsIndex


class CheckedText(str):
    """A text of a catalogue, a plan or a mapping that tests change."""

    __slots__ = ()

    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> "CheckedText":
        """The text with a part replaced, which must be there."""
        assert old in self, f"nothing to replace: {old!r} is not in the text"
        return CheckedText(super().replace(old, new, count))
