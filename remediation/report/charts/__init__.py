"""Charts of the report: static SVG, drawn by Vega-Lite, coloured by the page."""
