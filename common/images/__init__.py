"""Pictures from people and places nobody trusts: looked at without a decoder, decoded only in a guarded child."""
