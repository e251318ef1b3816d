"""Text from elsewhere as one line without control characters, so that it cannot add lines to a header or a message."""

import re

_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


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
