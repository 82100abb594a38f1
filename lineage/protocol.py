"""What a server and its clients both say: the API's address, what stands in headers."""

API = "/api/v1"  # below which programs ask
BEARER = "lin_"  # what every token begins with
REQUEST = "Idempotency-Key"  # names a request, which is done once
OFFSET, LENGTH = "Upload-Offset", "Upload-Length"  # of a piece, and of its whole file
PIECE = "application/offset+octet-stream"  # the type of a piece
