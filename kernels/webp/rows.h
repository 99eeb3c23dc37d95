// A WebP's picture as rows, from top to bottom, in memory that does not grow with its height.

#ifndef VFA_ROWS_H
#define VFA_ROWS_H

#include <stddef.h>
#include <stdint.h>

typedef struct Rows Rows;

typedef enum { ROWS_OK, ROWS_BROKEN, ROWS_NO_MEMORY } RowsStatus;

typedef struct {
  const uint8_t *data;
  size_t length;
} Span;

// Begin to decode. `pixels` is what a VP8 or (`lossless`) VP8L chunk holds, `alpha` what an ALPH chunk does, or empty;
// both must stay. A row has `channels` bytes a pixel, 3 or 4. No more than `room` bytes are taken.
RowsStatus rows_open(Rows **opened, Span pixels, Span alpha, int lossless, int width, int height, int channels,
                     size_t room);

// Write the next `count` rows to `to`, one right behind the other; there must be as many left.
RowsStatus rows_next(Rows *rows, int count, uint8_t *to);

int rows_left(const Rows *rows);
size_t rows_length(const Rows *rows);  // of one row, in bytes
size_t rows_most(const Rows *rows);    // bytes that were taken at the peak

void rows_close(Rows *rows);

#endif
