// Interleaved pixels to planes and back, and RGB to Y, Cb and Cr.

#ifndef VFA_CHANNELS_H
#define VFA_CHANNELS_H

#include <stdint.h>
#include <string.h>

#include "vector.h"

VECTOR void split_pixel(const uint8_t *from, uint8_t *to, int apart, int channels) {
  for (int channel = 0; channel < channels; channel++) to[channel * apart] = from[channel];
}

static inline void split2(const uint8_t *from, uint8_t *to, int apart, int width) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const u8x16 a = LOAD(u8x16, from + 2 * x), b = LOAD(u8x16, from + 2 * x + 16);
    STORE(to + x, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30));
    STORE(to + apart + x, __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
  }
  for (; x < width; x++) split_pixel(from + 2 * x, to + x, apart, 2);
}

static inline void split3(const uint8_t *from, uint8_t *to, int apart, int width) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const u8x16 a = LOAD(u8x16, from + 3 * x), b = LOAD(u8x16, from + 3 * x + 16), c = LOAD(u8x16, from + 3 * x + 32);
    const u8x16 r = __builtin_shufflevector(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
    const u8x16 g = __builtin_shufflevector(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
    const u8x16 s = __builtin_shufflevector(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
    STORE(to + x, __builtin_shufflevector(r, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29));
    STORE(to + apart + x, __builtin_shufflevector(g, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30));
    STORE(to + 2 * apart + x, __builtin_shufflevector(s, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31));
  }
  for (; x < width; x++) split_pixel(from + 3 * x, to + x, apart, 3);
}

static inline void split4(const uint8_t *from, uint8_t *to, int apart, int width) {
  int x = 0;
  for (; x + 16 <= width; x += 16) {
    const u8x16 a = LOAD(u8x16, from + 4 * x), b = LOAD(u8x16, from + 4 * x + 16);
    const u8x16 c = LOAD(u8x16, from + 4 * x + 32), d = LOAD(u8x16, from + 4 * x + 48);
    const u8x16 ab02 = __builtin_shufflevector(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 2, 6, 10, 14, 18, 22, 26, 30);
    const u8x16 cd02 = __builtin_shufflevector(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 2, 6, 10, 14, 18, 22, 26, 30);
    const u8x16 ab13 = __builtin_shufflevector(a, b, 1, 5, 9, 13, 17, 21, 25, 29, 3, 7, 11, 15, 19, 23, 27, 31);
    const u8x16 cd13 = __builtin_shufflevector(c, d, 1, 5, 9, 13, 17, 21, 25, 29, 3, 7, 11, 15, 19, 23, 27, 31);
    STORE(to + x, __builtin_shufflevector((u64x2)ab02, (u64x2)cd02, 0, 2));
    STORE(to + apart + x, __builtin_shufflevector((u64x2)ab13, (u64x2)cd13, 0, 2));
    STORE(to + 2 * apart + x, __builtin_shufflevector((u64x2)ab02, (u64x2)cd02, 1, 3));
    STORE(to + 3 * apart + x, __builtin_shufflevector((u64x2)ab13, (u64x2)cd13, 1, 3));
  }
  for (; x < width; x++) split_pixel(from + 4 * x, to + x, apart, 4);
}

// `width` pixels, each channel `apart` bytes behind the one before.
static inline void split(const uint8_t *from, uint8_t *to, int apart, int width, int channels) {
  if (channels == 4)
    split4(from, to, apart, width);
  else if (channels == 3)
    split3(from, to, apart, width);
  else if (channels == 2)
    split2(from, to, apart, width);
  else
    memcpy(to, from, (size_t)width);
}

static inline void joined(const uint8_t *from, int apart, uint8_t *to, int width, int channels) {
  for (int x = 0; x < width; x++)
    for (int channel = 0; channel < channels; channel++) to[x * channels + channel] = from[channel * apart + x];
}


// JFIF's Y, Cb and Cr (ITU-T T.871 clause 7) with libjpeg's constants of 16 bits after the point and its rounding
// (jccolor.c), so that the same bytes come out. What does not fit into 16 bits is halved, and taken twice.
VECTOR i16x8 weighted(i16x8 a, i16x8 b, i16x8 c, int by_a, int by_b, int by_c, int by_second, int rounding) {
  const i16x8 first = pairs_of(by_a, by_b), second = pairs_of(by_c, by_second);
  const i32x4 low = add32(add32(dot(low16(a, b), first), dot(low16(c, b), second)), all_i32(rounding));
  const i32x4 high = add32(add32(dot(high16(a, b), first), dot(high16(c, b), second)), all_i32(rounding));
  return narrowed_i16(low >> 16, high >> 16);
}

VECTOR void ycc_pixels(const uint8_t *r, const uint8_t *g, const uint8_t *b, i16x8 out[3]) {
  const i16x8 red = widened_u8(LOAD(u8x8, r)), green = widened_u8(LOAD(u8x8, g)), blue = widened_u8(LOAD(u8x8, b));
  const int middle = (128 << 16) + 32767;
  out[0] = weighted(red, green, blue, 19595, 19235, 7471, 19235, 32768);
  out[1] = weighted(red, blue, green, -11059, 16384, -21709, 16384, middle);
  out[2] = weighted(green, red, blue, -27439, 16384, -5329, 16384, middle);
}

// `width` pixels; up to 15 bytes behind the rows are read and written.
static inline void ycc_row(const uint8_t *r, const uint8_t *g, const uint8_t *b, uint8_t *to[3], int width) {
  for (int x = 0; x < width; x += 16) {
    i16x8 left[3], right[3];
    ycc_pixels(r + x, g + x, b + x, left);
    ycc_pixels(r + x + 8, g + x + 8, b + x + 8, right);
    for (int channel = 0; channel < 3; channel++) STORE(to[channel] + x, narrowed_u8(left[channel], right[channel]));
  }
}

#endif
