"""Features: facts about one request, taken from its text in one pass.

reading      one walk over the request: system prompt, the user's own words, media, tool results
boilerplate  what agents inject is cut out of the user's words
tokens       characters → tokens in           expected     work and wishes → tokens out
scan         everything that is looked for    keywords     whole words, many at once
lexicon      the built-in words               structure    code, lists, formulas
operation    kinds of work                    complexity   the sum of named parts
needs        capabilities                     language     from script and common words
fingerprint  digests                          extractor    all of it, in order
"""

from tierline.routing.extract.extractor import Extractor

__all__ = ["Extractor"]
