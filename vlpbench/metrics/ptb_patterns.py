"""What a token can look like to the Penn Treebank tokenizer of caption scoring: one pattern a kind, the longest wins.

Found by feeding strings to the Java program that pycocoevalcap ships and looking at what came out. A pattern may look
ahead: what it sees beyond its group `t` counts for its length but belongs to the next token, which is how "don't" is
"do" and "n't". Of equally long ones the first in the list wins. The file's end is no character: a pattern
that wants to see one more does not match there.
"""

from __future__ import annotations

import re

from vlpbench.metrics.ptb_characters import DIGITS, LETTERS, MARKS

__all__ = ["ABBREVIATIONS_BEFORE_NUMBERS", "PARTED", "PATTERNS", "REWRITTEN", "SENTENCE_STARTER"]

LETTER = rf"A-Za-z\xad{LETTERS}"
"""Letters of a character class. The soft hyphen is among them, and leaves no trace."""
L = f"[{LETTER}{MARKS}]"
T = f"[{LETTER}]"
D = f"[0-9{DIGITS}]"
A = f"[{LETTER}0-9{DIGITS}]"
S = r"[A-Za-z0-9\xad]"
WORD = f"{L}(?:{L}|{D})*"
APOSTROPHE = r"(?:['\u2019\x92]|&apos;)"
INNER = r"(?:['\u2019\x92\u2018\x91`]|&apos;)"
"""Inside some words an opening quotation mark is an apostrophe as well."""
ELIDED = rf"[dDlLoO]{INNER}"
HYPHEN = r"[-\u2010\u2011\u058a]"
END = f"(?!{A})"

CAN_END_A_SENTENCE = """
    al ala apr ariz assn aug bancorp bhd bldg blvd bros calif co colo conn corp cos ct dak dec esq est etc ext feb fla
    fri ga inc ind intl jan jr jul jun kan kans ky ltd mar md mich minn mo mon mont neb nev nov oct okla penn plc ppte
    ppty pte ptes pty ptys rd rt sep sept seq sq sr sys tel tenn thu thurs tue tues univ va vt wed wis wisc wyo
    Ark Az Del Ill La Mass Miss Ore Pa Tex Wash
""".split()
"""Abbreviations that keep their period; those with a capital only with it. Glued to one more letter they let go."""
TITLES = """
    adj adm adv alex assoc asst atty attys ave brig capt cf cie cmdr col comdr cpl dept det dr drs elec ens ft gen gov
    govs hon insp invt jos lieut lt maj messrs mfg mlle mme mr mrs ms msgr mt mtg natl pfc ph pres prof profs pvt rep
    reps rev sen sens sfc sgt spc st ste supt treas vs wm
""".split()
"""Abbreviations that keep their period and can be glued to a word: "Mr.Smith" is one token."""
ABBREVIATIONS_BEFORE_NUMBERS = "art ca fig figs no nos op pp prop".split()
"""Abbreviations that keep their period only where a number follows: "no. 5", but "no ." """


ONLY_SMALL = {"mfg": "f", "mtg": "t", "ppte": "e", "pte": "e", "ptes": "e", "ppty": "y", "pty": "y", "ptys": "y"}
"""A letter that has to be small, where all others may be either: "MfG." keeps its period, "MFG." does not."""


def _any_case(words: list[str]) -> str:
    """The words in any mixture of small letters and capitals, but that a capital here is one there, too."""
    found = []
    for word in sorted(words, key=lambda word: (-len(word), word)):
        fixed = ONLY_SMALL.get(word, "")
        found.append("".join(one if one in fixed or one.isupper() else f"[{one}{one.upper()}]" for one in word))
    return "|".join(found)


URL = r"[^ \t\"<>|(){}]"
URL_END = r"[^ \t\"<>|(){}.,!?-]"
MAIL = r"[^ \t\xa0\"<>|(){}.]"
HOST = r"[^ \t\"`'<>|().!?,$:;=@\\^_\[\]{}/-]+"
DOMAIN = r"(?:com|net|org|edu|COM|NET|ORG|EDU)"
CLITIC = rf"{APOSTROPHE}(?:[sSmMdD](?![A-Za-z])|(?:[rR][eE]|[vV][eE]|[lL][lL])[^A-Za-z])"
"""What a verb leaves behind its apostrophe. The long ones want one more character: "I'll" ends no file."""
STARTERS = """
    a about according after an as at but earlier he her here however if in it last many more now once one other our she
    since so some such that the their then there these they this we what when while yet you
""".split()
SENTENCE_STARTER = (
    "(?:"
    + "|".join(f"{word.title()}|{word.upper()}" for word in [*STARTERS, "mr\\.", "ms\\."])
    + r"|</?[A-Za-z!?][^<>\n]*>)"
)
"""After a single letter and a period, such a word starts a new sentence: "vitamin C. The" has no "C." """
FRACTIONS = {"\xbc": "1/4", "\xbd": "1/2", "\xbe": "3/4", "\u2153": "1/3", "\u2154": "2/3"}

