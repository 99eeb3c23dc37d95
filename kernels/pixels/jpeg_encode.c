// Planes or pixels to a baseline JPEG (ITU-T T.81, SOF0; JFIF's colours, ITU-T T.871), row of units by row of units.
//
// What it computes. With chroma in full, the very bytes that Pillow's `save(quality=…)` writes with libjpeg; with chroma
// halved, a picture that differs from IJG's by rounding:
//
//   colours     libjpeg's fixed-point conversion, 16 bits after the point (channels.h)
//   halving     16 × 16 samples of chroma become one block by a transform of that size, of which the 8 × 8 lowest
//               frequencies are kept: sharper than means of 2 × 2, and what IJG's libjpeg does since release 7. Same
//               precision as below; IJG's is factored otherwise, and rounds otherwise. libjpeg-turbo takes means.
//               "Halved planes" are stored as they come.
//   transform   libjpeg's accurate integer one (jfdctint.c, "ISLOW"): rows, then columns; constants with 13 bits after
//               the point, 2 bits kept between the passes, sums in 32 bits; results are eight times too large
//   quantising  the tables of annex K scaled as libjpeg scales them, steps of 1 to 255; (|x| + step / 2) / step. It is
//               done by multiplying single-precision numbers. That is exact: |x| + 4 · step is an integer n < 2^16, so
//               (n + 1/2) / (8 · step) is at least 1 / (16 · step) ≥ 2.4e-4 from any integer, and its error is below
//               2^-24 of it, which is at most 8,192 / step.
//   coding      Huffman with the tables of annex K (F.1.2). Blocks of a unit that are outside of the picture repeat the
//               level of the block before, with nothing else (jccoefct.c)
//
// Levels from 0 to 255 make coefficients of at most 1,024 and differences of DC of at most 2,047: tables K.3 to K.6 have
// codes for all of them.
//
// How it streams. Rows are gathered until a row of units is full (8 rows, 16 with halved chroma), and written out then.
// The state is those rows, and what was written and not taken.
//
// Vectors. Eight columns at once; a mask of 64 bits tells which coefficients are not zero.
//
// Bounds. Everything that indexes comes from the picture's own bytes, whose range is above, or from the sizes that the
// planes were taken for. `reserve` gives room for a whole row of units at its worst, MOST_BLOCK bytes a block.

#include "jpeg_encode.h"

#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "jpeg_forward.h"
#include "jpeg_tables.h"
#include "vector.h"

enum {
  MOST_BLOCK = 64 * 2 * 4,  // 26 bits a coefficient are the most, and each byte may be escaped
  HEADERS = 1024,
  SLACK = 64,
};

typedef struct {
  uint32_t codes[256];  // by symbol: the code, above its length in the lowest eight bits
} Codes;

typedef struct {
  float inverse[64], half[64];  // by row and column
  uint8_t steps[64];            // in zigzag order
} Steps;

typedef struct {
  uint64_t held;  // the last bits at the bottom
  int count;
  uint8_t *to;
} Writer;

struct JpegEncoder {
  int width, height, scale, parts;  // scale: 2 where chroma is halved
  JpegForm form;
  int units_across, gathered, seen;
  int stride;          // of a plane at full scale; half of it where it is halved
  uint8_t *planes[3];  // a row of units at full scale
  uint8_t *halved[3];
  uint8_t *pixels;     // a row of them, channel by channel
  Steps steps[2];
  Codes direct[2], alternating[2];
  int before[3];       // DC of the component's last block
  Writer writer;
  uint8_t *written;
  size_t room, memory;
};

// ---- Headers ----

static void read_codes(Codes *codes, const uint8_t *table) {
  uint32_t code = 0;
  int place = 16;
  memset(codes, 0, sizeof(*codes));
  for (int length = 1; length <= 16; length++, code <<= 1)
    for (int each = 0; each < table[length - 1]; each++) codes->codes[table[place++]] = code++ << 8 | (uint32_t)length;
}

