"""Colors of originals, brought to sRGB."""
