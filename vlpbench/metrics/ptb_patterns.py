"""What a token can look like to the Penn Treebank tokenizer of caption scoring: one pattern a kind, the longest wins.

Found by feeding strings to the Java program that pycocoevalcap ships and looking at what came out. A pattern may look
ahead: what it sees beyond its group `t` counts for its length but belongs to the next token, which is how "don't" is
"do" and "n't". Of equally long ones the first in the list wins.
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

_SOURCES = (
    # Markup, addresses.
    r"</?[A-Za-z][\w:.-]*(?:[ \xa0]+[A-Za-z][\w:.-]*(?:[ \xa0]*=[ \xa0]*(?:\"[^\"]*\"|'[^']*'))?)*[ \xa0]*/?>",
    r"<[!?][A-Za-z-][^>]*>",
    rf"(?i:https?)://{URL}+{URL_END}",
    r"(?i:www)\.(?:[^\s\"<>|(),.!?]+\.)+[A-Za-z]{2,4}(?:/[^ \t\"<>|()]+" + URL_END + ")?",
    rf"(?:{HOST}\.)+{DOMAIN}(?:/[^ \t\"<>|()]+{URL_END})?",
    rf"<?[A-Za-z0-9](?:{MAIL}|\.)*@(?:{MAIL}+\.)*{MAIL}+>?",
    r"@[A-Za-z_][A-Za-z_0-9]*",
    rf"#{L}+",
    # Words, alone and before their clitic.
    rf"(?P<t>{L}+|[A-Za-z][A-Za-z0-9]*(?:\.{WORD})+){CLITIC}",
    rf"(?P<t>{L}+){APOSTROPHE}(?i:re|ve|ll)\Z",
    rf"(?P<t>[A-Za-z\xad]*?[A-MO-Za-mo-z\xad])[nN]{INNER}[tT]",
    rf"[nN]{INNER}[tT]{L}*",
    rf"(?P<t>{L}+){APOSTROPHE}[nN](?=[\s'\u2019]|$)",
    rf"(?P<t>(?i:can))(?i:not)(?!{L})(?:{CLITIC})?",
    rf"(?P<t>(?i:gon(?=na)|wan(?=na)|got(?=ta)|lem(?=me)|gim(?=me)))(?i:na|ta|me)(?!{L})",
    WORD,
    rf"(?P<t>{APOSTROPHE}(?i:re|ve|ll))[^A-Za-z]",
    rf"{APOSTROPHE}[sSmMdD](?![A-Za-z])",
    r"[\u2019\x92](?i:s|m|d|re|ve|ll|n)",
    # Words with an apostrophe inside.
    rf"[dDlLjJ]{APOSTROPHE}",
    rf"(?P<t>[yYj]{APOSTROPHE})(?!(?i:s|m|d|ll|re|ve)){L}+",
    rf"{ELIDED}{A}{A}+",
    rf"[A-HJ-XZ]{INNER}{T}{A}+|n{INNER}{T}{T}+",
    rf"{T}+[aeiouyAEIOUY]{INNER}[aeiouA-Z]{A}*",
    rf"(?i:[eno]{APOSTROPHE}er|c{APOSTROPHE}mon|[cn]{APOSTROPHE}est|s{APOSTROPHE}mores){END}",
    rf"(?i:[nN]at{APOSTROPHE}l){END}|(?i:ol{APOSTROPHE}|li{APOSTROPHE}l|cap{APOSTROPHE}n|ev{APOSTROPHE}ry)",
    rf"(?i:dunkin{APOSTROPHE}|somethin{APOSTROPHE}|{APOSTROPHE}(?:em|till?|cause))",
    rf"{APOSTROPHE}[nN](?:{APOSTROPHE}|(?=\s|$))",
    r"(?P<t>'[tT])(?:[iI][sS]|[wW][aA][sS])",
    rf"{APOSTROPHE}[2-9]0s",
    rf"(?P<t>{APOSTROPHE}[0-9][0-9])\s",
    # Words with other marks inside.
    rf"[A-Za-z][A-Za-z0-9]*(?:\.{WORD})+",
    rf"{WORD}(?:[.!?]{WORD})+",
    rf"(?P<t>(?:{_any_case(CAN_END_A_SENTENCE)}|[Pp][Hh]\.?[Dd])\.)(?s:..)",
    rf"(?:{ELIDED}{T}|{S})[A-Za-z0-9.,\xad]*(?:{HYPHEN}(?:{ELIDED}{A}{A}+|(?:[A-Za-z]\.)+[A-Za-z]\.|{S}+))+",
    rf"(?:{ELIDED}{A})?{A}+(?:(?:{HYPHEN}|_)(?:{ELIDED}{A}{A}+|{A}+))+",
    r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}(?:\\?/[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}){1,2}",
    r"[A-Z]+(?:(?:\+|&(?:amp;)?)[A-Z]+)+",
    r"[cC]\+\+|[cCfF]#",
    rf"{A}+",
    rf"(?P<t>(?:{ELIDED})?(?:{A}+(?:[-_&]{A}+)*|{WORD}(?:\.{WORD})*)\.)[,;:]",
    # Periods that stay.
    rf"(?:{_any_case(CAN_END_A_SENTENCE)}|[Pp][Hh]\.?[Dd])\.",
    r"[A-Za-z](?:\.[A-Za-z])+\.",
    r"[A-Za-z](?:\.[A-Za-z])+(?![A-Za-z])",
    rf"(?P<t>[A-Za-z]\.)(?!\s+{SENTENCE_STARTER}\s)",
    rf"(?:{_any_case(TITLES)})\.",
    rf"(?P<t>(?:{_any_case(ABBREVIATIONS_BEFORE_NUMBERS)})\.)\s?[0-9]",
    # The name of a file.
    rf"(?P<t>{A}+(?:\.{A}+)*\.(?i:{''.join(FILES.split())}))[\s.,!?]",
    # Numbers.
    rf"[-+\xb1\xad]?{D}*(?:[.,:\u2044\u066b\u066c]{D}+)+",
    rf"[-+\xad]?{D}+(?:[.,:\u2044\u066b\u066c]{D}+)*",
    r"(?:[0-9]{1,4}[- \xa0])?[0-9]{1,4}\\?/[0-9]{1,4}(?![0-9])",
    rf"(?:\([0-9]{{2,3}}\)[ \xa0]?|\+{{0,2}}(?:[0-9]{{2,4}}[- \xa0])?[0-9]{{2,4}}[- \xa0]){PHONE}",
    r"[A-Z]+\$",
    # Faces.
    r"(?P<t>[<>]?[:;=][-o*']?[()DOPdp\\@|\[\]{])[^A-Za-z0-9]",
    r"\(?['<>^=~-]_['<>^=~-]\)?",
    # Marks, and what stands for one: an entity, the name of a bracket.
    r"-(?i:[lr][rsc]b)-",
    r"&(?i:amp|lt|gt|quot|apos|nbsp|[mn]dash|[aeiou](?:acute|grave|uml)|#[0-9]+);",
    r"[\x91-\x94\xab\xbb\u2018\u2019\u201b-\u201d\u2039\u203a`]{2}",
    r"[\u207a\u207b]?[\xb2\xb3\xb9\u2070\u2074-\u2079]+|[\u208a\u208b]?[\u2080-\u2089]+",
    r"[?!]+|''|``|\\\*|\.{3,}|-{5,}|-{2,4}|_+|\*+|#+|@+|>>|<<",
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
