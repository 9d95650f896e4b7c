"""The process that keeps pictures: encodes the source track, stores the styled one as received."""