PARTED = frozenset("cannot gonna gotta lemme gimme wanna".split())
"""Words that are written as one and counted as two."""

FILES = """
    bat|bmp|c|cgi|class|cpp|dll|docx?|exe|gif|gz|h|html?|jar|java|jpe?g|mov|mp3|pdf|php|pl|png|ppt|ps|py|sql|tar|txt|wav
    |x|xml|zip
"""
PHONE = r"[0-9]{3,4}[- \xa0]?[0-9]{3,5}"

_SOURCES = {
    # -- Markup, addresses --
    "tag": r"</?[A-Za-z][\w:.-]*"
    r"(?:[ \xa0]+[A-Za-z][\w:.-]*(?:[ \xa0]*=[ \xa0]*(?:\"[^\"]*\"|'[^']*'))?)*[ \xa0]*/?[ \xa0]*>",
    # And declarations.
    "comment": r"<[!?][A-Za-z-][^>]*>",
    # Needs no period, but two characters.
    "web address": rf"(?i:https?)://{URL}+{URL_END}",
    "www address": r"(?i:www)\.(?:[^\s\"<>|(),.!?]+\.)+[A-Za-z]{2,4}",
    "www address and path": rf"(?i:www)\.(?:[^\s\"<>|(),.!?/]+\.)+[A-Za-z]{{2,4}}/[^ \t\"<>|()]+{URL_END}",
    # A host ends in com, net, org or edu; a path has two characters or more.
    "host and path": rf"(?:{HOST}\.)+{DOMAIN}(?:/[^ \t\"<>|()]+{URL_END})?",
    "mail address": rf"<?[A-Za-z0-9](?:{MAIL}|\.)*@(?:{MAIL}+\.)*{MAIL}+>?",
    "at name": r"@[A-Za-z_][A-Za-z_0-9]*",
    "hash tag": rf"#{L}+",
    # -- Words, alone and before their clitic --
    "word before clitic": rf"(?P<t>{L}+|[A-Za-z][A-Za-z0-9]*(?:\.{WORD})+){CLITIC}",
    # At the end of the file the clitic falls apart.
    "word before clitic at the end": rf"(?P<t>{L}+){APOSTROPHE}(?i:re|ve|ll)\Z",
    # Does not itself end in n: "do n't", but not "don n't".
    "word before n't": rf"(?P<t>[A-Za-z\xad]*?[A-MO-Za-mo-z\xad])[nN]{INNER}[tT]",
    # Takes along what is glued to it.
    "n't": rf"[nN]{INNER}[tT]{L}*",
    "ol'": rf"(?i:[nN]at{APOSTROPHE}l){END}|(?i:ol{APOSTROPHE}|li{APOSTROPHE}l|cap{APOSTROPHE}n|ev{APOSTROPHE}ry)",
    "word before 'n'": rf"(?P<t>{L}+){APOSTROPHE}[nN](?=[\s'\u2019]|$)",
    "can not": rf"(?P<t>(?i:can))(?i:not)(?!{L})(?:{CLITIC})?",
    "gon na": rf"(?P<t>(?i:gon(?=na)|wan(?=na)|got(?=ta)|lem(?=me)|gim(?=me)))(?i:na|ta|me)(?!{L})",
    # Once begun with a letter, it may go on with digits.
    "word": WORD,
    "long clitic": rf"(?P<t>{APOSTROPHE}(?i:re|ve|ll))[^A-Za-z]",
    "short clitic": rf"{APOSTROPHE}[sSmMdD](?![A-Za-z])",
    "clitic after a curly apostrophe": r"[\u2019\x92](?i:s|m|d|re|ve|ll|n)",
    # -- Words with an apostrophe inside --
    "d' or l'": rf"[dDlLjJ]{APOSTROPHE}",
    # But not where a clitic would follow: "y' all", and "y", "see".
    "y' before a word": rf"(?P<t>[yYj]{APOSTROPHE})(?!(?i:s|m|d|ll|re|ve)){L}+",
    "d'oeuvre": rf"{ELIDED}{A}{A}+",
    # Any capital but I and Y.
    "O'Neil": rf"(?![nN]{INNER}[tT])(?:[A-HJ-XZ]{INNER}{T}{A}+|n{INNER}{T}{T}+)",
    # A vowel or a capital on the far side.
    "Hawai'i": rf"{T}+[aeiouyAEIOUY]{INNER}[aeiouA-Z]{A}*",
    "e'er": rf"(?i:[eno]{APOSTROPHE}er|c{APOSTROPHE}mon|[cn]{APOSTROPHE}est|s{APOSTROPHE}mores){END}",
    "'em": rf"(?i:dunkin{APOSTROPHE}|somethin{APOSTROPHE}|{APOSTROPHE}(?:em|till?|cause))",
    "'n'": rf"{APOSTROPHE}[nN](?:{APOSTROPHE}|(?=\s|$))",
    "'t is": r"(?P<t>'[tT])(?:[iI][sS]|[wW][aA][sS])",
    "'90s": rf"{APOSTROPHE}[2-9]0[sS]",
    # Before a blank.
    "'05": rf"(?P<t>{APOSTROPHE}[0-9][0-9])\s",
    # -- Words with other marks inside --
    # From an ASCII letter.
    "word.word": rf"[A-Za-z][A-Za-z0-9]*(?:\.{WORD})+",
    "word!word": rf"{WORD}(?:[.!?]{WORD})+",
    # Sees two characters more: "jan. a", but "jan.ab".
    "abbreviation": rf"(?P<t>(?:{_any_case(CAN_END_A_SENTENCE)}|[Pp][Hh]\.[Dd])\.)(?s:..)",
    # ASCII alone: "a.b-c", "3.5-x".
    "hyphens after periods": rf"(?:{ELIDED}{T}|{S})[A-Za-z0-9.,\xad]*"
    rf"(?:{HYPHEN}(?:{ELIDED}{A}{A}+|(?:[A-Za-z]\.)+[A-Za-z]\.|{S}+))+",
    "hyphens": rf"(?:{ELIDED}{A})?{A}+(?:(?:{HYPHEN}|_)(?:{ELIDED}{A}{A}+|{A}+))+",
    "slashes": r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}",
    "AT&T": r"[A-Z]+(?:(?:\+|&(?:amp;)?)[A-Z]+)+",
    "C++": r"[cC]\+\+|[cCfF]#",
    "letters and digits": rf"{A}+",
    # "dog., cat" leaves "dog.".
    "word with a period before a mark": rf"(?P<t>(?:{ELIDED})?(?:{A}+(?:[-_&]{A}+)*|{WORD}(?:\.{WORD})*)\.)[,;:]",
    # -- Periods that stay --
    # At the end of the file nothing more is seen.
    "abbreviation at the end": rf"(?:{_any_case(CAN_END_A_SENTENCE)}|[Pp][Hh]\.[Dd])\.",
    "U.S.": r"[A-Za-z](?:\.[A-Za-z])+\.",
    "U.S": r"[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])",
    # But not before the start of a sentence.
    "letter and period": rf"(?P<t>[A-Za-z]\.)(?!\s+{SENTENCE_STARTER}\s)",
    "title": rf"(?:{_any_case(TITLES)})\.",
    "no. 5": rf"(?P<t>(?:{_any_case(ABBREVIATIONS_BEFORE_NUMBERS)})\.)\s?[0-9]",
    # -- The name of a file --
    "file": rf"(?P<t>{A}+(?:\.{A}+)*\.(?i:{''.join(FILES.split())}))[\s.,!?]",
    # -- Numbers --
    "number with marks inside": rf"[-+\xb1\xad]?{D}*(?:[.,:\u2044\u066b\u066c]{D}+)+",
    "number": rf"[-+\xad]?{D}+(?:[.,:\u2044\u066b\u066c]{D}+)*",
    # With a whole number before it: a no-break space joins them.
    "fraction": r"(?:[0-9]{1,4}[- \xa0])?[0-9]{1,4}\\?/[0-9]{1,4}(?![0-9])",
    "telephone number": rf"(?:\([0-9]{{2,3}}\)[ \xa0]?|\+{{0,2}}(?:[0-9]{{2,4}}[- \xa0])?[0-9]{{2,4}}[- \xa0]){PHONE}",
    "dollar of a country": r"[A-Z]+\$",
    # -- Faces --
    "face": r"(?P<t>[<>]?[:;=][-o*']?[()DOPdp\\@|\[\]{])[^A-Za-z0-9]",
    "face with eyes closed": r"\(?['<>^=~-]_['<>^=~-]\)?",
    # -- Marks, and what stands for one: an entity, the name of a bracket --
    "name of a bracket": r"-(?i:[lr][rsc]b)-",
    "entity": r"&(?i:amp|lt|gt|quot|apos|nbsp|[mn]dash|[aeiou](?:acute|grave|uml)|#[0-9]+);",
    "two turned quotation marks": r"[\x91-\x94\xab\xbb\u2018\u2019\u201b-\u201d\u2039\u203a`]{2}",
    "superscript": r"[\u207a\u207b]?[\xb2\xb3\xb9\u2070\u2074-\u2079]+|[\u208a\u208b]?[\u2080-\u2089]+",
    "run of a mark": r"[?!]+|''|``|\\\*|\.{3,}|-{5,}|-{2,4}|_+|\*+|#+|@+|>>|<<",
}

PATTERNS = tuple(re.compile(source) for source in _SOURCES.values())
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
