"""People's SQL: what a person writes becomes one checked SELECT over the permit's rows, or is refused.

The person's text is read into a tree, every part of which must be on a list; the text that runs is written anew from
the tree and read a second time by the engine's own parser, against the same lists under the engine's names.
"""
