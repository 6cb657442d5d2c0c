"""What the lines of a page look like that are not an article's prose: patterns for :mod:`furniture`.

Each is matched against a whole line of at most LONGEST code points, or (LEADING_BYLINE, DATELINE) at the
beginning of one. They were written on the given articles and the sample, and checked on news of seven
outlets for prose that they would take.
"""

import re

LONGEST = 240  # code points: a longer line is prose, whatever it begins with

MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
DAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thur?s?|Fri|Sat(?:ur)?|Sun)(?:day|\.)?)"
CLOCK = r"\d{1,2}(?:[:.]\d\d){0,2}\s*(?:[ap]\.?m\.?|AM|PM)?(?:\s*\(?(?:[ECMP][SD]?T|GMT|UTC)\)?|Z)?"
DATE_PARTS = (
    rf"(?:{MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}\s+{MONTH},?\s+\d{{4}}|"
    r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4})"
)
STAMP = (
    rf"(?:(?:First\s+)?(?:Published|Posted|Updated|Last updated|Modified)(?:\s+(?:on|at))?:?\s+)?"
    rf"(?:{CLOCK},?\s+)?(?:{DAY},?\s+)?{DATE_PARTS}(?:,?\s*(?:at\s+|\|\s*|[-–—]\s*|T)?{CLOCK})?\.?"
)
DATE = re.compile(rf"{STAMP}(?:\s*[|•·/;,–—-]?\s*{STAMP})?", re.IGNORECASE)
UPPER = "A-ZÀ-ÖØ-Þ"
PERSON = rf"[{UPPER}][\w.’'-]*(?:\s+(?:[{UPPER}][\w.’'-]*|de|la|van|von|der|al|bin)){{0,4}}"
PEOPLE = rf"{PERSON}(?:(?:,\s+|,?\s+and\s+|\s+&\s+){PERSON}){{0,5}}"
BYLINE = re.compile(
    rf"(?:(?:Interview|Analysis|Commentary|Story|Text|Words|Written|Reported)\s+)?(?:[Bb]y|BY|BYLINE):?\s+(?:the\s+)?{PEOPLE}"
    r"(?:\s*[|/•]\s*(?:[^.]{2,60}|[\w.+-]+@[\w.-]+)|,\s+[^.!?]{2,60}|\s+\([^().]{2,60}\)|\s+@\w+"
    rf"|\s+(?:for|of)\s+(?:the\s+)?{PERSON})?\.?"
    r"|Special\s+to\s+(?:the\s+|The\s+)?[A-Z][^.!?]{2,60}"
    rf"|(?:{PERSON},?\s+)?(?:{PERSON}\s+)?(?:[Ss]taff|[Ss]enior|[Cc]hief|[Pp]olitical|[Nn]ational|[Ss]tatehouse)"
    r"(?:\s+[A-Z]?[a-z]+)?\s+(?:[Ww]riter|[Rr]eporter|[Cc]orrespondent)s?"
    r"|(?:--|—|–)\s*(?=[A-Z])(?:[A-Z]\.|[^.!?])+",
)
# Names alone are a by-line where a date follows them: of two words, lest a headline be taken for one.
NAME = rf"[{UPPER}][\w’'-]+\s+(?:[{UPPER}]\.\s+)?(?:de\s+|van\s+|von\s+)?[{UPPER}][\w’'-]+"
BARE_BYLINE = re.compile(
    rf"{NAME}(?:,?\s+and\s+{NAME}|,\s+{NAME}){{0,3}}(?:,\s+(?:The\s+)?{PERSON})?"
)
OUTLET = re.compile(rf"The(?:\s+[{UPPER}][\w’'&.-]*){{1,4}}")
AGENCY = re.compile(
    r"(?:[A-Z][\w’'&.-]*\s+){1,5}(?:News\s+)?(?:Service|Press|Agency|Wire|Network|Bureau)"
    r"|(?:Reuters|Associated Press|The Associated Press|AP|AFP|UPI|Bloomberg)"
)
LEADING_BYLINE = re.compile(
    rf"\((?:By\s+)?{PEOPLE},\s+[A-Z][^()\n]{{1,60}}\)(?=\s+[A-Z“\"‘'])|\(By\s+{PEOPLE}\)(?=\s+[A-Z“\"‘'])"
)
PLACE = r"(?:[A-Z][A-Z.’'-]+)(?:[ -][A-Z][A-Z.’'-]+){0,3}"
DATELINE = re.compile(
    rf"{PLACE}(?:,\s+[A-Z][A-Za-z.]+(?:\s+[A-Z][a-z.]+)?)?(?:,?\s+{MONTH}\s+\d{{1,2}})?"
    r"(?:\s*\([A-Z][^()\n]{1,40}\))?\s*(?:[—–]|--|-(?=\s))(?=\s*[A-Z“\"‘'0-9$])"
)
BARE_DATELINE = re.compile(
    rf"(?!ABSTRACT|FULL|CORRECTION|LETTERS){PLACE}(?:,\s+[A-Z][a-z.]+)?(?:\s+\([A-Z][^()]{{1,40}}\))?"
)
AGENCIES = r"(?:AP\s+Photo|AP|AFP|REUTERS|Reuters|Getty(?:\s+Images)?|Associated\s+Press|Shutterstock|iStock)"
SENTENCE = (
    r"(?!\s*[a-z][^\n]*\.$)"  # what follows a label in a sentence is small, and ends in a stop
)
CREDIT = re.compile(
    r"\(?(?:(?:Staff\s+|File\s+)?(?:Photos?|photos?|Photograph|Image|Illustration|Graphic|Video|Picture|Credit|PHOTO|IMAGE|CREDIT|VIDEO)"
    r"(?:\s+(?:illustration\s+)?(?:[Bb]y|[Cc]ourtesy(?:\s+of)?|[Cc]redit|[Ii]llustration|[Vv]ia)\b:?"
    rf"(?=\s+(?:the\s+)?[{UPPER}@])|\s*:{SENTENCE}|\s*/)\s*\S[^\n]*"
    r"|(?:File|Courtesy|Contributed|Staff|Handout|Submitted)\s+[Pp]hotos?|Courtesy\s+of\s+[^\n.]{2,60}"
    r"|(?:Photo|Image)s?\s+\([^()]+\)"
    rf"|{AGENCIES}\s*/\s*[^/\n]{{2,60}}|[^/\n.!?]{{2,40}}\s+via\s+{AGENCIES}\.?|(?:Getty(?:\s+Images)?|Shutterstock|iStock)\.?"
    r"|[Hh]/[Tt]:?\s+[^\n]{2,60}"
    r"|[^/\n.!?()]{2,50}/\s*(?:PHOTO|Photo|AP|AFP|Getty|Reuters|REUTERS|Associated Press|Shutterstock|UPI|EPA|STAFF|Staff)\b[^\n]{0,40}"
    rf"|{PERSON}\s*/\s*(?:[Ff]or\s+)?(?:The\s+)?{PERSON}"
    r"|(?:Screenshot|Screengrab|Screen\s+capture)(?:\s+(?:via|from|of)|\s*[:/])[^\n]*)\)?"
    rf"|(?:©|\(c\)|Copyright(?=\s+(?:©|\(c\)|\d|[{UPPER}])))\s+[^\n]*",
)
IN_BRACKETS = re.compile(r"(?s:.*)[.!?][\"”’]?\s(\([^()]{3,60}\))")  # a caption with its credit
COMMENTS = re.compile(
    r"(?:(?:view|show|hide|read|see|post|leave|add|load|all|your)\s+)?(?:(?:all|a|the|more|your)\s+)?"
    r"(?:\d[\d,]*\s+|no\s+)?comments?(?:\s*[(:]?\s*\d[\d,]*\s*\)?)?:?"
    r"|comment(?:s|ing)?\s+(?:are|is|have\s+been|has\s+been)\s+(?:now\s+)?(?:closed|disabled|off|turned\s+off|moderated)\b.*"
    r"|comments?\s+closed\.?|this\s+(?:article|story|post)\s+is\s+closed\s+to\s+comments?\.?"
    r"|(?:please\s+)?let\s+us\s+know\s+if\b.*\bcomment(?:s|ing)\b.*"
    r"|be\s+the\s+first\s+to\s+comment\.?|(?:sign|log)\s+in\s+to\s+(?:join|comment|post|leave).*"
    r"|join\s+the\s+(?:conversation|discussion)\.?|conversation\s*\(\d+\)"
    r"|(?:what\s+do\s+you\s+think\?\s+.*|we\s+welcome\s+your\s+.*)\b(?:in\s+the|leave|post|share|your|a)\s+comments?\b.*"
    r"|we\s+welcome\s+your\s+comments?\b.*"
    r"|leave\s+a\s+(?:comment|reply)\b.*|(?:share|tell\s+us)\s+your\s+thoughts\b.*|say\s+something(?:…|\.\.\.)?",
    re.IGNORECASE,
)
PROMO = re.compile(
    r"(?:(?:RELATED|READ|ALSO|MORE|SEE|SUBSCRIBERS?|PHOTOS?|VIDEOS?|WATCH|LISTEN|GALLERY|NEWSLETTER|SLIDESHOW|"
    r"CLICK|PODCAST|POLL|QUIZ|SIGN\s+UP|ADVERTISEMENT|TRENDING|INSIDE)\b[A-Z’' ]{0,40}:.+)"
    r"|[\[(\"“]?(?:(?i:related(?:\s+(?:stor(?:y|ies)|articles?|content|coverage|links?|news))?|read\s+(?:more|next|also)|more|also|"
    r"see\s+also|also\s+read|recommended|newsletter|full\s+coverage|don['’]t\s+miss|more\s+(?:from|on|in)\s+[^.:]{2,40}|"
    rf"watch(?:\s+(?:live|now|below))?)\s*:){SENTENCE}.*"
    r"|(?i:sign\s+up(?:\s+(?:for|to|here|now|today|below|free)\b.*)?|subscribe(?:\s+(?:to\s+(?:our|the|this)|here|now|today|for)\b.*)?|"
    r"click\s+here\b.*|(?:follow|like)\s+us(?:\s+(?:on|at)\b.*)?|download\s+(?:the|our)\b.*\bapp\b.*|get\s+the\s+latest\b.*|"
    r"support\s+(?:local\s+|our\s+|independent\s+)?(?:reporting|journalism)\b.*|become\s+a\s+(?:member|subscriber)\b.*|"
    r"(?:share|email|print)\s+this(?:\s+(?:article|story|page|post|link))?(?:\s+(?:on|via)\b.*)?|advertisement(?:\s*[-–—:].*)?|"
    r"(?:story|article|content)\s+continues\s+(?:below|after)\b.*|continue\s+reading(?:\s+(?:the|this|below|here|on|at)\b.*)?|"
    r"read\s+more(?:\s+(?:about|on|at|from|in|of|here|coverage|stories|news)\b.*)?|listen\s+to\s+this\s+(?:article|story)|"
    r"(?:related|recommended)\s+(?:stories|articles|content|coverage|for\s+you)|you\s+may\s+also\s+like|what\s+to\s+read\s+next|"
    r"this\s+(?:article|story|report|post)\s+(?:(?:originally|first)\s+appeared|was\s+(?:originally|first)\s+published)\b.*|"
    r"(?:get|have)\s+.*\bin\s+your\s+inbox\b.*|"
    r"editor['’]s\s+picks|most\s+(?:read|popular)(?:\s+(?:stories|articles|in|on)\b.*)?|trending(?:\s+now)?)[.!:…»>]*"
    r"|(?![Bb]y\s|BY\s)(?:[^.!?]{0,100}[?:]\s+)?(?:(?!Reach|Follow|Contact\s+[a-z])[A-Z][^.!?]{0,80}\s)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+\.?"
)  # fmt: skip
CONTINUES = (
    r"(?:(?:also|then|later|further|again|has|had|have)\s+)?(?:continued|added|went\s+on(?:\s+to\s+say)?|said|"
    r"says|wrote|writes|tweeted|posted|replied|responded|explained|concluded|declared|stated|noted|asked|"
    r"argued|told\s+\w+(?:\s+\w+){0,3})"
)
CUE = re.compile(
    rf"(?:And\s+|But\s+|Then\s+|As\s+)?(?:He|She|They|It|The\s+\w+(?:\s+\w+)?|{PERSON})\s+{CONTINUES}"
    rf"(?:\s+(?:in|on|at|to|via|of)\s+[^:.!?]{{2,40}}|\s+(?:that|later|further))?:"
    r"|According\s+to\s+[^:.!?]{2,60}:|The\s+\w+\s+(?:reads?|states):"
    rf"|In\s+(?:a|an|his|her|their|its)\s+[^:.!?,]{{2,40}},\s+(?:he|she|they|{PERSON})\s+{CONTINUES}:"
)
ROLE = (
    r"(?:reporter|writer|editor|columnist|correspondent|journalist|author|fellow|professor|contributor|producer|"
    r"host|anchor|director|president|founder|intern|blogger|analyst|attorney|lawyer|strategist|consultant|"
    r"lecturer|student|machinist|teacher|historian|physician|contributing\s+\w+)"
)
BIO_SUBJECT = re.compile(rf"{PERSON}(?:,[^,]{{2,60}},)?\s+(?=[a-z])")
BIO_SAYS = re.compile(
    rf"(?:is|was|are)\s+(?:(?:an?|the|our|[A-Z][\w’'.]+['’]s?)\s+)?(?:[\w’'.-]+\s+){{0,6}}{ROLE}s?\b"
    r"|(?:covers|reports\s+(?:on|for|from)|writes\s+(?:about|for|on|a)|contributed\s+to|has\s+covered|blogs\s+(?:at|for))\b"
    r"|(?:can\s+be\s+(?:reached|followed)|tweets\s+at|lives\s+in|teaches)\b",
)
PRONOUN = re.compile(r"(?:He|She|They|His|Her|Their)\b")
BIO_GOES_ON = re.compile(
    rf"(?:He|She|They)\s+(?:{BIO_SAYS.pattern})|(?:E-?mail|Twitter|X|Phone)\b.*|.*@.*"
)
BIO_ASKS = re.compile(
    r"About\s+the\s+(?:author|writer)\b.*|"
    r"(?:Follow|Reach|Contact|E-?mail|Write\s+to|Find)\s+(?:him|her|them|me|the\s+(?:author|writer|reporter)|"
    rf"{PERSON})\b.*(?:@|Twitter|Facebook|e-?mail|\bon\s+X\b|\bat\b).*"
    r"|(?:The\s+)?Associated\s+Press\s+(?:writers?|reporters?|journalists?)\b.*\bcontributed\b.*"
    r"|.*\bcontributed\s+to\s+this\s+(?:report|story|article)\.?"
)
ASKS = re.compile(r"(?:Have|Got|Do\s+you\s+have|Want|Need|Know|Spotted|Seen)\b[^.!?]*\?")
# A short sentence, unlike a headline: a word in it is small, and the last one is no abbreviation.
SHORT_PROSE = re.compile(
    r"\S+\s+(?:.*\s)?(?!(?:and|the|for|but|nor|with|from|over|into|than|that|after|upon|amid)\b)[a-z]{3,}\b.*"
    r"[a-z0-9][\"”’)]{0,2}\.[\"”’)]{0,2}|\S+\s+(?:.*\s)?[a-z]{3,}\.[\"”’)]{0,2}"
)
ENDS_PROSE = re.compile(r"[.!?…][\"'”’)\]]*$")
QUOTED = re.compile(r"[\"“‘'].*[\"”’']$", re.DOTALL)
