"""The figures, one concept a file. Each docstring has the exact formula and where it comes from.

Arrays are float64: a query a row, a model a column; no cell is NaN, because only queries that every model was measured on are compared.
"""
