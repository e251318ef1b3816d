"""Text from elsewhere as one line without control characters, and whether a text shows anything at all.

Source: the characters that are drawn as nothing are Unicode's property Default_Ignorable_Code_Point,
https://www.unicode.org/reports/tr44/.
"""

import re

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")

INVISIBLE = re.compile(
    "[\\s\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]+"
)
"""Blanks, controls and characters that are drawn as nothing."""


def is_blank(text: str) -> bool:
    r"""Whether a reader of this text would see nothing.

    Example:
        >>> is_blank(" \u200b\u2800"), is_blank("\u200bAda")
        (True, False)
    """
    return INVISIBLE.sub("", text) == ""


def one_line(text: str) -> str:
    r"""The text with each run of line breaks and tabs as one blank, and without other control characters.

    Controls of the direction of writing and halves of surrogate pairs are removed too; what joins letters or emoji
    stays.

    Example:
        >>> one_line("Ada\r\nBcc: all@example.com\x00")
        'Ada Bcc: all@example.com'
    """
    if text.isprintable():
        return text
    return _CONTROLS.sub("", _BREAKS.sub(" ", text))
