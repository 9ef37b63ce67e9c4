"""What one would write in an afternoon: Django, DRF, Celery and dask.dataframe, and nothing else.
It answers as bmat does to who uploads and polls.
"""
