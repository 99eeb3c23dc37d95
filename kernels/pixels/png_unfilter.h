// PNG's filters undone, row by row; png_unfilter.c says how.

#ifndef VFA_PNG_UNFILTER_H
#define VFA_PNG_UNFILTER_H

#include <stdbool.h>
#include <stdint.h>

enum { UNFILTER_SLACK = 32 };  // bytes that are read and written behind a row

// Undo one row in place: `row` and `above` have `length` bytes, a multiple of `step`, the bytes of a pixel.
// False: there is no such filter.
bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, int length, int step);

// Undo two rows below each other that have the same filter, if that is faster; false: it was not done. `second` may begin
// where `first` ends.
bool png_unfilter_pair(int filter, uint8_t *first, uint8_t *second, const uint8_t *above, int length, int step);

#endif
