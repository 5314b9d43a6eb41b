"""How texts of trials are tidied. What a text means is not looked at."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """``text`` in NFC, lines ended by LF, stripped of white space at both ends.

    Everything else stays as the source has it: HTML entities (``&lt;``) and the registry's Markdown escapes (``\\>=``)
    are not undone, because a text may mean them literally.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()
