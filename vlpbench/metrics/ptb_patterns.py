"""What a token can look like to the Penn Treebank tokenizer of caption scoring: one pattern a kind, the longest wins.

Found by feeding strings to the Java program that pycocoevalcap ships and looking at what came out. A pattern may look
ahead: what it sees beyond its group `t` counts for its length but belongs to the next token, which is how "don't" is
"do" and "n't". Of equally long ones the first in the list wins.
"""

from __future__ import annotations

import re

__all__ = ["ABBREVIATIONS_BEFORE_NUMBERS", "PARTED", "PATTERNS", "REWRITTEN", "SENTENCE_STARTER"]

LETTER = (
    r"A-Za-z\xaa\xad\xb5\xba\xc0-\xd6\xd8-\xf6\xf8-\u1fbc\u1fbe-\u1fff\u2c00-\u2dff\u3041-\u30fa\u30fc-\ud7ff"
    r"\uf900-\ufdff\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc"
)
"""Letters of a character class: all of these join into words. The soft hyphen is among them, and leaves no trace."""
L = f"[{LETTER}]"
A = f"[{LETTER}0-9]"
APOSTROPHE = r"(?:['\u2019\x92]|&apos;)"
ELIDED = rf"[dDlLoO]{APOSTROPHE}"
HYPHEN = r"[-\u2010\u2011\u058a]"
END = f"(?!{A})"

CAN_END_A_SENTENCE = """
    al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc ext feb fla
    fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn plc ppte
    ppty pte ptes pty ptys rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo
    Ark Az Del Ill La Mass Miss Ore Pa Tex Wash ARK AZ DEL ILL LA MASS MISS ORE PA TEX WASH
""".split()
"""Abbreviations that keep their period; written with a capital: only with it. Glued to one more letter they let go."""
TITLES = """
    adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen gov
    govs hon insp invt jos lieut lt maj messrs mfg mlle mme mr mrs ms msgr mt mtg natl pfc ph pres prof profs pvt rep
    reps rev sen sens sfc sgt spc st ste supt treas vs wm
""".split()
"""Abbreviations that keep their period and can be glued to a word: "Mr.Smith" is one token."""
ABBREVIATIONS_BEFORE_NUMBERS = "art ca fig figs no nos op pp prop".split()
"""Abbreviations that keep their period only where a number follows: "no. 5", but "no ." """


def _any_case(words: list[str]) -> str:
    """The words in lower case, with a capital and in capitals; one that has a capital only as it stands."""
    spelt = {form for word in words for form in ((word, word.title(), word.upper()) if word.islower() else (word,))}
    return "|".join(sorted(spelt, key=lambda form: (-len(form), form)))


URL_END = r"[^\s\"<>|().,!?;:'-]"
DOMAIN = r"(?:com|net|org|edu|COM|NET|ORG|EDU)"
CLITIC = rf"{APOSTROPHE}(?:[sS]|[mM]|[dD]|[rR][eE]|[vV][eE]|[lL][lL])(?!{L})"
STARTERS = """
    a about according after an as at but earlier he her here if in it last many more now once one other our she so some
    such that the their then there these they this we what when while yet you
""".split()
SENTENCE_STARTER = "(?:" + "|".join(f"{word.title()}|{word.upper()}" for word in [*STARTERS, "mr\\.", "ms\\."]) + ")"
"""After a single letter and a period, such a word starts a new sentence: "vitamin C. The" has no "C." """
FRACTIONS = {"\xbc": "1/4", "\xbd": "1/2", "\xbe": "3/4", "\u2153": "1/3", "\u2154": "2/3"}

PARTED = frozenset("cannot gonna gotta lemme gimme wanna".split())
"""Words that are written as one and counted as two."""

