"""Secrets and personal data are taken out of a report before anything of it is stored or logged.

`keys` knows which names announce a secret, `patterns` which texts are one by their form, `texts` applies both to a
string, `documents` to a whole JSON value. Values in, values out; scrubbing what is scrubbed changes nothing.
"""
