// What a JPEG loses when it keeps chroma at half the width and height: imaging.encode.fitting_subsampling's measure.
//
// What it computes. Ten thin strips, five across and five down the picture at even distances, THICKNESS samples thick,
// meet every long edge. In each strip each of the two chroma planes is halved (the mean of 2 × 2 samples, rounded to the
// nearest; at an odd edge of those there are) and brought up again in straight lines (resize.c). The strip's loss is the
// root of the mean squared difference, of that plane which loses more; the picture's is the root of the mean of the
// strips' squares. 2 levels are noticeable (encode.py).
//
// Precision. Samples are bytes; resizing is within a level of Pillow's, where it matters far less than that. Squares are
// summed up in integers: 2^16 squares a pixel, at most 12 × 65,535 pixels.
//
// Bounds. Strips are cut at the picture's edges here; the planes' lengths are the caller's to check.

#include "chroma_loss.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "resize.h"

enum { SAMPLES = 5, THICKNESS = 12 };

typedef struct {
  int left, top, width, height;
} Strip;

static int lesser(int a, int b) { return a < b ? a : b; }

static void halve(const uint8_t *from, int stride, Strip strip, uint8_t *to) {
  for (int y = 0; y < strip.height; y += 2) {
    for (int x = 0; x < strip.width; x += 2) {
      const int columns = lesser(2, strip.width - x), rows = lesser(2, strip.height - y), count = columns * rows;
      int sum = count / 2;
      for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++) sum += from[(size_t)(y + row) * (size_t)stride + (size_t)(x + column)];
      *to++ = (uint8_t)(sum / count);
    }
  }
}

// The mean squared difference; negative: no memory.
static double loss_of(const uint8_t *plane, int stride, Strip strip) {
  const uint8_t *const from = plane + (size_t)strip.top * (size_t)stride + (size_t)strip.left;
  const int width = (strip.width + 1) / 2, height = (strip.height + 1) / 2;
  const ResizeShape shape = {width, height, 1, 0, 0, width, height, strip.width, strip.height, RESIZE_LINEAR};
  const size_t length = (size_t)strip.width * (size_t)strip.height;
  Resizer *const resizer = resize_open(&shape);
  uint8_t *const halved = malloc((size_t)width * (size_t)height), *const again = malloc(length);
  double loss = -1;
  if (resizer && halved && again) {
    halve(from, stride, strip, halved);
    if (resize_push(resizer, halved, (size_t)width, height)) {
      resize_take(resizer, again, strip.height);
      uint64_t sum = 0;
      for (int y = 0; y < strip.height; y++) {
        for (int x = 0; x < strip.width; x++) {
          const int change = again[(size_t)y * (size_t)strip.width + (size_t)x] - from[(size_t)y * (size_t)stride + (size_t)x];
          sum += (uint64_t)(change * change);
        }
      }
      loss = (double)sum / (double)length;
    }
  }
  if (resizer) resize_close(resizer);
  free(halved), free(again);
  return loss;
}

double chroma_loss(const uint8_t *cb, const uint8_t *cr, int width, int height) {
  double sum = 0;
  for (int each = 0; each < 2 * SAMPLES; each++) {
    const int place = 2 * (each / 2) + 1;
    const int left = (int)((int64_t)place * width / (2 * SAMPLES)), top = (int)((int64_t)place * height / (2 * SAMPLES));
    const Strip across = {0, top, width, lesser(THICKNESS, height - top)};
    const Strip down = {left, 0, lesser(THICKNESS, width - left), height};
    const Strip strip = each % 2 ? down : across;
    const double blue = loss_of(cb, width, strip), red = loss_of(cr, width, strip);
    if (blue < 0 || red < 0) return -1;
    sum += blue > red ? blue : red;
  }
  return sqrt(sum / (2 * SAMPLES));
}
