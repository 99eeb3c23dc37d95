// PNG's filters (ISO/IEC 15948, clause 9; RFC 2083, section 6) undone.
//
// What it computes. Each byte of a row was stored as its difference to a prediction from three bytes that are known:
// the one a pixel to the left (a), the one above (b), and the one above the left one (c); those outside of the picture
// are 0. All is modulo 256, byte by byte, whatever a byte means.
//
//   0 none     –
//   1 sub      a
//   2 up       b
//   3 average  (a + b) / 2, rounded down, the sum in nine bits
//   4 Paeth    that of a, b, c which is nearest to a + b - c; of equals, a before b before c
//
// Precision. Exact.
//
// Vectors. "Up" takes 16 bytes at once. The others depend on the pixel to the left, one pixel after the other: the bytes
// of a pixel (`step`: 1, 2, 3, 4, 6 or 8) are worked on together, as eight lanes of which `step` are used, and the pixel
// behind is read before they are written. Of two Paeth rows below each other, pixels of both are worked on in turn, for a
// pixel has to wait for the one to its left, and twice as many can wait at the same time. "Sub" is a
// running sum: of pixels of four and three bytes, it is summed up over four or five of them at once. The row's length is
// known to each loop, and `step` is a constant in it.
//
// Bounds. Rows are read, and "up" also writes, in whole vectors: both rows have UNFILTER_SLACK bytes behind them whose
// contents do not matter. `length` is a multiple of `step`, which the caller checks.

#include "png_unfilter.h"

#include <string.h>

#include "vector.h"

enum { NONE, SUB, UP, AVERAGE, PAETH };

VECTOR u8x8 pixel_at(const uint8_t *from) { return LOAD(u8x8, from); }

// The `step` bytes of a pixel; those behind it are left as they are.
VECTOR void put_pixel(uint8_t *to, u8x8 pixel, int step) { __builtin_memcpy(to, &pixel, (size_t)step); }

static void undo_up(uint8_t *row, const uint8_t *above, int length) {
  for (int at = 0; at < length; at += 16) STORE(row + at, LOAD(u8x16, row + at) + LOAD(u8x16, above + at));
}

VECTOR void undo_sub(uint8_t *row, int length, int step) {
  u8x8 left = {0};
  for (int at = 0; at < length; at += step) {
    left += pixel_at(row + at);
    put_pixel(row + at, left, step);
  }
}

// Four pixels of four bytes at once: sums over one, then over two.
static void undo_sub4(uint8_t *row, int length) {
  u8x16 left = {0};
  int at = 0;
  for (; at + 16 <= length; at += 16) {
    const u8x16 zero = {0};
    u8x16 sum = LOAD(u8x16, row + at);
    sum += __builtin_shufflevector(zero, sum, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27);
    sum += __builtin_shufflevector(zero, sum, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23);
    sum += left;
    STORE(row + at, sum);
    left = __builtin_shufflevector(sum, sum, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15);
  }
  u8x8 last = __builtin_shufflevector(left, left, 0, 1, 2, 3, 4, 5, 6, 7);
  for (; at < length; at += 4) {
    last += pixel_at(row + at);
    put_pixel(row + at, last, 4);
  }
}

// Five pixels of three bytes at once; the sixteenth byte is of the next.
static void undo_sub3(uint8_t *row, int length) {
  u8x16 left = {0};
  int at = 0;
  for (; at + 16 <= length; at += 15) {
    const u8x16 zero = {0}, found = LOAD(u8x16, row + at);
    u8x16 sum = found;
    sum += __builtin_shufflevector(zero, sum, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28);
    sum += __builtin_shufflevector(zero, sum, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25);
    sum += __builtin_shufflevector(zero, sum, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19);
    sum += left;
    STORE(row + at, __builtin_shufflevector(sum, found, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 31));
    left = __builtin_shufflevector(sum, sum, 12, 13, 14, 12, 13, 14, 12, 13, 14, 12, 13, 14, 12, 13, 14, 12);
  }
  u8x8 last = __builtin_shufflevector(left, left, 0, 1, 2, 3, 4, 5, 6, 7);
  for (; at < length; at += 3) {
    last += pixel_at(row + at);
    put_pixel(row + at, last, 3);
  }
}

// A pixel's bytes as lanes of 16 bits.
VECTOR i16x8 lanes_at(const uint8_t *from) { return widened_u8(LOAD(u8x8, from)); }

// The pixel, and of three or six bytes one or two more: the pixel behind it was read before, and is written after.
VECTOR void put_lanes(uint8_t *to, i16x8 lanes, int step) {
  const uint64_t pixel = ((u64x2)narrowed_u8(lanes, lanes))[0];
  if (step == 1)
    *to = (uint8_t)pixel;
  else if (step == 2)
    STORE(to, (uint16_t)pixel);
  else if (step <= 4)
    STORE(to, (uint32_t)pixel);
  else
    STORE(to, pixel);
}

