"""What schemathesis doesn't know by itself: how lines of records are written."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
class Lines:
    def as_requests(self, ctx, value):
        return {"data": value if isinstance(value, (str, bytes)) else json.dumps(value) + "\n"}

    def as_werkzeug(self, ctx, value):
        return self.as_requests(ctx, value)


try:
    @schemathesis.serializer("application/x-ndjson")
    def lines(ctx, value):
        return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"
except TypeError:
    pass
