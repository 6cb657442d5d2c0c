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
CLOCK = r"\d{1,2}(?:[:.]\d\d)?\s*(?:[ap]\.?m\.?|AM|PM)?(?:\s*\(?(?:[ECMP][SD]?T|GMT|UTC)\)?)?"
DATE_PARTS = (
    rf"(?:{MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}\s+{MONTH},?\s+\d{{4}}|"
    r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{2,4})"
)
DATE = re.compile(
    rf"(?:(?:First\s+)?(?:Published|Posted|Updated|Last updated|Modified)(?:\s+(?:on|at))?:?\s+)?"
    rf"(?:{DAY},?\s+)?{DATE_PARTS}"
    rf"(?:,?\s*(?:at\s+|\|\s*|[-–—]\s*|T)?{CLOCK}[Z.]?)?",
    re.IGNORECASE,
)
PERSON = r"[A-Z][\w.’'-]*(?:\s+(?:[A-Z][\w.’'-]*|de|la|van|von|der|al|bin)){0,4}"
PEOPLE = rf"{PERSON}(?:(?:,\s+|,?\s+and\s+|\s+&\s+){PERSON}){{0,5}}"
BYLINE = re.compile(
    rf"(?:(?:Interview|Analysis|Commentary|Story|Text|Words)\s+)?(?:[Bb]y|BY):?\s+(?:the\s+)?{PEOPLE}(?:\s*[|/•]\s*[^.]{{2,60}}|,\s+[^.]{{2,60}})?"
    rf"|Special\s+to\s+(?:the\s+|The\s+)?[A-Z][^.!?]{{2,60}}"
    rf"|(?:{PERSON},?\s+)?(?:{PERSON}\s+)?(?:[Ss]taff|[Ss]enior|[Cc]hief|[Pp]olitical|[Nn]ational|[Ss]tatehouse)"
    r"(?:\s+[A-Z]?[a-z]+)?\s+(?:[Ww]riter|[Rr]eporter|[Cc]orrespondent)s?"
    r"|(?:--|—|–)\s*(?=[A-Z])(?:[A-Z]\.|[^.!?])+",
)
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
BARE_DATELINE = re.compile(rf"{PLACE}(?:,\s+[A-Z][a-z.]+)?(?:\s+\([A-Z][^()]{{1,40}}\))?")
CREDIT = re.compile(
    r"(?:Photos?|Photograph|Image|Illustration|Graphic|Video|Picture|Credit|PHOTO|IMAGE|CREDIT|VIDEO)"
    r"(?:\s+(?:[Bb]y|[Cc]ourtesy(?:\s+of)?|[Cc]redit|[Ii]llustration|[Vv]ia)\b:?|\s*:|\s*/)\s*\S[^\n]*"
    r"|(?:Photo|Image)s?\s+\([^()]+\)"
    r"|\(?(?:AP\s+Photo|AP|AFP|REUTERS|Reuters|Getty(?:\s+Images)?|Associated\s+Press|Shutterstock|iStock)\s*/\s*[^/\n]{2,60}\)?"
    r"|[^/\n.!?]{2,50}/\s*(?:PHOTO|Photo|AP|AFP|Getty|Reuters|REUTERS|Associated Press|Shutterstock|UPI|EPA)\b[^\n]{0,40}"
    rf"|{PERSON}\s*/\s*(?:The\s+)?{PERSON}"
    r"|(?:Screenshot|Screengrab|Screen\s+capture)(?:\s+(?:via|from|of)|\s*[:/])[^\n]*"
    r"|(?:©|\(c\)|Copyright)\s+[^\n]*",
)
COMMENTS = re.compile(
    r"(?:(?:view|show|hide|read|see|post|leave|add|load|all|your)\s+)?(?:(?:all|a|the|more|your)\s+)?"
    r"(?:\d[\d,]*\s+|no\s+)?comments?(?:\s*[(:]?\s*\d[\d,]*\s*\)?)?:?"
    r"|comments?\s+(?:are|is)\s+(?:now\s+)?(?:closed|disabled|off)\b.*|comments?\s+closed\.?"
    r"|(?:please\s+)?let\s+us\s+know\s+if\b.*\bcomment(?:s|ing)\b.*"
    r"|be\s+the\s+first\s+to\s+comment\.?|(?:sign|log)\s+in\s+to\s+(?:join|comment|post|leave).*"
    r"|join\s+the\s+(?:conversation|discussion)\.?|what\s+do\s+you\s+think\?.*\bcomments?\b.*"
    r"|leave\s+a\s+(?:comment|reply)\b.*|(?:share|tell\s+us)\s+your\s+thoughts\b.*|say\s+something\.?",
    re.IGNORECASE,
)
PROMO = re.compile(
    r"(?:(?:RELATED|READ|ALSO|MORE|SEE|SUBSCRIBERS?|PHOTOS?|VIDEOS?|WATCH|LISTEN|GALLERY|NEWSLETTER|SLIDESHOW|"
    r"CLICK|PODCAST|POLL|QUIZ|SIGN\s+UP|ADVERTISEMENT|TRENDING|INSIDE)\b[A-Z’' ]{0,40}:.+)"
    r"|(?:(?i:related(?:\s+(?:stor(?:y|ies)|articles?|content|coverage|links?|news))?|read\s+(?:more|next|also)|"
    r"see\s+also|also\s+read|recommended|newsletter|more\s+(?:from|on|in)\s+[^.:]{2,40}|watch(?:\s+(?:live|now|below))?)"
    r"\s*:.*)"
    r"|(?i:(?:sign\s+up|subscribe|click\s+here|follow\s+us|like\s+us|download\s+the|get\s+the\s+latest|"
    r"support\s+reporting|become\s+a\s+(?:member|subscriber)|share\s+this|email\s+this|print\s+this|"
    r"advertisement|story\s+continues\s+below|continue\s+reading|read\s+more|related\s+(?:stories|articles|content)|"
    r"editor['’]s\s+picks|most\s+(?:read|popular)|trending(?:\s+now)?)\b.*)"
    r"|(?:[^.!?]{0,100}[?:]\s+)?(?:(?!Reach|Follow|Contact\s+[a-z])[A-Z][^.!?]{0,80}\s)?[\w.+-]+@[\w-]+(?:\.[\w-]+)+\.?"
)  # fmt: skip
CONTINUES = (
    r"(?:(?:also|then|later|further|again|has|had|have)\s+)?(?:continued|added|went\s+on(?:\s+to\s+say)?|said|"
    r"says|wrote|writes|tweeted|posted|replied|responded|explained|concluded|declared|stated|noted|asked|"
    r"argued|told\s+\w+(?:\s+\w+){0,3})"
)
CUE = re.compile(
    rf"(?:And\s+|But\s+|Then\s+|As\s+)?(?:He|She|They|It|The\s+\w+(?:\s+\w+)?|{PERSON})\s+{CONTINUES}"
    rf"(?:\s+(?:in|on|at|to|via|of)\s+[^:.!?]{{2,40}}|\s+(?:that|later|further))?:"
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
BIO_ASKS = re.compile(
    r"(?:Follow|Reach|Contact|E-?mail|Write\s+to|Find)\s+(?:him|her|them|me|the\s+(?:author|writer|reporter)|"
    rf"{PERSON})\b.*(?:@|Twitter|Facebook|e-?mail|\bon\s+X\b|\bat\b).*"
    r"|(?:The\s+)?Associated\s+Press\s+(?:writers?|reporters?|journalists?)\b.*\bcontributed\b.*"
    r"|.*\bcontributed\s+to\s+this\s+(?:report|story|article)\.?"
)
ASKS = re.compile(r"(?:Have|Got|Do\s+you\s+have|Want|Need|Know|Spotted|Seen)\b[^.!?]*\?")
ENDS_PROSE = re.compile(r"[.!?…][\"'”’)\]]*$")
QUOTED = re.compile(r"[\"“‘'].*[\"”’']$", re.DOTALL)
