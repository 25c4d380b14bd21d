"""Readers of foreign material: each turns one kind of it into records, which go to the ledger by the spool.

A new kind is a file here, named after what it reads, and a line in `formats.py`.
"""
