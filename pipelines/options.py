"""Beam's options, each view of them made once."""

from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions


class Options(PipelineOptions):
    """`PipelineOptions` that remember their views.

    Beam asks for a view at every step of building and starting a graph, six hundred
    times for one night, and each time makes an argument parser and parses anew: a
    quarter of the time that a small night took. All views share one dictionary of
    values (`PipelineOptions.view_as`), so that an old view tells what a new one would.
    """

    def view_as(self, cls: type[PipelineOptions]) -> Any:
        """The view as `cls`, made when it is first asked for."""
        views = self.__dict__.setdefault("_views", {})
        if cls not in views:
            views[cls] = super().view_as(cls)
        return views[cls]

    def __getstate__(self) -> dict[str, Any]:
        """Without the views: a copy has other values, and makes its own."""
        return {name: value for name, value in super().__getstate__().items() if name != "_views"}
