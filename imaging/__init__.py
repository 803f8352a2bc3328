"""Validate untrusted images, remove their metadata and render smaller ones.

`structure` parses formats without a decoder. `sandbox` decodes in a child process. Sizes and limits are arguments.
"""
