"""Check the form of an upload while it is received, before Gradio stores its files."""

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.formparsers import MultiPartException
from starlette.types import Message, Receive

FIELD = b"files"  # the only form field that Gradio takes files from
ADVICE = 'Send the photo as the form field "files", for example curl -F files=@portrait.jpg.'


class _Form:
    """The parts of a form, as far as it has been received."""

    def __init__(self, boundary: bytes) -> None:
        self.files = 0
        self._name = self._value = b""
        self._disposition = b""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_name,
                "on_header_value": self._add_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._check_part,
            },
        )

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            MultiPartException: they start a file under another name.
            FormParserError: they are no form.
        """
        self._parser.write(data)

    def _begin_part(self) -> None:
        self._disposition = b""

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _check_part(self) -> None:
        _, options = parse_options_header(self._disposition)
        is_file, named = b"filename" in options, options.get(b"name") == FIELD
        if is_file != named:
            raise MultiPartException(ADVICE)
        self.files += is_file


def checked_upload(receive: Receive, content_type: str) -> Receive:
    """Wrap the `receive` of an upload, so that it refuses forms that Gradio takes no file from.

    Gradio answers a `MultiPartException` with its sentence and status 400, and deletes what it has
    stored of the form. A body that is no form is left to Gradio.

    Args:
        receive: what the body is read from.
        content_type: the header of the request.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        return receive
    form: _Form | None = _Form(boundary)

    async def checked() -> Message:
        nonlocal form
        message = await receive()
        if form is None or message["type"] != "http.request":
            return message
        try:
            form.write(message.get("body", b""))
        except FormParserError:
            form = None
            return message
        if not message.get("more_body") and not form.files:
            raise MultiPartException(ADVICE)
        return message

    return checked
