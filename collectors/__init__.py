"""Readers of foreign material: each turns one kind of it into records on the spool.

There is none yet; the package keeps their place in the layers.
"""
