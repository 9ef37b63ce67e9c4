"""Why a question about a result has no answer. Each error has a stable `code`."""


class ResultsError(Exception):
    """A question that is not answered; its text is for a person."""

    code = "results_error"


class NoResult(ResultsError):
    """The file holds no totals as bmat writes them."""

    code = "no_result"


class NotInKey(ResultsError):
    """The question names a field that is none of the key; `field` is the question's."""

    code = "not_in_key"

    def __init__(self, field: str, key: list[str]) -> None:
        super().__init__(f"This result has no such column: its totals are by {', '.join(key)}.")
        self.field = field


class OtherKey(ResultsError):
    """Two results whose totals are by other fields, or by the same ones in another order."""

    code = "other_key"

    def __init__(self, later: list[str], earlier: list[str]) -> None:
        super().__init__(
            f"That report's totals are by {', '.join(earlier)}, and those of this one by "
            f"{', '.join(later)}: only totals by the same columns can be compared."
        )


class NotConverted(ResultsError):
    """The result is asked as Parquet only, and has none yet: see `convert`."""

    code = "not_converted"


class TooSlow(ResultsError):
    """The answer was not found within the seconds that it may take."""

    code = "question_too_slow"


class TooLarge(ResultsError):
    """The answer needs more memory than it may have."""

    code = "question_too_large"
