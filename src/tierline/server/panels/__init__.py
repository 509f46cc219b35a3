"""What the dashboard asks: one file for each of its pages, each with its handlers and its `Routes`.

They are endpoints like any other, under `/admin/`, for keys with the scope `read` (looking) or `admin` (doing).
"""
