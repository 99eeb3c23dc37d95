// Separable resizing of bytes, row by row: planes, and pixels of two to four interleaved channels.
//
// What it computes. What Pillow's Image.resize(size, resample, box) does (libImaging/Resample.c), for bytes: each row
// across, then the rows down. An output sample is the sum of the input samples within the kernel's support around its
// centre, in the box's own coordinates, which need not be whole; the kernel is stretched where the picture shrinks
// (an area filter), and weights are normalised where the edge cuts the support off.
//
//   LANCZOS  sinc(x) · sinc(x / 3), |x| < 3
//   bicubic  Keys' cubic with a = -1/2, |x| < 2 (IEEE Trans. ASSP 29, 1981)
//   linear   1 - |x|, |x| < 1
//
// Precision. Weights have 14 bits after the point, and more where the largest leaves room in 16 bits (20 across, 16 down
// at most, so that sums fit into 32). The largest takes up what rounding makes of their sum, so that a flat picture
// stays flat. Between the passes samples are clipped to 0–255, as Pillow clips them, and
// keep 6 bits after the point, where Pillow keeps none. Pillow's rounding there is half a level at most, times the sum
// of the weights' magnitudes, at most 1.54 (LANCZOS half way between two samples): so the result is within one level of
// Pillow's, whatever the picture. Pillow's weights have 22 bits; the difference adds less than a fifth of a level.
//
// How it streams. A row that comes is resized across at once, and kept as 16-bit samples of the target's width, in a
// ring of as many rows as one output row is made of. When the last of those has come, the output row is made and put
// into a queue. Rows outside of the box's reach are not looked at. Of 100 rows that shrink to 10, 60 rows of the
// target's width are kept.
//
// Vectors. Across, eight input samples times eight weights at once, eight outputs together; the number of weights is a
// multiple of eight. Down, pairs of rows, sixteen columns at once. Interleaved channels are taken apart first, and put
// together at the end.
//
// Bounds. `first[x] + taps` is never more than the length of the row, or of the padded copy that is made where the row
// is shorter or interleaved: `weigh` sees to it. Rings and queue are as long as `resize_open` computed.

#include "resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "vector.h"

enum { LEAST_BITS = 14, MOST_BITS_ACROSS = 20, MOST_BITS_DOWN = 16, KEPT_BITS = 6, ACROSS = 8, DOWN = 16, SLACK = 64 };

typedef struct {
  int taps;          // weights of each output, zeros at the end of most
  int bits;          // of a weight after the point
  int *first, *end;  // of the input samples of each output; those behind `end` have no weight
  int16_t *weights;
} Axis;

struct Resizer {
  ResizeShape shape;
  Axis across, down;
  bool apart;        // rows are copied, channel by channel
  int copied;        // bytes of a channel's copy
  int lane, slot;    // samples of one channel of a kept row, and of all
  int kept;          // rows of the ring
  uint8_t *copy;
  int16_t *ring;
  const int16_t **window;
  uint8_t *made;     // an output row, channel by channel
  uint8_t *queue;
  int room, ready;   // rows of the queue
  int seen, next;    // rows that came, that were made
  size_t memory;
};

// ---- Weights ----

static double sinc(double x) {
  const double angle = x * 3.14159265358979323846;
  return x == 0 ? 1 : sin(angle) / angle;
}

static double support_of(ResizeKernel kernel) { return kernel == RESIZE_LANCZOS ? 3 : kernel == RESIZE_BICUBIC ? 2 : 1; }

static double weight_at(ResizeKernel kernel, double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x >= support_of(kernel)) return 0;
  if (kernel == RESIZE_LANCZOS) return sinc(x) * sinc(x / 3);
  if (kernel == RESIZE_LINEAR) return 1 - x;
  return x < 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : (((x - 5) * x + 8) * x - 4) * a;
}

static int16_t rounded(double x) { return (int16_t)(x < 0 ? x - 0.5 : x + 0.5); }

static void *taken(Resizer *resizer, size_t count, size_t each) {
  resizer->memory += count * each;
  return calloc(count ? count : 1, each);
}

