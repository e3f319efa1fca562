"""What an address says that nobody else may read: passwords and tokens, taken out before it is shown.

A tracking store may be ``postgresql://me:secret@host/db``. What is printed, raised or written beside the
results has ``***`` in the secret's place; MLflow alone is given the whole.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

HIDDEN = "***"
_SECRET_NAME = re.compile(r"pass|pwd|secret|token|key|sig|credential", re.IGNORECASE)
_PARAMETER = re.compile(r"(?<=[?&])([^=&#]*)=([^&#\s]*)")
_USERINFO = re.compile(r"(?<=://)([^/?#\s]*)@")


def without_secrets(address: str) -> str:
    """An address with what is behind the user's name, and what secret parameters are set to, hidden."""
    return _PARAMETER.sub(_name_alone, _USERINFO.sub(_user_alone, address))


def hidden(text: str, address: str) -> str:
    """A text, such as what a driver said, without the secrets of an address, quoted or not."""
    for secret in sorted(_secrets(address), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _name_alone(found: re.Match[str]) -> str:
    return f"{found[1]}={HIDDEN}" if _SECRET_NAME.search(found[1]) else found[0]


def _user_alone(found: re.Match[str]) -> str:
    user, colon, _ = found[1].partition(":")
    return f"{user}:{HIDDEN}@" if colon else f"{user}@"


def _secrets(address: str) -> set[str]:
    match = _USERINFO.search(address)
    found = [match[1].partition(":")[2]] if match else []
    found += [value for name, value in _PARAMETER.findall(address) if _SECRET_NAME.search(name)]
    return {secret for quoted in found for secret in (quoted, unquote(quoted)) if secret}
