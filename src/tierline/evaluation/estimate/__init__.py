"""The worksheet of a spec and what comes of it: expected cost, latency, quality and risk of every task, as ranges, for several policies.

source.py       where a number came from: measured, assumed, catalogue or config
number.py       a number, how far it may be off, and its source
worksheet.py    the rows that a team fills in
evidence.py     what is known beside the spec: a log, a table of answers, a filled-in sheet, requests
worksheet_of    spec and evidence → rows                                              fill.py
estimate        rows, spec and evidence → policies side by side, savings, what moves them     estimate.py
"""