_SOURCES = (
    # Markup, addresses.
    r"</?[A-Za-z][\w:.-]*(?:[ \xa0]+[A-Za-z][\w:.-]*(?:[ \xa0]*=[ \xa0]*(?:\"[^\"]*\"|'[^']*'|\w+))?)*[ \xa0]*/?>",
    r"<[!?][A-Za-z-][^>]*>",
    rf"https?://[^\s\"<>|()]+\.[^\s\"<>|()]*{URL_END}",
    rf"www\.(?:[^\s\"<>|().]+\.)*[A-Za-z0-9-]*{A}",
    rf"(?:[A-Za-z][A-Za-z0-9]*\.)+{DOMAIN}/[^\s\"<>|()]+{URL_END}",
    rf"<?{A}[\w.+-]*@{A}[\w.-]*{A}>?",
    rf"<?{A}[\w.+-]*@{A}>?",
    r"@[A-Za-z_][A-Za-z_0-9]*",
    rf"#{L}+",
    # Words, alone and before their clitic.
    rf"(?P<t>{L}+){CLITIC}",
    rf"(?P<t>{L}+?)[nN](?:{APOSTROPHE}|`)[tT](?!{L})",
    rf"[nN](?:{APOSTROPHE}|`)[tT](?!{L})",
    rf"(?P<t>{L}+){APOSTROPHE}[nN](?=[\s'\u2019]|$)",
    rf"(?P<t>(?i:can))(?i:not)(?!{L})(?:{CLITIC})?",
    rf"(?P<t>(?i:gon(?=na)|wan(?=na)|got(?=ta)|lem(?=me)|gim(?=me)))(?i:na|ta|me)(?!{L})",
    rf"{L}+",
    rf"{CLITIC}",
    r"[\u2019\x92](?i:s|m|d|re|ve|ll|n)",
    # Words with an apostrophe inside.
    rf"(?P<t>[dDlLjJ]{APOSTROPHE}){L}(?!{L})",
    rf"(?P<t>[yYj]{APOSTROPHE}){L}+",
    rf"{ELIDED}{L}{L}+",
    rf"[A-Z]{APOSTROPHE}{L}{L}+",
    rf"{L}+[aeiouyAEIOUY]{APOSTROPHE}[aeiouA-Z]{L}*",
    rf"(?:[eEnNoO]{APOSTROPHE}er|[cC]{APOSTROPHE}mon|[cCnN]{APOSTROPHE}est|[sS]{APOSTROPHE}mores){END}",
    rf"[nN]at{APOSTROPHE}l{END}|[oO]l{APOSTROPHE}",
    rf"{APOSTROPHE}(?:em|Em|till?|cause)",
    rf"{APOSTROPHE}[nN](?:{APOSTROPHE}|(?=\s|$))",
    rf"(?P<t>{APOSTROPHE}[tT])(?:[iI][sS]|[wW][aA][sS])",
    rf"{APOSTROPHE}[2-9]0s",
    rf"{APOSTROPHE}[0-9][0-9](?=\s|$)",
    # Words with other marks inside; an abbreviation comes first where only one letter follows.
    rf"(?P<t>(?:{_any_case(CAN_END_A_SENTENCE)})\.)(?:.|$)",
    rf"[A-Za-z][A-Za-z0-9]*(?:\.{L}{A}*)+",
    rf"{L}+(?:[.!?]{L}+)+",
    rf"(?:{ELIDED}{L}|{A})[0-9.,{LETTER}]*(?:{HYPHEN}(?:{ELIDED}{L}{L}+|(?:[A-Za-z]\.)+[A-Za-z]\.|{A}+))+",
    rf"(?:{ELIDED}{L})?{A}+(?:[-_\u2010\u2011]{A}+)+",
    r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}",
    r"[A-Z]+(?:&[A-Z]+)+",
    rf"{A}+",
    rf"(?P<t>(?:{ELIDED})?(?:{A}+(?:[-_&]{A}+)*|{L}{A}*(?:\.{L}{A}*)+)\.)[,;:]",
    # Periods that stay.
    r"[A-Za-z](?:\.[A-Za-z])+\.",
    r"[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])",
    rf"(?P<t>[A-Za-z]\.)(?!\s+{SENTENCE_STARTER}\s)",
    rf"(?:{_any_case(TITLES)})\.",
    rf"(?P<t>(?:{_any_case(ABBREVIATIONS_BEFORE_NUMBERS)})\.)\s?[0-9]",
    r"[Pp][Hh]\.?[Dd]\.",
    # Numbers.
    r"[-+\xb1]?[0-9]*(?:[.,:\u2044\u066b\u066c][0-9]+)+",
    r"[-+]?[0-9]+(?:[.,:\u2044\u066b\u066c][0-9]+)*",
    r"(?:[0-9]{1,4}[- \xa0])?[0-9]{1,4}\\?/[0-9]{1,4}(?![0-9])",
    r"\([0-9]{3}\)[ \xa0]?[0-9]{3}[- \xa0][0-9]{4}(?![0-9])",
    r"[0-9]{3}[- \xa0][0-9]{3}[- \xa0][0-9]{3,4}(?![0-9])",
    r"[0-9]{3}[ \xa0][0-9]{3}-[0-9]{4}(?![0-9])",
    r"[A-Z]{1,3}\$",
    # Faces.
    r"[<>]?[:;=][-o*']?[()DOPp\\@|\[\]](?![A-Za-z0-9])|:\{(?![A-Za-z0-9])",
    r"\^_\^|>_<|-_-",
    # Marks, and what stands for one: an entity, the name of a bracket.
    r"-(?i:[lr][rsc]b)-",
    r"&(?:amp|lt|gt|quot|apos|nbsp);",
    r"[?!]+|''|``|\.{3,}|-{5,}|-{2,4}|_+|\*+|#+|@+|>>|<<",
)

PATTERNS = tuple(re.compile(source) for source in _SOURCES)
"""All kinds of token, to be tried at one place; whatever fits none is a token of one character."""

REWRITTEN = {
    "(": "-lrb-",
    ")": "-rrb-",
    "[": "-lsb-",
    "]": "-rsb-",
    "{": "-lcb-",
    "}": "-rcb-",
    "\u20ac": "$",
    "\x80": "$",
    "\xa4": "$",
    "\u20a0": "$",
    "\xa3": "#",
    "\xa2": "cents",
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    **FRACTIONS,
}
"""Tokens that come out otherwise than they went in."""