static void scale_steps(Steps *steps, const uint8_t *table, int quality) {
  const int percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  for (int k = 0; k < 64; k++) {
    const int at = ZIGZAG[k], exact = (table[at] * percent + 50) / 100;
    const int step = exact < 1 ? 1 : exact > 255 ? 255 : exact;
    steps->steps[k] = (uint8_t)step;
    steps->inverse[at] = 1.0f / (float)(8 * step);
    steps->half[at] = (float)(4 * step) + 0.5f;
  }
}

static void put_segment(Writer *writer, int marker, const uint8_t *head, int head_length, const uint8_t *data, int length) {
  const int whole = 2 + head_length + length;
  const uint8_t start[4] = {0xFF, (uint8_t)marker, (uint8_t)(whole >> 8), (uint8_t)whole};
  memcpy(writer->to, start, 4);
  memcpy(writer->to + 4, head, (size_t)head_length);
  if (length) memcpy(writer->to + 4 + head_length, data, (size_t)length);
  writer->to += 2 + whole;
}

static void put_headers(JpegEncoder *encoder) {
  Writer *const writer = &encoder->writer;
  static const uint8_t jfif[] = {'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
  const int tables = encoder->parts > 1 ? 2 : 1, sampling = encoder->scale << 4 | encoder->scale;
  *writer->to++ = 0xFF, *writer->to++ = 0xD8;
  put_segment(writer, 0xE0, jfif, sizeof(jfif), NULL, 0);
  for (int table = 0; table < tables; table++)
    put_segment(writer, 0xDB, (const uint8_t[]){(uint8_t)table}, 1, encoder->steps[table].steps, 64);
  const uint8_t frame[] = {8,    (uint8_t)(encoder->height >> 8), (uint8_t)encoder->height, (uint8_t)(encoder->width >> 8),
                           (uint8_t)encoder->width, (uint8_t)encoder->parts, 1, (uint8_t)sampling, 0, 2, 0x11, 1, 3, 0x11, 1};
  put_segment(writer, 0xC0, frame, 6 + 3 * encoder->parts, NULL, 0);
  static const uint8_t *const direct[] = {LUMA_DIRECT, CHROMA_DIRECT};
  static const uint8_t *const alternating[] = {LUMA_ALTERNATING, CHROMA_ALTERNATING};
  for (int table = 0; table < tables; table++) {
    put_segment(writer, 0xC4, (const uint8_t[]){(uint8_t)table}, 1, direct[table], sizeof(LUMA_DIRECT));
    put_segment(writer, 0xC4, (const uint8_t[]){(uint8_t)(0x10 | table)}, 1, alternating[table], sizeof(LUMA_ALTERNATING));
    read_codes(&encoder->direct[table], direct[table]);
    read_codes(&encoder->alternating[table], alternating[table]);
  }
  if (encoder->parts == 1)
    put_segment(writer, 0xDA, (const uint8_t[]){1, 1, 0, 0, 63, 0}, 6, NULL, 0);
  else
    put_segment(writer, 0xDA, (const uint8_t[]){3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0}, 10, NULL, 0);
}

// ---- Blocks ----

// Up to 32 bits; a byte of ones is followed by one of zeros (F.1.2.3).
VECTOR void put_bits(Writer *writer, uint32_t bits, int count) {
  writer->held = writer->held << count | bits;
  writer->count += count;
  if (writer->count < 32) return;
  writer->count -= 32;
  const uint32_t word = (uint32_t)(writer->held >> writer->count);
  if (word & 0x80808080 & ~(word + 0x01010101)) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      const uint8_t byte = (uint8_t)(word >> shift);
      *writer->to++ = byte;
      if (byte == 0xFF) *writer->to++ = 0;
    }
  } else {
    STORE(writer->to, __builtin_bswap32(word));
    writer->to += 4;
  }
}

VECTOR int bits_of(int magnitude) { return 32 - __builtin_clz((unsigned)magnitude); }

// A code and, behind it, a value that is not 0.
VECTOR void put_value(Writer *writer, const Codes *codes, int run, int value) {
  const int size = bits_of(value < 0 ? -value : value);
  const uint32_t code = codes->codes[(run << 4 | size) & 255], rest = (uint32_t)(value < 0 ? value + (1 << size) - 1 : value);
  put_bits(writer, (code >> 8) << size | rest, (int)(code & 255) + size);
}

