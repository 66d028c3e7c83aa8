"""ECR by AWS's own API: tag and digest in one call, what the repository says of its tags, and a login for the rest."""

from __future__ import annotations

import base64
import fnmatch
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gitops.registry import manifest
from gitops.registry.credentials import Login
from gitops.registry.facts import CannotRead
from gitops.registry.manifest import Manifest
from gitops.registry.reference import Reference

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

_STALE = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}
_BUSY = {"ThrottlingException", "TooManyRequestsException", "ServerException", "RequestTimeout", "ServiceUnavailable"}
# Two trials beyond the first, and no wait for a byte longer than this: the deadline of a reading is 30 s.
_SETTINGS: Mapping[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}


def available() -> bool:
    """Whether boto3 is installed: the extra `aws`."""
    return find_spec("boto3") is not None


def client(reference: Reference) -> ECRClient:
    """A client for the region of `reference`, with the credentials that AWS's own chain finds."""
    import boto3
    from botocore.config import Config

    with _told(reference):
        config = Config(**_SETTINGS, use_fips_endpoint=reference.fips or None)
        return boto3.session.Session().client("ecr", region_name=reference.region, config=config)


def tagged(ecr: ECRClient, reference: Reference, tag: str, digest: str) -> tuple[Manifest | None, bool, bool]:
    """What `tag` leads to, whether `digest` is there, and whether there is such a repository at all. One call."""
    with _told(reference):
        try:
            answer = ecr.batch_get_image(
                registryId=reference.account,
                repositoryName=reference.name,
                imageIds=[{"imageTag": tag}, {"imageDigest": digest}],
                acceptedMediaTypes=list(manifest.TYPES),
            )
        except ecr.exceptions.RepositoryNotFoundException:
            return None, False, False
    for failure in answer.get("failures", []):
        if failure.get("failureCode") != "ImageNotFound":
            raise CannotRead(f"{reference.host}/{reference.name} gives no image: {failure.get('failureCode')}")
    images = answer.get("images", [])
    exists = any(image.get("imageId", {}).get("imageDigest") == digest for image in images)
    found = next((image for image in images if image.get("imageId", {}).get("imageTag") == tag), None)
    if found is None:
        return None, exists, True
    data, kind = found.get("imageManifest", "").encode(), found.get("imageManifestMediaType", "")
    place = f"{reference.host}/{reference.name}:{tag}"
    return manifest.parse(data, kind, found.get("imageId", {}).get("imageDigest"), place), exists, True


def immutable(ecr: ECRClient, reference: Reference, tag: str) -> bool | None:
    """Whether `tag` can never be moved; None where we may not know."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = ecr.describe_repositories(registryId=reference.account, repositoryNames=[reference.name])
        (told,) = answer["repositories"]
    except (BotoCoreError, ClientError, ValueError):
        return None
    mode: str = told.get("imageTagMutability", "")
    filters = [str(one.get("filter", "")) for one in told.get("imageTagMutabilityExclusionFilters", [])]
    excluded = mode.endswith("_WITH_EXCLUSION") and any(fnmatch.fnmatchcase(tag, one) for one in filters)
    return mode.startswith("IMMUTABLE") is not excluded if mode else None


def login(ecr: ECRClient, reference: Reference) -> Login:
    """A password for the registry's own protocol; it lives twelve hours."""
    with _told(reference):
        (told,) = ecr.get_authorization_token()["authorizationData"]
    try:
        user, _, secret = base64.b64decode(told["authorizationToken"], validate=True).decode().partition(":")
    except (KeyError, ValueError):
        raise CannotRead(f"AWS gives no login for {reference.host} that could be used") from None
    return Login(user, secret)


@contextmanager
def _told(reference: Reference) -> Iterator[None]:
    """AWS's errors as one sentence each; none repeats AWS's own text, which names people and keys."""
    from botocore import exceptions

    try:
        yield
    except exceptions.ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _STALE:
            raise CannotRead(f"the AWS credentials for {reference.host} have expired or are not valid") from None
        if code in _BUSY or status >= 500 or status == 429:
            raise CannotRead(f"ECR in {reference.region} answers {code or status}", passing=True) from None
        if code.startswith("AccessDenied"):
            verb = error.operation_name
            who = f"may not ecr:{verb} on {reference.name} in account {reference.account}"
            raise CannotRead(f"these AWS credentials {who}") from None
        raise CannotRead(f"ECR in {reference.region} answers {code or status}") from None
    except exceptions.SSLError:
        raise CannotRead(f"the certificate of ECR in {reference.region} is not to be trusted") from None
    except (exceptions.ConnectionError, exceptions.HTTPClientError):
        raise CannotRead(f"no answer from ECR in {reference.region}", passing=True) from None
    except (exceptions.BotoCoreError, RuntimeError):  # RuntimeError: botocore's, for credentials that are out of date
        raise CannotRead(
            f"there are no AWS credentials to read {reference.host} with, or they are out of date"
        ) from None