// The weights of one axis: `length` samples, of which `low` to `high` become `out`, `padded` to a multiple of outputs.
static bool weigh(Resizer *resizer, Axis *axis, int length, double low, double high, int out, int padded, int multiple) {
  const ResizeKernel kernel = resizer->shape.kernel;
  const double scale = (high - low) / out, stretch = scale < 1 ? 1 : scale, reach = support_of(kernel) * stretch;
  const int most = (int)(2 * reach) + 3;
  axis->taps = (most + multiple - 1) / multiple * multiple;
  axis->first = taken(resizer, (size_t)padded, sizeof(int));
  axis->end = taken(resizer, (size_t)padded, sizeof(int));
  axis->weights = taken(resizer, (size_t)padded * (size_t)axis->taps, sizeof(int16_t));
  // The largest weight is that of a sample at the centre, stretched; near an edge it may be half as large again.
  axis->bits = LEAST_BITS;
  while (axis->bits < (multiple == 2 ? MOST_BITS_DOWN : MOST_BITS_ACROSS) && 2 << axis->bits < 20000 * stretch) axis->bits++;
  double *const exact = malloc((size_t)axis->taps * sizeof(double));
  if (!axis->first || !axis->end || !axis->weights || !exact) {
    free(exact);
    return false;
  }
  for (int x = 0; x < out; x++) {
    const double centre = low + (x + 0.5) * scale;
    int first = (int)(centre - reach + 0.5), end = (int)(centre + reach + 0.5);
    if (first < 0) first = 0;
    if (end > length) end = length;
    if (first > length - 1) first = length - 1;
    if (end <= first) end = first + 1;
    const int count = end - first;
    double sum = 0;
    for (int at = 0; at < count; at++) sum += exact[at] = weight_at(kernel, (first + at - centre + 0.5) / stretch);
    // Where all would be read in groups past the row's end, the group begins earlier.
    int start = first;
    if (start + axis->taps > length) start = length > axis->taps ? length - axis->taps : 0;
    if (multiple == 2) start = first;  // rows are not read in groups
    int16_t *const weights = axis->weights + (size_t)x * (size_t)axis->taps + (first - start);
    int total = 0, largest = 0;
    for (int at = 0; at < count; at++) {
      weights[at] = rounded((sum != 0 ? exact[at] / sum : at == 0) * (1 << axis->bits));
      total += weights[at];
      if (weights[at] > weights[largest]) largest = at;
    }
    weights[largest] = (int16_t)(weights[largest] + (1 << axis->bits) - total);
    axis->first[x] = start, axis->end[x] = end;
  }
  free(exact);
  return true;
}

// ---- The passes ----

VECTOR i32x4 sum_of_taps(const uint8_t *samples, const int16_t *weights, int taps) {
  i32x4 sum = {0};
  for (int at = 0; at < taps; at += ACROSS)
    sum = add32(sum, dot(widened_u8(LOAD(u8x8, samples + at)), LOAD(i16x8, weights + at)));
  return sum;
}

VECTOR i32x4 four_sums(const Axis *axis, const uint8_t *row, int x, int taps) {
  const int16_t *const weights = axis->weights + (size_t)x * (size_t)taps;
  const int *const first = axis->first + x;
  const i32x4 a = sum_of_taps(row + first[0], weights, taps), b = sum_of_taps(row + first[1], weights + taps, taps);
  const i32x4 c = sum_of_taps(row + first[2], weights + 2 * taps, taps);
  const i32x4 d = sum_of_taps(row + first[3], weights + 3 * taps, taps);
  const i32x4 ab = add32(low32(a, b), high32(a, b)), cd = add32(low32(c, d), high32(c, d));
  return add32(lows64(ab, cd), highs64(ab, cd));
}

VECTOR void across_by(const Axis *axis, const uint8_t *row, int16_t *to, int lane, int taps) {
  const int shift = axis->bits - KEPT_BITS;
  const i32x4 half = all_i32(1 << (shift - 1));
  for (int x = 0; x < lane; x += ACROSS) {
    const i32x4 a = add32(four_sums(axis, row, x, taps), half), b = add32(four_sums(axis, row, x + 4, taps), half);
    STORE(to + x, between16(narrowed_i16(a >> shift, b >> shift), 0, 255 << KEPT_BITS));
  }
}

static void pass_across(const Axis *axis, const uint8_t *row, int16_t *to, int lane) {
  if (axis->taps == 8)
    across_by(axis, row, to, lane, 8);
  else if (axis->taps == 16)
    across_by(axis, row, to, lane, 16);
  else
    across_by(axis, row, to, lane, axis->taps);
}

static void pass_down(const int16_t *const *rows, const int16_t *weights, int count, int shift, uint8_t *to, int slot) {
  for (int x = 0; x < slot; x += DOWN) {
    i32x4 a = all_i32(1 << (shift - 1)), b = a, c = a, d = a;
    for (int at = 0; at < count; at += 2) {
      const i16x8 both = pairs_of(weights[at], weights[at + 1]);
      const i16x8 upper = LOAD(i16x8, rows[at] + x), lower = LOAD(i16x8, rows[at + 1] + x);
      const i16x8 upper_right = LOAD(i16x8, rows[at] + x + 8), lower_right = LOAD(i16x8, rows[at + 1] + x + 8);
      a = add32(a, dot(low16(upper, lower), both)), b = add32(b, dot(high16(upper, lower), both));
      c = add32(c, dot(low16(upper_right, lower_right), both)), d = add32(d, dot(high16(upper_right, lower_right), both));
    }
    STORE(to + x, narrowed_u8(narrowed_i16(a >> shift, b >> shift), narrowed_i16(c >> shift, d >> shift)));
  }
}

// ---- Rows ----

