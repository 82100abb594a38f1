"""Finding registered models and versions with MLflow's own filters and orders."""

from typing import TypeVar

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.prompt.registry_utils import add_prompt_filter_string
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry import (
    SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT,
    SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD,
    SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT,
    SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD,
)
from mlflow.utils.search_utils import (
    SearchModelUtils,
    SearchModelVersionUtils,
    SearchUtils,
)

_STAMP = "last_updated_timestamp"
_STAMPS = SearchUtils.VALID_TIMESTAMP_ORDER_BY_KEYS  # two names of one thing
_NEWEST = ["last_updated_timestamp DESC", "name ASC", "version_number DESC"]
T = TypeVar("T")


def registered_models(
    every: list[RegisteredModel],
    filter_string: str | None,
    max_results: int | None,
    order_by: list[str] | None,
    page_token: str | None,
) -> PagedList[RegisteredModel]:
    """One page of the registered models among `every` that a filter means."""
    if max_results is None:
        max_results = SEARCH_REGISTERED_MODEL_MAX_RESULTS_DEFAULT
    _check(
        max_results,
        SEARCH_REGISTERED_MODEL_MAX_RESULTS_THRESHOLD,
        "Invalid value for request parameter max_results.",
    )
    order = [
        (_STAMP if key in _STAMPS else key, ascending)
        for key, ascending in map(_key, order_by or [])
    ]
    _check_once([key for key, _ in order], order_by)
    wanted = add_prompt_filter_string(filter_string, is_prompt=False)
    found = SearchModelUtils.filter(every, wanted)
    clauses = [f"{key} {'ASC' if ascending else 'DESC'}" for key, ascending in order]
    return page(SearchModelUtils.sort(found, clauses), max_results, page_token)


def model_versions(
    every: list[ModelVersion],
    filter_string: str | None,
    max_results: int | None,
    order_by: list[str] | None,
    page_token: str | None,
) -> PagedList[ModelVersion]:
    """One page of the versions among `every` that a filter means."""
    if max_results is None:
        max_results = SEARCH_MODEL_VERSION_MAX_RESULTS_DEFAULT
    _check(
        max_results,
        SEARCH_MODEL_VERSION_MAX_RESULTS_THRESHOLD,
        "Invalid value for max_results.",
    )
    clauses = order_by or _NEWEST
    _check_once([_key_of_version(clause) for clause in clauses], clauses)
    wanted = add_prompt_filter_string(filter_string, is_prompt=False)
    found = SearchModelVersionUtils.filter(every, wanted)
    return page(SearchModelVersionUtils.sort(found, clauses), max_results, page_token)


def _check(max_results: object, most: int, wrong: str) -> None:
    if not isinstance(max_results, int) or not 1 <= max_results <= most:
        message = (
            f"{wrong} It must be a positive integer of at most {most}, "
            f"but got value {max_results}"
        )
        raise MlflowException(message, INVALID_PARAMETER_VALUE)


def _key(clause: str) -> tuple[str, bool]:
    """What to order registered models by, and whether upwards."""
    key, ascending = SearchUtils.parse_order_by_for_search_registered_models(clause)
    return key, ascending


def _key_of_version(clause: str) -> str:
    found = SearchModelVersionUtils.parse_order_by_for_search_model_versions(clause)
    return str(found[1])


def _check_once(keys: list[str], order_by: list[str] | None) -> None:
    if len(keys) != len(set(keys)):
        message = f"`order_by` contains duplicate fields: {order_by}"
        raise MlflowException(message, INVALID_PARAMETER_VALUE)


def page(found: list[T], size: int, token: str | None) -> PagedList[T]:
    """The page of `found` that starts where `token` says."""
    start = SearchUtils.parse_start_offset_from_page_token(token)
    end = start + size
    following = SearchUtils.create_page_token(end) if end < len(found) else None
    return PagedList(found[start:end], following)
