"""Beam's options say what they always said, although each view of them is made once."""

import copy
import pickle

from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
    TypeOptions,
)

from pipelines.options import Options

FLAGS = ("--runner=PrismRunner", "--experiments=one", "--nonsense=kept")


def test_each_view_is_made_once() -> None:
    options = Options(list(FLAGS))
    assert options.view_as(DebugOptions) is options.view_as(DebugOptions)
    assert options.view_as(StandardOptions).runner == "PrismRunner"


def test_what_one_view_is_told_all_others_say() -> None:
    options, usual = Options(list(FLAGS), streaming=True), PipelineOptions(list(FLAGS), streaming=True)
    for each in (options, usual):
        each.view_as(StandardOptions).runner = "FlinkRunner"
        each.view_as(DebugOptions).view_as(StandardOptions).no_wait_until_finish = True
        each.view_as(DebugOptions).add_experiment("another")
        each.view_as(TypeOptions).pipeline_type_check = False
    assert options.view_as(StandardOptions).no_wait_until_finish is True
    assert options.get_all_options(retain_unknown_options=True) == usual.get_all_options(retain_unknown_options=True)


def test_a_copy_has_its_own_values() -> None:
    options = Options(list(FLAGS))
    options.view_as(StandardOptions).runner = "FlinkRunner"
    for other in (copy.deepcopy(options), pickle.loads(pickle.dumps(options))):  # noqa: S301 - it was written here
        assert other.view_as(StandardOptions).runner == "FlinkRunner"
        other.view_as(StandardOptions).runner = "PrismRunner"
        assert other.view_as(StandardOptions).runner == "PrismRunner"
        assert options.view_as(StandardOptions).runner == "FlinkRunner"


def test_whom_a_submission_acts_for_does_not_travel() -> None:
    options = Options(["--impersonate_service_account=somebody"])
    assert options.view_as(GoogleCloudOptions).impersonate_service_account == "somebody"
    options.view_as(StandardOptions)
    other = copy.deepcopy(options)
    other.view_as(StandardOptions).runner = "PrismRunner"
    told = other.get_all_options()
    assert (told["impersonate_service_account"], told["runner"]) == (None, "PrismRunner")
