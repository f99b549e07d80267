"""File names: what a terminal may show, what fits a file system, which folders hold no photos."""

import os
import re
import unicodedata

MAX_NAME_BYTES = 255  # of common file systems (ext4, NTFS, APFS)
# Control characters of C0 and C1; line separators; characters that reverse the text's direction
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
JOINING = re.compile("[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")  # parts of one emoji
SYSTEM_FOLDERS = {  # in lower case
    *("@eadir", "@tmp", "#recycle", "#snapshot"),  # Synology
    *("@recycle", "@recently-snapshot"),  # QNAP
    *("$recycle.bin", "recycler", "system volume information"),  # Windows
    *("__macosx", "network trash folder", "temporary items"),  # macOS and its ZIP files
    "lost+found",
}


def printable(text: str) -> str:
    r"""Escape control characters, so that names can't change a terminal or forge a line of a log.

    Args:
        text: any text, such as a path.

    Returns:
        The text with each control character as in Python's source code, for example `\n`.
    """
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def is_system_name(name: str) -> bool:
    """Whether a file or folder of that name is hidden, or belongs to a system or trash."""
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def fitted_name(stem: str, ending: str, reserved: int = 0) -> str:
    """Join a stem and an ending to a file name that every file system accepts.

    Control characters of the stem become underscores. A long stem is shortened by whole
    characters, with their accents.

    Args:
        stem: the first part of the name.
        ending: the last part, which stays as it is.
        reserved: number of bytes that stay free of `MAX_NAME_BYTES`.
    """
    stem = CONTROL.sub("_", stem)
    room = MAX_NAME_BYTES - reserved - len(os.fsencode(ending))
    end = len(stem)
    while end and len(os.fsencode(stem[:end])) > room:
        end -= 1
    while 0 < end < len(stem) and _belong_together(stem[end - 1], stem[end]):
        end -= 1
    return stem[:end] + ending


def _belong_together(first: str, second: str) -> bool:
    return bool(
        unicodedata.combining(second) or JOINING.match(second) or first == "\N{ZERO WIDTH JOINER}"
    )
