"""Reports as HTML: one file each that needs nothing else, the charts inside it as SVG."""