static void keep(Resizer *resizer, const uint8_t *row) {
  int16_t *const to = resizer->ring + (size_t)(resizer->seen % resizer->kept) * (size_t)resizer->slot;
  if (resizer->apart) split(row, resizer->copy, resizer->copied, resizer->shape.width, resizer->shape.channels);
  for (int channel = 0; channel < resizer->shape.channels; channel++) {
    const uint8_t *const from = resizer->apart ? resizer->copy + (size_t)channel * (size_t)resizer->copied : row;
    pass_across(&resizer->across, from, to + channel * resizer->lane, resizer->lane);
  }
}

static bool make_row(Resizer *resizer) {
  const ResizeShape *const shape = &resizer->shape;
  const size_t length = (size_t)shape->out_width * (size_t)shape->channels;
  if (resizer->ready == resizer->room) {
    const int room = resizer->room ? 2 * resizer->room : 16;
    uint8_t *const longer = realloc(resizer->queue, (size_t)room * length);
    if (!longer) return false;
    resizer->memory += (size_t)(room - resizer->room) * length;
    resizer->queue = longer, resizer->room = room;
  }
  const Axis *const down = &resizer->down;
  const int first = down->first[resizer->next], count = down->end[resizer->next] - first;
  for (int at = 0; at < count; at++)
    resizer->window[at] = resizer->ring + (size_t)((first + at) % resizer->kept) * (size_t)resizer->slot;
  resizer->window[count] = resizer->window[count - 1];  // of no weight, where the count is odd
  const int16_t *const weights = down->weights + (size_t)resizer->next * (size_t)down->taps;
  pass_down(resizer->window, weights, count, down->bits + KEPT_BITS, resizer->made, resizer->slot);
  uint8_t *const to = resizer->queue + (size_t)resizer->ready * length;
  if (shape->channels == 1)
    memcpy(to, resizer->made, length);
  else
    joined(resizer->made, resizer->lane, to, shape->out_width, shape->channels);
  resizer->ready++, resizer->next++;
  return true;
}

bool resize_push(Resizer *resizer, const uint8_t *rows, size_t stride, int count) {
  for (int each = 0; each < count; each++, rows += stride) {
    if (resizer->next == resizer->shape.out_height) {
      resizer->seen += count - each;
      return true;
    }
    if (resizer->seen >= resizer->down.first[resizer->next]) keep(resizer, rows);
    resizer->seen++;
    while (resizer->next < resizer->shape.out_height && resizer->down.end[resizer->next] <= resizer->seen)
      if (!make_row(resizer)) return false;
  }
  return true;
}

int resize_missing(const Resizer *resizer) { return resizer->shape.height - resizer->seen; }

int resize_ready(const Resizer *resizer) { return resizer->ready; }

void resize_take(Resizer *resizer, uint8_t *to, int count) {
  const size_t length = (size_t)resizer->shape.out_width * (size_t)resizer->shape.channels;
  memcpy(to, resizer->queue, (size_t)count * length);
  resizer->ready -= count;
  memmove(resizer->queue, resizer->queue + (size_t)count * length, (size_t)resizer->ready * length);
}

size_t resize_memory(const Resizer *resizer) { return resizer->memory; }

static int up_to(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

Resizer *resize_open(const ResizeShape *shape) {
  Resizer *const resizer = calloc(1, sizeof(Resizer));
  if (!resizer) return NULL;
  resizer->shape = *shape;
  resizer->memory = sizeof(*resizer);
  const size_t channels = (size_t)shape->channels;
  resizer->lane = up_to(shape->out_width, DOWN), resizer->slot = resizer->lane * shape->channels;
  Axis *const across = &resizer->across, *const down = &resizer->down;
  const int out = shape->out_width, high = shape->out_height;
  if (!weigh(resizer, across, shape->width, shape->left, shape->right, out, resizer->lane, ACROSS) ||
      !weigh(resizer, down, shape->height, shape->top, shape->bottom, high, high, 2)) {
    resize_close(resizer);
    return NULL;
  }
  resizer->apart = shape->channels > 1 || shape->width < across->taps;
  resizer->copied = (shape->width > across->taps ? shape->width : across->taps) + SLACK;
  resizer->kept = down->taps;
  resizer->copy = taken(resizer, resizer->apart ? channels * (size_t)resizer->copied : 0, 1);
  resizer->ring = taken(resizer, (size_t)resizer->kept * (size_t)resizer->slot, sizeof(int16_t));
  resizer->window = taken(resizer, (size_t)down->taps + 2, sizeof(int16_t *));
  resizer->made = taken(resizer, (size_t)resizer->slot, 1);
  if (!resizer->copy || !resizer->ring || !resizer->window || !resizer->made) {
    resize_close(resizer);
    return NULL;
  }
  return resizer;
}

void resize_close(Resizer *resizer) {
  for (int at = 0; at < 2; at++) {
    Axis *const axis = at ? &resizer->down : &resizer->across;
    free(axis->first), free(axis->end), free(axis->weights);
  }
  free(resizer->copy), free(resizer->ring), free(resizer->window), free(resizer->made), free(resizer->queue);
  free(resizer);
}
