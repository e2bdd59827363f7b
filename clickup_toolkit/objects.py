"""Object storage: a workspace's files under ``s3://<bucket>/<prefix>/<team>/``, beside the local folder.

===========================  ===================================================================
object                       what it is
===========================  ===================================================================
``manifest.json``            names the version, and each other object with its size and SHA-256
``clickup-<version>.db.zst`` the database, from which the next export goes on, wherever it runs
``export.json.gz``           the JSON document, as the server would send it
``parquet/<table>/…``        the columnar files
===========================  ===================================================================

Every object is replaced whole, and the manifest last, which makes the database behind it the one to go on
from: a worker that dies before leaves newer columnar files than the manifest says, and nothing torn. What
did not change is not sent again. The caller holds the workspace's lock.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import zstandard

from clickup_toolkit.errors import StorageError

__all__ = ["Manifest", "Objects", "Stored", "filesystem", "is_address"]

_MANIFEST = "manifest.json"
_DATABASE, _PACKED = "clickup-{}.db", "clickup-{}.db.zst"
_DOCUMENT = "export.json.gz"
_STAGING = ".outgoing"
_LEVEL = 3
_TRIES = 5
_CONNECT_S, _ANSWER_S = 10, 60


class Stored(msgspec.Struct, frozen=True):
    """An object: how many bytes it has, and their SHA-256."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What the storage holds of a workspace: its version, and the objects by name."""

    version: str = ""
    objects: dict[str, Stored] = {}
    schema: int = 1


def is_address(text: str) -> bool:
    """Tell whether a data folder lies in object storage."""
    return text.startswith("s3://")


def filesystem(address: str, environ: Mapping[str, str] | None = None) -> tuple[Any, str]:
    """Return Arrow's filesystem and the path in it, for ``s3://<bucket>/<prefix>`` or a local folder.

    Key, secret and region come from the variables that every S3 client reads (``AWS_ACCESS_KEY_ID``,
    ``AWS_SECRET_ACCESS_KEY``, ``AWS_REGION``, …) or the machine's role; ``AWS_ENDPOINT_URL`` names a server
    that is not Amazon's.
    """
    from pyarrow import fs

    if not is_address(address):
        return fs.LocalFileSystem(), str(Path(address).expanduser().absolute())
    environ = os.environ if environ is None else environ
    endpoint = urlsplit(environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or "")
    elsewhere = {"endpoint_override": endpoint.netloc, "scheme": endpoint.scheme} if endpoint.netloc else {}
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    key = environ.get("AWS_ACCESS_KEY_ID")  # without one, Arrow looks at profiles and the machine's role
    storage = fs.S3FileSystem(
        access_key=key,
        secret_key=environ.get("AWS_SECRET_ACCESS_KEY") if key else None,
        session_token=environ.get("AWS_SESSION_TOKEN") if key else None,
        region=region or ("us-east-1" if elsewhere else None),
        connect_timeout=_CONNECT_S,
        request_timeout=_ANSWER_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_TRIES),
        allow_delayed_open=True,  # a small object is one request, not three
        **elsewhere,
    )
    return storage, address.removeprefix("s3://").strip("/")


class Objects:
    """The objects of the workspace ``team_id`` below ``address``.

    Every method raises :class:`~clickup_toolkit.errors.StorageError` when the storage cannot be used.
    """

    def __init__(self, address: str, team_id: str, environ: Mapping[str, str] | None = None) -> None:
        self.address = f"{address.rstrip('/')}/{team_id}"
        with self._errors("used"):
            self._fs, self._path = filesystem(self.address, environ)

    def manifest(self) -> Manifest:
        """Return what is stored; one without a version where nothing is."""
        with self._errors("read"):
            try:
                with self._fs.open_input_stream(self._place(_MANIFEST)) as file:
                    return msgspec.json.decode(file.read(), type=Manifest)
            except FileNotFoundError:
                return Manifest()

    def fetch(self, manifest: Manifest, folder: Path) -> Path:
        """Bring the database to ``folder``, whole or not at all; return its file."""
        target = folder / _DATABASE.format(manifest.version)
        aside = target.with_name(f"{target.name}.unfinished")
        with self._errors("read"):
            source = self._fs.open_input_stream(self._place(_PACKED.format(manifest.version)))
            with source, aside.open("wb") as sink:
                zstandard.ZstdDecompressor().copy_stream(source, sink)
            aside.replace(target)
        return target

    def store(
        self,
        version: str,
        database: Path,
        columnar: Path,
        document: Iterable[bytes],
        check: Callable[[], None],
    ) -> Manifest:
        """Store the files of a version; return what is stored then.

        ``columnar`` is the folder of columnar files, ``document`` the parts of the JSON document as a gzip
        body. ``check`` is called before the manifest is written, and raises when the lock is lost.
        """
        before = self.manifest()
        staging = database.parent / _STAGING
        with self._errors("written"), _emptied(staging):
            files = {
                file.relative_to(columnar.parent).as_posix(): file for file in columnar.rglob("*.parquet")
            }
            files[_PACKED.format(version)] = _packed(database, staging / "database")
            files[_DOCUMENT] = _written(document, staging / "document")
            now = Manifest(version, {name: _measured(file) for name, file in sorted(files.items())})
            for name, stored in now.objects.items():
                if before.objects.get(name) != stored:
                    self._send(files[name], name)
            check()
            with self._fs.open_output_stream(self._place(_MANIFEST)) as sink:
                sink.write(msgspec.json.encode(now))
            for name in before.objects.keys() - now.objects.keys():
                self._fs.delete_file(self._place(name))
        return now

    def _send(self, file: Path, name: str) -> None:
        with file.open("rb") as source, self._fs.open_output_stream(self._place(name)) as sink:
            shutil.copyfileobj(source, sink, 1 << 20)

    def _place(self, name: str) -> str:
        return f"{self._path}/{name}"

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except (OSError, msgspec.DecodeError, zstandard.ZstdError) as error:
            raise StorageError(
                f"The object storage {self.address} cannot be {done} ({error}).",
                "See that the bucket exists, that AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the "
                "role of the machine, may read and write there, that AWS_ENDPOINT_URL and AWS_REGION fit.",
            ) from error


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Give an empty folder for the time of the block."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _packed(database: Path, target: Path) -> Path:
    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with database.open("rb") as source, target.open("wb") as sink:
        packer.copy_stream(source, sink)
    return target


def _written(parts: Iterable[bytes], target: Path) -> Path:
    with target.open("wb") as sink:
        sink.writelines(parts)
    return target


def _measured(file: Path) -> Stored:
    with file.open("rb") as source:
        return Stored(file.stat().st_size, hashlib.file_digest(source, "sha256").hexdigest())
