"""What goes over HTTP about credit, a file per part: reports, score sources, indicators."""