VECTOR void put_code(Writer *writer, const Codes *codes, int symbol) {
  put_bits(writer, codes->codes[symbol] >> 8, (int)(codes->codes[symbol] & 255));
}

VECTOR i32x4 quantised(i32x4 a, const float *inverse, const float *half) {
  const i32x4 sign = a >> 31;
  const f32x4 magnitude = __builtin_convertvector((a ^ sign) - sign, f32x4);
  const i32x4 steps = __builtin_convertvector((magnitude + LOAD(f32x4, half)) * LOAD(f32x4, inverse), i32x4);
  return (steps ^ sign) - sign;
}

// Coefficients to steps in zigzag order; returns which are not zero.
VECTOR uint64_t in_steps(const i16x8 r[8], const Steps *steps, int16_t out[64]) {
  int16_t natural[64];
  for (int row = 0; row < 8; row++) {
    const i32x4 low = quantised(widened_low(r[row]), steps->inverse + 8 * row, steps->half + 8 * row);
    const i32x4 high = quantised(widened_high(r[row]), steps->inverse + 8 * row + 4, steps->half + 8 * row + 4);
    STORE(natural + 8 * row, narrowed_i16(low, high));
  }
  for (int k = 0; k < 64; k++) out[k] = natural[ZIGZAG[k]];
  uint64_t mask = 0;
  for (int group = 0; group < 4; group++) {
    const i16x8 a = (i16x8)(LOAD(i16x8, out + 16 * group) != 0), b = (i16x8)(LOAD(i16x8, out + 16 * group + 8) != 0);
    mask |= (uint64_t)sign_bits(__builtin_shufflevector((i8x16)a, (i8x16)b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
                                                        26, 28, 30))
            << (16 * group);
  }
  return mask;
}

VECTOR void load8(const uint8_t *samples, int stride, i16x8 r[8]) {
  for (int row = 0; row < 8; row++) r[row] = widened_u8(LOAD(u8x8, samples + row * stride)) - 128;
}

// A block of 8 × 8 samples.
static uint64_t coefficients(const uint8_t *samples, int stride, const Steps *steps, int16_t out[64]) {
  i16x8 r[8];
  load8(samples, stride, r);
  transpose(r);
  transform(r, true);
  transpose(r);
  transform(r, false);
  return in_steps(r, steps, out);
}

// A block of 16 × 16 samples as one of 8 × 8.
static uint64_t halved_coefficients(const uint8_t *samples, int stride, const Steps *steps, int16_t out[64]) {
  i16x8 across[16], r[8];
  for (int half = 0; half < 2; half++) {
    i16x8 columns[16];
    load8(samples + half * 8 * stride, stride, columns);
    load8(samples + half * 8 * stride + 8, stride, columns + 8);
    transpose(columns);
    transpose(columns + 8);
    transform_halving(columns, across + 8 * half, 13 - 2);
    transpose(across + 8 * half);
  }
  transform_halving(across, r, 13 + 2);
  return in_steps(r, steps, out);
}

static void put_direct(JpegEncoder *encoder, Writer *writer, int part, int level) {
  const Codes *const codes = &encoder->direct[part > 0];
  const int change = level - encoder->before[part];
  encoder->before[part] = level;
  if (change)
    put_value(writer, codes, 0, change);
  else
    put_code(writer, codes, 0);
}

static void put_block(JpegEncoder *encoder, int part, const int16_t values[64], uint64_t set) {
  Writer writer = encoder->writer;
  put_direct(encoder, &writer, part, values[0]);
  const Codes *const codes = &encoder->alternating[part > 0];
  int at = 0;
  for (uint64_t left = set & ~(uint64_t)1; left; left &= left - 1) {
    const int k = __builtin_ctzll(left);
    int run = k - at - 1;
    for (; run > 15; run -= 16) put_code(&writer, codes, 0xF0);
    put_value(&writer, codes, run, values[k]);
    at = k;
  }
  if (at != 63) put_code(&writer, codes, 0);
  encoder->writer = writer;
}

