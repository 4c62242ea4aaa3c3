"""Nights of any size with everything that happens in them, and the truth beside them.

Truth is what the viewers and customers of a night went through, judged by the
published standard: the figures of the default policy, with the meaning that the
README gives them, applied to the true course of each session and parcel to the
millisecond. It is written by what made that course. The telemetry is only its
trace: sampled, reordered, repeated, cut off, told by wrong clocks and by players
with habits of their own. So where a trace does not show what a viewer went through,
truth still does, and a detector that cannot know it misses it. No module here may
import what detects or decides; a contract in `pyproject.toml` sees to that.

 recipe ─► population ─► interludes ─► viewing: the true course of every session
"""