VECTOR void undo_average(uint8_t *row, const uint8_t *above, int length, int step) {
  i16x8 left = {0}, next = lanes_at(row);
  for (int at = 0; at < length; at += step) {
    const i16x8 found = next;
    next = lanes_at(row + at + step);
    left = (found + ((left + lanes_at(above + at)) >> 1)) & all_i16(255);
    put_lanes(row + at, left, step);
  }
}

VECTOR i16x8 magnitude(i16x8 a) {
#if defined(__wasm_simd128__)
  return (i16x8)wasm_i16x8_abs((v128_t)a);
#else
  const i16x8 sign = a >> 15;
  return (a ^ sign) - sign;
#endif
}

VECTOR i16x8 lesser(i16x8 a, i16x8 b) {
#if defined(__wasm_simd128__)
  return (i16x8)wasm_i16x8_min((v128_t)a, (v128_t)b);
#elif defined(__SSE2__)
  return (i16x8)_mm_min_epi16((__m128i)a, (__m128i)b);
#else
  const i16x8 first = (i16x8)(a < b);
  return (a & first) | (b & ~first);
#endif
}

VECTOR i16x8 chosen(i16x8 mask, i16x8 yes, i16x8 no) { return (yes & mask) | (no & ~mask); }

VECTOR i16x8 undone_paeth(i16x8 found, i16x8 left, i16x8 up, i16x8 corner) {
  // The distances of a + b - c from a, b and c.
  const i16x8 to_left = up - corner, to_up = left - corner;
  const i16x8 from_left = magnitude(to_left), from_up = magnitude(to_up), from_corner = magnitude(to_left + to_up);
  const i16x8 rest = chosen((i16x8)(from_up > from_corner), corner, up);
  const i16x8 predicted = chosen((i16x8)(from_left > lesser(from_up, from_corner)), rest, left);
  return (found + predicted) & all_i16(255);
}

VECTOR void undo_paeth(uint8_t *row, const uint8_t *above, int length, int step) {
  i16x8 left = {0}, corner = {0}, next = lanes_at(row);
  for (int at = 0; at < length; at += step) {
    const i16x8 up = lanes_at(above + at), found = next;
    next = lanes_at(row + at + step);
    left = undone_paeth(found, left, up, corner);
    corner = up;
    put_lanes(row + at, left, step);
  }
}

// Two rows at once, the second a pixel behind the first: neither waits for its own pixel to the left alone.
VECTOR void undo_paeth_pair(uint8_t *first, uint8_t *second, const uint8_t *above, int length, int step) {
  i16x8 left = {0}, corner = {0}, next = lanes_at(first), second_left = {0}, second_corner = {0}, second_next = lanes_at(second);
  for (int at = 0; at < length; at += step) {
    const i16x8 up = lanes_at(above + at), found = next, second_up = left;
    next = lanes_at(first + at + step);
    left = undone_paeth(found, left, up, corner);
    corner = up;
    if (at + step < length)
      put_lanes(first + at, left, step);
    else  // behind it there may be the second row
      put_pixel(first + at, __builtin_convertvector(left, u8x8), step);
    if (!at) continue;
    const i16x8 second_found = second_next;
    second_next = lanes_at(second + at);
    second_left = undone_paeth(second_found, second_left, second_up, second_corner);
    second_corner = second_up;
    put_lanes(second + at - step, second_left, step);
  }
  put_lanes(second + length - step, undone_paeth(second_next, second_left, left, second_corner), step);
}

VECTOR void undo(int filter, uint8_t *row, const uint8_t *above, int length, int step) {
  if (filter == SUB && step == 4)
    undo_sub4(row, length);
  else if (filter == SUB && step == 3)
    undo_sub3(row, length);
  else if (filter == SUB)
    undo_sub(row, length, step);
  else if (filter == AVERAGE)
    undo_average(row, above, length, step);
  else
    undo_paeth(row, above, length, step);
}

bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, int length, int step) {
  if (filter < NONE || filter > PAETH) return false;
  if (filter == NONE) return true;
  if (filter == UP) {
    undo_up(row, above, length);
    return true;
  }
  switch (step) {
    case 1: undo(filter, row, above, length, 1); break;
    case 2: undo(filter, row, above, length, 2); break;
    case 3: undo(filter, row, above, length, 3); break;
    case 4: undo(filter, row, above, length, 4); break;
    case 6: undo(filter, row, above, length, 6); break;
    case 8: undo(filter, row, above, length, 8); break;
    default: return false;
  }
  return true;
}

bool png_unfilter_pair(int filter, uint8_t *first, uint8_t *second, const uint8_t *above, int length, int step) {
  if (filter != PAETH || (step != 3 && step != 4)) return false;
  if (step == 3)
    undo_paeth_pair(first, second, above, length, 3);
  else
    undo_paeth_pair(first, second, above, length, 4);
  return true;
}