// A block outside of the picture.
static void put_nothing(JpegEncoder *encoder, int part) {
  put_direct(encoder, &encoder->writer, part, encoder->before[part]);
  put_code(&encoder->writer, &encoder->alternating[part > 0], 0);
}

// ---- Rows of units ----

static bool reserve(JpegEncoder *encoder, size_t length) {
  const size_t used = (size_t)(encoder->writer.to - encoder->written);
  if (used + length <= encoder->room) return true;
  const size_t room = used + length + encoder->room / 4;
  uint8_t *const longer = realloc(encoder->written, room);
  if (!longer) return false;
  encoder->memory += room - encoder->room;
  encoder->written = longer, encoder->room = room;
  encoder->writer.to = longer + used;
  return true;
}

static void put_units(JpegEncoder *encoder, int blocks_down) {
  const int scale = encoder->scale, stride = encoder->stride, blocks_across = (encoder->width + 7) / 8;
  int16_t values[64];
  for (int unit = 0; unit < encoder->units_across; unit++) {
    for (int down = 0; down < scale; down++) {
      for (int across = 0; across < scale; across++) {
        const int column = unit * scale + across;
        if (down >= blocks_down || column >= blocks_across) {
          put_nothing(encoder, 0);
          continue;
        }
        const uint8_t *const samples = encoder->planes[0] + (size_t)(8 * down) * (size_t)stride + 8 * column;
        put_block(encoder, 0, values, coefficients(samples, stride, &encoder->steps[0], values));
      }
    }
    for (int part = 1; part < encoder->parts; part++) {
      uint64_t set;
      if (encoder->form == FORM_HALVED_PLANES)
        set = coefficients(encoder->halved[part] + 8 * unit, stride / 2, &encoder->steps[1], values);
      else if (scale == 2)
        set = halved_coefficients(encoder->planes[part] + 16 * unit, stride, &encoder->steps[1], values);
      else
        set = coefficients(encoder->planes[part] + 8 * unit, stride, &encoder->steps[1], values);
      put_block(encoder, part, values, set);
    }
  }
}

// Continue a row to the right with its last sample.
static void widen(uint8_t *row, int width, int to) { memset(row + width, row[width - 1], (size_t)(to - width)); }

static void repeat_last(uint8_t *plane, int stride, int rows, int wanted) {
  for (int row = rows; row < wanted; row++)
    memcpy(plane + (size_t)row * (size_t)stride, plane + (size_t)(rows - 1) * (size_t)stride, (size_t)stride);
}

static bool put_gathered(JpegEncoder *encoder) {
  const int rows = encoder->gathered, scale = encoder->scale, whole = 8 * scale, stride = encoder->stride;
  if (!reserve(encoder, (size_t)encoder->units_across * (size_t)(scale * scale + 2) * MOST_BLOCK)) return false;
  for (int part = 0; part < encoder->parts; part++) {
    if (part && encoder->form == FORM_HALVED_PLANES)
      repeat_last(encoder->halved[part], stride / 2, (rows + 1) / 2, 8);
    else
      repeat_last(encoder->planes[part], stride, rows, whole);
  }
  put_units(encoder, (rows + 7) / 8);
  encoder->gathered = 0;
  return true;
}

static void gather(JpegEncoder *encoder, const uint8_t *const rows[3], int row) {
  const size_t width = (size_t)encoder->width, stride = (size_t)encoder->stride;
  const size_t at = (size_t)encoder->gathered * stride;
  if (encoder->form >= FORM_RGB) {
    const int channels = encoder->form == FORM_RGB ? 3 : 4;
    uint8_t *to[3] = {encoder->planes[0] + at, encoder->planes[1] + at, encoder->planes[2] + at};
    split(rows[0] + (size_t)row * width * (size_t)channels, encoder->pixels, encoder->stride, encoder->width, channels);
    for (int part = 0; part < 3; part++) widen(encoder->pixels + (size_t)part * stride, encoder->width, encoder->stride);
    ycc_row(encoder->pixels, encoder->pixels + stride, encoder->pixels + 2 * stride, to, encoder->stride);
    return;
  }
  for (int part = 0; part < encoder->parts; part++) {
    if (part && encoder->form == FORM_HALVED_PLANES) {
      if (row % 2) continue;
      const size_t half = (width + 1) / 2;
      uint8_t *const to = encoder->halved[part] + (size_t)(encoder->gathered / 2) * (stride / 2);
      memcpy(to, rows[part] + (size_t)(row / 2) * half, half);
      widen(to, (int)half, encoder->stride / 2);
    } else {
      memcpy(encoder->planes[part] + at, rows[part] + (size_t)row * width, width);
      widen(encoder->planes[part] + at, encoder->width, encoder->stride);
    }
  }
}

