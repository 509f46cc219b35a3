"""Reports as pages: one file each, nothing fetched from anywhere."""
