"""Formats of one image that can only be decoded and encoded as a whole: a module each, named in ``kinds``."""
