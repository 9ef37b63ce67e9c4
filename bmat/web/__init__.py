"""The page for people: one document, whose modules talk to the public API with the session. It has
no private door: what it shows, any client can ask for.
"""
