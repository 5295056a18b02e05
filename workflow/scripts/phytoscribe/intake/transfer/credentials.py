"""The user's token for the JGI servers: read from the environment or a private file, and never shown.

A token lets whoever has it act as the user.  It is no configuration value, no argument of a program, and no part of a
log, an error message or a traceback.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from phytoscribe.errors import DownloadError
from phytoscribe.intake.transfer.addresses import Hidden

VARIABLE = "JGI_TOKEN"
DEFAULT_FILE = "~/.config/phytoscribe/jgi_token"

HOW_TO_GET_ONE = (
    "log in at https://data.jgi.doe.gov, open the user menu, copy the session token (it lasts some hours to days), and "
    f"put it into the environment variable {VARIABLE} or a file with mode 600"
)

_LONGEST = 10_000


def read_token(token_file: str | Path = DEFAULT_FILE) -> Hidden:
    """The token from the environment variable ``JGI_TOKEN``, else from the file.

    With or without "Bearer " before it, as the portal's page or its documentation show it.

    Raises:
        DownloadError: there is none, the file can be read by others, or it holds something else.
    """
    where = f"environment variable {VARIABLE}"
    text = Hidden(os.environ.get(VARIABLE, "").strip())
    if not text:
        path = Path(os.path.expanduser(token_file))
        where, text = str(path), _private_text(path)
    if text[:7].lower() in ("bearer ", "bearer"):
        text = Hidden(text[6:].strip())
    if not text:
        raise DownloadError(f"{where}: holds no token; {HOW_TO_GET_ONE}")
    if not _is_token(text):
        raise DownloadError(
            f"{where}: holds blanks, line breaks or other characters that no token has; copy the token alone"
        )
    return text


def _private_text(path: Path) -> Hidden:
    """The text of a file that no other user can read or write."""
    try:
        with path.open("rb") as handle:
            mode = os.fstat(handle.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise DownloadError(
                    f"{path}: other users can read or change the token file (mode {stat.S_IMODE(mode):o}); "
                    f"run: chmod 600 {path}"
                )
            # Editors on Windows put a byte order mark before the text.
            return Hidden(handle.read(_LONGEST + 4).removeprefix(b"\xef\xbb\xbf").decode("latin-1").strip())
    except FileNotFoundError:
        raise DownloadError(
            f"Phytozome downloads need a token, and there is none in {path}: {HOW_TO_GET_ONE}"
        ) from None
    except OSError as error:
        raise DownloadError(f"{path}: the token file cannot be read ({error.strerror}); {HOW_TO_GET_ONE}") from None


def _is_token(text: str) -> bool:
    """True for visible ASCII characters alone (in a function of its own: its frame is in no traceback)."""
    return len(text) <= _LONGEST and all("!" <= letter <= "~" for letter in text)
