"""What is said to a person: on standard error, so that standard output holds results alone."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True)


def say(text: str) -> None:
    """One line, as it is: neither wrapped nor coloured, and square brackets mean nothing."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def say_error(error: Exception) -> None:
    """One line that begins with ``error``, whatever the message was."""
    console.print("[bold red]error[/] ", end="")
    say(" ".join(str(error).split()))
