// Samples to coefficients, eight times too large: libjpeg's forward transform of 8 × 8, and one of 16 × 16 of which the 8 × 8
// lowest frequencies are kept. jpeg_encode.c says how exact.

#ifndef VFA_JPEG_FORWARD_H
#define VFA_JPEG_FORWARD_H

#include <stdbool.h>

#include "vector.h"

#define FIXED(x) ((int)((x)*8192 + ((x) < 0 ? -0.5 : 0.5)))

VECTOR i16x8 rotated(i16x8 a, i16x8 b, int by_a, int by_b, int shift) {
  const i16x8 factors = pairs_of(by_a, by_b);
  const i32x4 half = all_i32(1 << (shift - 1));
  return narrowed_i16(add32(dot(low16(a, b), factors), half) >> shift, add32(dot(high16(a, b), factors), half) >> shift);
}

// The same of two pairs, added.
VECTOR i16x8 rotated2(i16x8 a, i16x8 b, int by_a, int by_b, i16x8 c, i16x8 d, int by_c, int by_d, int shift) {
  const i16x8 first = pairs_of(by_a, by_b), second = pairs_of(by_c, by_d);
  const i32x4 half = all_i32(1 << (shift - 1));
  const i32x4 low = add32(dot(low16(a, b), first), dot(low16(c, d), second));
  const i32x4 high = add32(dot(high16(a, b), first), dot(high16(c, d), second));
  return narrowed_i16(add32(low, half) >> shift, add32(high, half) >> shift);
}

// Eight transforms of eight values side by side: figures of jfdctint.c. All sums fit into 16 bits.
VECTOR void transform(i16x8 r[8], bool first) {
  const i16x8 t0 = r[0] + r[7], t7 = r[0] - r[7], t1 = r[1] + r[6], t6 = r[1] - r[6];
  const i16x8 t2 = r[2] + r[5], t5 = r[2] - r[5], t3 = r[3] + r[4], t4 = r[3] - r[4];
  const i16x8 t10 = t0 + t3, t13 = t0 - t3, t11 = t1 + t2, t12 = t1 - t2;
  const int shift = first ? 13 - 2 : 13 + 2;
  r[0] = first ? (t10 + t11) * 4 : (t10 + t11 + 2) >> 2;
  r[4] = first ? (t10 - t11) * 4 : (t10 - t11 + 2) >> 2;
  r[2] = rotated(t12, t13, FIXED(0.541196100), FIXED(0.541196100) + FIXED(0.765366865), shift);
  r[6] = rotated(t12, t13, FIXED(0.541196100) - FIXED(1.847759065), FIXED(0.541196100), shift);

  const i16x8 z3 = t4 + t6, z4 = t5 + t7;
  const int a = FIXED(1.175875602) - FIXED(1.961570560), b = FIXED(1.175875602), c = b - FIXED(0.390180644);
  r[7] = rotated2(t4, t7, FIXED(0.298631336) - FIXED(0.899976223), -FIXED(0.899976223), z3, z4, a, b, shift);
  r[1] = rotated2(t4, t7, -FIXED(0.899976223), FIXED(1.501321110) - FIXED(0.899976223), z3, z4, b, c, shift);
  r[5] = rotated2(t5, t6, FIXED(2.053119869) - FIXED(2.562915447), -FIXED(2.562915447), z3, z4, b, c, shift);
  r[3] = rotated2(t5, t6, -FIXED(2.562915447), FIXED(3.072711026) - FIXED(2.562915447), z3, z4, a, b, shift);
}

// The sum of `count` products, an even number.
VECTOR i16x8 weighted_sum(const i16x8 *values, const int16_t *weights, int count, int shift) {
  i32x4 low = all_i32(1 << (shift - 1)), high = low;
  for (int at = 0; at < count; at += 2) {
    const i16x8 both = pairs_of(weights[at], weights[at + 1]);
    low = add32(low, dot(low16(values[at], values[at + 1]), both));
    high = add32(high, dot(high16(values[at], values[at + 1]), both));
  }
  return narrowed_i16(low >> shift, high >> shift);
}

// The eight lowest of sixteen frequencies: cos((2n + 1) k pi / 32) / sqrt(2), half of them by symmetry.
VECTOR void transform_halving(const i16x8 r[16], i16x8 out[8], int shift) {
  static const int16_t mean[4] = {4096, 4096, 4096, 4096};
  static const int16_t even[3][4] = {
      {FIXED(0.693519923), FIXED(0.587937801), FIXED(0.392847479), FIXED(0.137949690)},
      {FIXED(0.653281482), FIXED(0.270598050), FIXED(-0.270598050), FIXED(-0.653281482)},
      {FIXED(0.587937801), FIXED(-0.137949690), FIXED(-0.693519923), FIXED(-0.392847479)}};
  static const int16_t odd[4][8] = {
        {FIXED(0.703701869), FIXED(0.676659001), FIXED(0.623612506), FIXED(0.546600934),
         FIXED(0.448583793), FIXED(0.333327829), FIXED(0.205262264), FIXED(0.069308585)},
        {FIXED(0.676659001), FIXED(0.448583793), FIXED(0.069308585), FIXED(-0.333327829),
         FIXED(-0.623612506), FIXED(-0.703701869), FIXED(-0.546600934), FIXED(-0.205262264)},
        {FIXED(0.623612506), FIXED(0.069308585), FIXED(-0.546600934), FIXED(-0.676659001),
         FIXED(-0.205262264), FIXED(0.448583793), FIXED(0.703701869), FIXED(0.333327829)},
        {FIXED(0.546600934), FIXED(-0.333327829), FIXED(-0.676659001), FIXED(0.069308585),
         FIXED(0.703701869), FIXED(0.205262264), FIXED(-0.623612506), FIXED(-0.448583793)}};
  i16x8 sums[8], differences[8], outer[4], inner[4];
  for (int n = 0; n < 8; n++) sums[n] = r[n] + r[15 - n], differences[n] = r[n] - r[15 - n];
  for (int n = 0; n < 4; n++) outer[n] = sums[n] + sums[7 - n], inner[n] = sums[n] - sums[7 - n];
  out[0] = weighted_sum(outer, mean, 4, shift);
  out[2] = weighted_sum(inner, even[0], 4, shift);
  out[4] = weighted_sum(outer, even[1], 4, shift);
  out[6] = weighted_sum(inner, even[2], 4, shift);
  for (int k = 0; k < 4; k++) out[2 * k + 1] = weighted_sum(differences, odd[k], 8, shift);
}

#endif
