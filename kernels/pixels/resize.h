// Rows of a picture to rows of another size, as they come; resize.c says how.

#ifndef VFA_RESIZE_H
#define VFA_RESIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Named as Pillow's Resampling is numbered.
typedef enum { RESIZE_LANCZOS = 1, RESIZE_LINEAR = 2, RESIZE_BICUBIC = 3 } ResizeKernel;

enum { RESIZE_MOST_CHANNELS = 4, RESIZE_LONGEST_EDGE = 1 << 24, RESIZE_LONGEST_OUT = 1 << 16 };

typedef struct {
  int width, height, channels;  // of what comes
  double left, top, right, bottom;
  int out_width, out_height;
  ResizeKernel kernel;
} ResizeShape;

typedef struct Resizer Resizer;

// The shape was checked: edges are 1 to the longest, and the box is not empty and lies inside. NULL: no memory.
Resizer *resize_open(const ResizeShape *);
void resize_close(Resizer *);

// The next rows, no more than are missing of the height. False: no memory.
bool resize_push(Resizer *, const uint8_t *rows, size_t stride, int count);

int resize_missing(const Resizer *);  // rows of what comes
int resize_ready(const Resizer *);    // rows that are made, and were not taken
void resize_take(Resizer *, uint8_t *to, int count);
size_t resize_memory(const Resizer *);

#endif
