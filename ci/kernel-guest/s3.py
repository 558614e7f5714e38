"""What the kernel checks need of S3: make a bucket, put objects, and tell the checksum of every object of a bucket.

Path-style requests with signature version 4, several at once, standard library only.
"""

import hashlib
import hmac
import http.client
import threading
import time
import urllib.parse
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

STREAMS = 8
TIMEOUT_SECONDS = 60
EMPTY = hashlib.sha256(b"").hexdigest()


def quote(text):
    """Percent-encoding as the signature wants it; slashes stay."""
    return urllib.parse.quote(text, safe="/-_.~")


class S3:
    """The objects of one S3 server."""

    def __init__(self, endpoint, access_key, secret_key, region="us-east-1"):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.access_key, self.secret_key, self.region = access_key, secret_key, region
        self.connections = threading.local()
        self.checksums = {}  # of objects seen before, by (bucket, key, ETag, time)

    def make_bucket(self, bucket):
        """Makes a bucket that may be there already."""
        status, body = self.request("PUT", f"/{bucket}")
        if status not in (200, 409):
            raise OSError(f"S3: no bucket {bucket}: {status} {body[:200]}")

    def put_all(self, bucket, objects):
        """Puts objects, a mapping of key to bytes."""

        def put(item):
            key, data = item
            status, body = self.request("PUT", f"/{bucket}/{key}", body=data)
            if status != 200:
                raise OSError(f"S3: cannot put {key}: {status} {body[:200]}")

        with ThreadPoolExecutor(STREAMS) as pool:
            list(pool.map(put, objects.items()))

    def objects(self, bucket):
        """A mapping of every key to the SHA-256 and the size of the bytes that a GET returns."""
        listed = list(self.list(bucket))

        def checksum(row):
            key, etag, modified, size = row
            if size == 0:
                return EMPTY, 0
            known = (bucket, key, etag, modified)
            if known not in self.checksums:
                status, body = self.request("GET", f"/{bucket}/{key}")
                if status != 200:
                    return f"GET: {status}", 0
                self.checksums[known] = hashlib.sha256(body).hexdigest(), len(body)
            return self.checksums[known]

        with ThreadPoolExecutor(STREAMS) as pool:
            return dict(zip((row[0] for row in listed), pool.map(checksum, listed)))

    def list(self, bucket):
        """Rows (key, ETag, time, size) of all objects."""
        query = {"list-type": "2", "encoding-type": "url"}
        while True:
            status, body = self.request("GET", f"/{bucket}", query)
            if status != 200:
                raise OSError(f"S3: cannot list {bucket}: {status} {body[:200]}")
            root = xml.fromstring(body)
            space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
            for row in root.iter(f"{space}Contents"):
                key, etag, modified, size = (
                    row.findtext(space + name) for name in ("Key", "ETag", "LastModified", "Size")
                )
                yield urllib.parse.unquote_plus(key), etag, modified, int(size)
            token = root.findtext(f"{space}NextContinuationToken")
            if not token:
                return
            query["continuation-token"] = token

    def request(self, method, path, query=None, body=b""):
        """Status and body of the answer to one signed request."""
        path = quote(path)
        query = "&".join(
            f"{quote(k).replace('/', '%2F')}={quote(v).replace('/', '%2F')}" for k, v in sorted((query or {}).items())
        )
        headers = self.sign(method, path, query, hashlib.sha256(body).hexdigest())
        for attempt in (1, 2):  # a kept connection may have been closed meanwhile
            connection = getattr(self.connections, "kept", None)
            if connection is None:
                connection = http.client.HTTPConnection(self.host, timeout=TIMEOUT_SECONDS)
                self.connections.kept = connection
            try:
                connection.request(method, f"{path}?{query}" if query else path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.connections.kept = None
                if attempt == 2:
                    raise

    def sign(self, method, path, query, checksum):
        """The headers of a request with signature version 4."""
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        headers = {"host": self.host, "x-amz-content-sha256": checksum, "x-amz-date": now}
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{checksum}"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
        return headers
