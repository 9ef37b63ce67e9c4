"""The logs that people have, each described as data in one small file.

`registry` has all of them, `preset` says what they describe. docs/presets.md is for people.
"""
