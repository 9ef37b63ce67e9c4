"""Why a download is refused that is there."""

from rest_framework.exceptions import APIException


class PreconditionFailed(APIException):
    """`If-Match` or `If-Unmodified-Since` mean another file."""

    status_code = 412
    default_detail = "The file is not the one that If-Match or If-Unmodified-Since mean."
    default_code = "precondition_failed"


class RangeNotSatisfiable(APIException):
    """The range begins behind the end of the file, whose size in bytes is `size`."""

    status_code = 416
    default_detail = "The file has fewer bytes: ask for a range that begins before its end."
    default_code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes: ask for a range that begins before its end.")
        self.size = size


class NoRoomForFormat(APIException):
    """The disk is too full to write the file."""

    status_code = 507
    default_detail = "There is no room to write this format at the moment. CSV can still be had."
    default_code = "no_room_for_format"
