"""Figures of the log kept beside its rows, so that a month of them is read in a blink.

    rows behind the mark → table of sums → added to `sums`, the mark moved on, in one transaction

Whoever reads adds the rows behind the mark himself: what is shown is never older than the log. Rows that come late, or from another
replica, have a higher number and are added to the hour they belong to. Sums outlive the rows: retention does not take them.
"""
