"""SQL text of pseudonyms, by source. Nothing is run here.

A *judged* relation holds every landed row of a table once, with the columns of its pseudonymised table and ``_left``:
NULL when the row crosses, otherwise the reason why it stays (model.LeftBehind).
"""
