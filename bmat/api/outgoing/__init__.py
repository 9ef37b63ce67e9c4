"""Requests that the service sends to addresses which its users have named: which ones it may reach,
and one request with bounds on its time and on what is read of the answer.
"""
