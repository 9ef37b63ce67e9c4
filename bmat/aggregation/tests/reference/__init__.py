"""The first version of the engine, in plain Python: what the compiled one is compared with."""
