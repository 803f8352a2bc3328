"""Pictures from strangers: what they are, the same without metadata, and smaller ones of them.

`structure` reads bytes and runs no decoder; `guard` has a child process decode. Sizes and limits are arguments.
"""
