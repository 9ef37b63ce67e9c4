"""Why a question about a result has no answer. Each error has a stable `code`."""


class ResultsError(Exception):
    """A question that is not answered; its text is for a person."""

    code = "results_error"


class NotConverted(ResultsError):
    """The result is asked as Parquet only, and has none yet: see `convert`."""

    code = "not_converted"


class TooSlow(ResultsError):
    """The answer was not found within the seconds that it may take."""

    code = "question_too_slow"


class TooLarge(ResultsError):
    """The answer needs more memory than it may have."""

    code = "question_too_large"
