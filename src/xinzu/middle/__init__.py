"""中台: decides and agrees."""