bool jpeg_encode(JpegEncoder *encoder, const uint8_t *const rows[3], int count) {
  for (int row = 0; row < count; row++) {
    gather(encoder, rows, row);
    encoder->gathered++, encoder->seen++;
    if (encoder->gathered < 8 * encoder->scale && encoder->seen < encoder->height) continue;
    if (!put_gathered(encoder)) return false;
  }
  if (encoder->seen < encoder->height || !count) return true;
  // The last byte is filled with ones; each of up to seven that are held may need an escape.
  Writer *const writer = &encoder->writer;
  if (!reserve(encoder, HEADERS)) return false;
  const int spare = -writer->count & 7;
  put_bits(writer, (1u << spare) - 1, spare);
  for (; writer->count >= 8; writer->count -= 8) {
    const uint8_t byte = (uint8_t)(writer->held >> (writer->count - 8));
    *writer->to++ = byte;
    if (byte == 0xFF) *writer->to++ = 0;
  }
  *writer->to++ = 0xFF, *writer->to++ = 0xD9;
  return true;
}

// ---- What else the outside calls ----

static uint8_t *plane_for(JpegEncoder *encoder, size_t length) {
  encoder->memory += length + SLACK;
  return calloc(1, length + SLACK);
}

JpegEncoder *jpeg_encoder_open(int width, int height, int quality, bool halved, JpegForm form) {
  JpegEncoder *const encoder = calloc(1, sizeof(JpegEncoder));
  if (!encoder) return NULL;
  encoder->memory = sizeof(*encoder);
  encoder->width = width, encoder->height = height, encoder->form = form;
  encoder->parts = form == FORM_GREY ? 1 : 3;
  encoder->scale = form != FORM_GREY && (halved || form == FORM_HALVED_PLANES) ? 2 : 1;
  const int unit = 8 * encoder->scale;
  encoder->units_across = (width + unit - 1) / unit;
  encoder->stride = (width + 15) / 16 * 16;
  const size_t length = (size_t)encoder->stride * (size_t)unit;
  bool whole = true;
  for (int part = 0; part < encoder->parts; part++) {
    whole &= (encoder->planes[part] = plane_for(encoder, length)) != NULL;
    whole &= (encoder->halved[part] = plane_for(encoder, part && form == FORM_HALVED_PLANES ? length / 4 : 0)) != NULL;
  }
  whole &= (encoder->pixels = plane_for(encoder, form >= FORM_RGB ? 4 * (size_t)encoder->stride : 0)) != NULL;
  if (!whole || !reserve(encoder, HEADERS)) {
    jpeg_encoder_close(encoder);
    return NULL;
  }
  scale_steps(&encoder->steps[0], LUMA_STEPS, quality);
  scale_steps(&encoder->steps[1], CHROMA_STEPS, quality);
  put_headers(encoder);
  return encoder;
}

void jpeg_encoder_close(JpegEncoder *encoder) {
  for (int part = 0; part < 3; part++) free(encoder->planes[part]), free(encoder->halved[part]);
  free(encoder->pixels), free(encoder->written);
  free(encoder);
}

int jpeg_encoder_missing(const JpegEncoder *encoder) { return encoder->height - encoder->seen; }

size_t jpeg_encoder_written(const JpegEncoder *encoder) { return (size_t)(encoder->writer.to - encoder->written); }

void jpeg_encoder_take(JpegEncoder *encoder, uint8_t *to) {
  memcpy(to, encoder->written, jpeg_encoder_written(encoder));
  encoder->writer.to = encoder->written;
}

size_t jpeg_encoder_memory(const JpegEncoder *encoder) { return encoder->memory; }
