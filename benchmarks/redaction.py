"""How much of a corpus of secrets scrubbing takes out, and how much that is harmless it leaves alone.

A secret text counts as found when the secret part is gone, a harmless one as left alone when it is the same as before.
"""

from rich.console import Console

from bugreports.redaction.documents import Scrubber
from tests.support.secret_corpus import HARMLESS, SECRET


def measure() -> tuple[list[str], list[tuple[str, str]]]:
    """(secret texts that were not cleaned, harmless texts that were changed, with what became of them)"""
    missed = [text for text, secret in SECRET if secret in str(Scrubber().scrub(text, ""))]
    changed = [(text, str(Scrubber().scrub(text, ""))) for text in HARMLESS]
    return missed, [(text, after) for text, after in changed if after != text]


def main() -> None:
    missed, changed = measure()
    found = len(SECRET) - len(missed)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{len(SECRET)} secret texts, {len(HARMLESS)} harmless ones")
    console.print(f"precision {found / (found + len(changed)):.3f}   recall {found / len(SECRET):.3f}")
    for text in missed:
        console.print(f"missed: {text!r}")
    for text, after in changed:
        console.print(f"changed: {text!r} -> {after!r}")


if __name__ == "__main__":
    main()
