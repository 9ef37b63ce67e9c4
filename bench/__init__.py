"""Side-by-side measurements of bmat and its peers: `python -m bench`."""
