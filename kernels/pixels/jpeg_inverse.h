// Coefficients to samples: libjpeg's inverse transforms of 8 × 8, 4 × 4 and 2 × 2. jpeg_decode.c says which and how exact.

#ifndef VFA_JPEG_INVERSE_H
#define VFA_JPEG_INVERSE_H

#include <string.h>

#include "vector.h"

#define FIXED(x) ((int)((x)*8192 + ((x) < 0 ? -0.5 : 0.5)))

typedef struct {
  i32x4 low, high;
} Wide;

// a · by_a + b · by_b
VECTOR Wide rotated(i16x8 a, i16x8 b, int by_a, int by_b) {
  const i16x8 factors = pairs_of(by_a, by_b);
  return (Wide){dot(low16(a, b), factors), dot(high16(a, b), factors)};
}

VECTOR Wide plus(Wide a, Wide b) { return (Wide){add32(a.low, b.low), add32(a.high, b.high)}; }
VECTOR Wide minus(Wide a, Wide b) { return (Wide){sub32(a.low, b.low), sub32(a.high, b.high)}; }
VECTOR Wide scaled_up(i16x8 a, int rounding) {
  return (Wide){add32((i32x4)((u32x4)widened_low(a) << 13), all_i32(rounding)),
                add32((i32x4)((u32x4)widened_high(a) << 13), all_i32(rounding))};
}
VECTOR i16x8 descaled(Wide a, int shift) { return narrowed_i16(a.low >> shift, a.high >> shift); }

// Eight transforms of eight values side by side: figures of jidctint.c. The constants' sums fit into 16 bits.
VECTOR void transform8(i16x8 r[8], int shift) {
  const Wide t2 = rotated(r[2], r[6], FIXED(0.541196100), FIXED(0.541196100) - FIXED(1.847759065));
  const Wide t3 = rotated(r[2], r[6], FIXED(0.541196100) + FIXED(0.765366865), FIXED(0.541196100));
  const Wide t0 = scaled_up(add16(r[0], r[4]), 1 << (shift - 1)), t1 = scaled_up(sub16(r[0], r[4]), 1 << (shift - 1));
  const Wide e0 = plus(t0, t3), e3 = minus(t0, t3), e1 = plus(t1, t2), e2 = minus(t1, t2);

  const i16x8 z3 = add16(r[7], r[3]), z4 = add16(r[5], r[1]);
  const Wide y3 = rotated(z3, z4, FIXED(1.175875602) - FIXED(1.961570560), FIXED(1.175875602));
  const Wide y4 = rotated(z3, z4, FIXED(1.175875602), FIXED(1.175875602) - FIXED(0.390180644));
  const Wide o0 = plus(y3, rotated(r[7], r[1], FIXED(0.298631336) - FIXED(0.899976223), -FIXED(0.899976223)));
  const Wide o1 = plus(y4, rotated(r[5], r[3], FIXED(2.053119869) - FIXED(2.562915447), -FIXED(2.562915447)));
  const Wide o2 = plus(y3, rotated(r[5], r[3], -FIXED(2.562915447), FIXED(3.072711026) - FIXED(2.562915447)));
  const Wide o3 = plus(y4, rotated(r[7], r[1], -FIXED(0.899976223), FIXED(1.501321110) - FIXED(0.899976223)));

  r[0] = descaled(plus(e0, o3), shift), r[7] = descaled(minus(e0, o3), shift);
  r[1] = descaled(plus(e1, o2), shift), r[6] = descaled(minus(e1, o2), shift);
  r[2] = descaled(plus(e2, o1), shift), r[5] = descaled(minus(e2, o1), shift);
  r[3] = descaled(plus(e3, o0), shift), r[4] = descaled(minus(e3, o0), shift);
}

static inline void put8(const int16_t block[64], uint8_t *out, int stride) {
  i16x8 r[8];
  for (int row = 0; row < 8; row++) r[row] = LOAD(i16x8, block + 8 * row);
  transform8(r, 13 - 2);
  transpose(r);
  transform8(r, 13 + 2 + 3);
  transpose(r);
  for (int row = 0; row < 8; row += 2) {
    const u64x2 two = (u64x2)narrowed_u8(add16(r[row], all_i16(128)), add16(r[row + 1], all_i16(128)));
    STORE(out + row * stride, (uint64_t)two[0]);
    STORE(out + (row + 1) * stride, (uint64_t)two[1]);
  }
}

VECTOR i32x4 times(i32x4 a, int factor) { return (i32x4)((u32x4)a * (u32x4)all_i32(factor)); }

// Four transforms of four values, in 32 bits that wrap around; `before` is what the even part is scaled up by.
VECTOR void transform4(i32x4 r[4], int before, int rounding, int shift) {
  const i32x4 e0 = times(add32(r[0], r[2]), 1 << before), e1 = times(sub32(r[0], r[2]), 1 << before);
  const i32x4 z = add32(times(add32(r[1], r[3]), FIXED(0.541196100)), all_i32(rounding));
  const i32x4 o0 = add32(z, times(r[1], FIXED(0.765366865))), o1 = sub32(z, times(r[3], FIXED(1.847759065)));
  if (shift == 13 - 2) {  // the even part has its 2 bits already
    const i32x4 p0 = o0 >> shift, p1 = o1 >> shift;
    r[0] = add32(e0, p0), r[3] = sub32(e0, p0), r[1] = add32(e1, p1), r[2] = sub32(e1, p1);
  } else {
    r[0] = add32(e0, o0) >> shift, r[3] = sub32(e0, o0) >> shift;
    r[1] = add32(e1, o1) >> shift, r[2] = sub32(e1, o1) >> shift;
  }
}

VECTOR void transpose4(i32x4 r[4]) {
  const i32x4 a0 = low32(r[0], r[1]), a1 = high32(r[0], r[1]), a2 = low32(r[2], r[3]), a3 = high32(r[2], r[3]);
  r[0] = lows64(a0, a2), r[1] = highs64(a0, a2), r[2] = lows64(a1, a3), r[3] = highs64(a1, a3);
}

static inline void put4(const int16_t block[64], uint8_t *out, int stride) {
  i32x4 r[4];
  for (int row = 0; row < 4; row++) r[row] = widened_low(LOAD(i16x8, block + 8 * row));
  transform4(r, 2, 1 << (13 - 2 - 1), 13 - 2);
  transpose4(r);
  r[0] = add32(r[0], all_i32((128 << 5) + 16));
  transform4(r, 13, 0, 13 + 2 + 3);
  transpose4(r);
  const u32x4 rows = (u32x4)narrowed_u8(narrowed_i16(r[0], r[1]), narrowed_i16(r[2], r[3]));
  for (int row = 0; row < 4; row++) STORE(out + row * stride, (uint32_t)rows[row]);
}

static inline uint8_t clamped(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

static inline void put2(const int16_t block[64], uint8_t *out, int stride) {
  const int mean = block[0] + (128 << 3) + 4, left = mean + block[8], lower = mean - block[8];
  const int right = block[1] + block[9], lower_right = block[1] - block[9];
  out[0] = clamped((left + right) >> 3), out[1] = clamped((left - right) >> 3);
  out[stride] = clamped((lower + lower_right) >> 3), out[stride + 1] = clamped((lower - lower_right) >> 3);
}

static inline void put_level(int direct, uint8_t *out, int stride, int size) {
  const uint8_t level = clamped(((direct + 4) >> 3) + 128);
  for (int row = 0; row < size; row++, out += stride) {
    if (size == 8)
      STORE(out, level * (uint64_t)0x0101010101010101);
    else
      memset(out, level, (size_t)size);
  }
}

#endif
