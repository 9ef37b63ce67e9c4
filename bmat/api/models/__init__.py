from bmat.api.models.reports import Report

__all__ = ["Report"]
