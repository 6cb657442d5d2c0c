"""Text folded to what its words are: two sentences that differ in type-setting only are the same sentence.

Folding forgets case, compatibility forms (ligatures, full-width letters, non-breaking spaces), quotes,
dashes, punctuation and white space, and nothing else: a digit or a letter changed is another sentence.
"""

import re
import unicodedata

# Characters that some copies have inside words and others do not: soft hyphens, joiners, accents' order.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_WORD = re.compile(r"[^\W_]+")


def folded_words(text: str) -> list[str]:
    """Return the words of ``text``, folded.

    >>> folded_words("“It’s the law\u00a0—\u00a0full stop,” he said.")
    ['it', 's', 'the', 'law', 'full', 'stop', 'he', 'said']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    return _WORD.findall(text.casefold())


def folded(text: str) -> str:
    """Return the folded words with single spaces between: equal for two sentences that read the same.

    >>> folded("Law-and-order") == folded("law and ORDER!")
    True
    """
    return " ".join(folded_words(text))
