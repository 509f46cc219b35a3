"""The sections of the page, one a file: each takes the document and gives a section, or says why there is none."""
