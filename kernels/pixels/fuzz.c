// Feeds damaged pictures to the kernels, natively and under sanitizers: `make fuzz-kernels`.
//
//   fuzz <cases> <seed> <file>…      the files are JPEGs; kernels/fuzz_kernels.py calls it
//
// Of ten cases seven decode a JPEG whose segments, tables, sizes and data were changed with its structure in view, two
// undo a PNG's filters, and one resizes and encodes rows of random sizes. Every buffer has exactly its length.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chroma_loss.h"
#include "jpeg_decode.h"
#include "jpeg_encode.h"
#include "png_unfilter.h"
#include "resize.h"

enum { MOST = 1 << 16, ROWS = 24, LONG_ROW = 1 << 16 };

static uint64_t state;

static uint32_t below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return limit ? (uint32_t)(state >> 33) % limit : 0;
}

typedef struct {
  uint8_t data[MOST];
  uint32_t length;
} File;

static File read_file(const char *path) {
  File file = {.length = 0};
  FILE *const opened = fopen(path, "rb");
  if (!opened) exit(2);
  file.length = (uint32_t)fread(file.data, 1, MOST / 2, opened);
  fclose(opened);
  return file;
}

// ---- Changes ----

static void insert(File *file, uint32_t at, const uint8_t *bytes, uint32_t count) {
  if (file->length + count > MOST || at > file->length) return;
  memmove(file->data + at + count, file->data + at, file->length - at);
  memcpy(file->data + at, bytes, count);
  file->length += count;
}

static void delete(File *file, uint32_t at, uint32_t count) {
  if (at > file->length || count > file->length - at) return;
  memmove(file->data + at, file->data + at + count, file->length - at - count);
  file->length -= count;
}

typedef struct {
  uint32_t at, length;  // of the marker; of the whole segment
} Segment;

// A segment of the header, and how many there are; the last is the scan's.
static uint32_t segments(const File *file, Segment found[32]) {
  uint32_t count = 0, at = 2;
  while (count < 32 && at + 4 <= file->length && file->data[at] == 0xFF) {
    const uint32_t length = 2 + (uint32_t)(file->data[at + 2] << 8 | file->data[at + 3]);
    if (length > file->length - at) break;
    found[count++] = (Segment){at, length};
    if (file->data[at + 1] == 0xDA) break;
    at += length;
  }
  return count;
}

static uint8_t interesting(void) {
  static const uint8_t values[] = {0, 1, 2, 3, 4, 8, 15, 16, 17, 0x11, 0x22, 0x41, 0x14, 63, 64, 127, 128, 0xD0, 0xD9, 254, 255};
  return below(2) ? values[below(sizeof(values))] : (uint8_t)below(256);
}

static void change_segment(File *file) {
  Segment found[32];
  const uint32_t count = segments(file, found);
  if (!count) return;
  const Segment segment = found[below(count)];
  uint8_t copy[1024];
  const uint32_t kept = segment.length < sizeof(copy) ? segment.length : sizeof(copy);
  memcpy(copy, file->data + segment.at, kept);
  switch (below(6)) {
    case 0: delete(file, segment.at, segment.length); break;
    case 1: insert(file, found[below(count)].at, copy, kept); break;
    case 2: file->data[segment.at + 1] = (uint8_t)(0xC0 + below(0x3F)); break;
    default:
      for (uint32_t left = 1 + below(3); left; left--) file->data[segment.at + 2 + below(segment.length - 2)] = interesting();
  }
}

static void change_frame(File *file) {
  Segment found[32];
  const uint32_t count = segments(file, found);
  for (uint32_t each = 0; each < count; each++) {
    uint8_t *const at = file->data + found[each].at;
    if ((at[1] & 0xFE) != 0xC0 || found[each].length < 10) continue;
    const uint32_t parts = (found[each].length - 10) / 3;
    if (below(2)) at[5] = (uint8_t)below(3), at[6] = interesting(), at[7] = (uint8_t)(below(4) ? 0 : below(256)), at[8] = interesting();
    if (parts) at[11 + 3 * below(parts)] = (uint8_t)((1 + below(4)) << 4 | (1 + below(4)));
  }
}

static void change_data(File *file) {
  Segment found[32];
  const uint32_t count = segments(file, found);
  if (!count) return;
  const uint32_t start = found[count - 1].at + found[count - 1].length, length = file->length - start;
  if (!length) return;
  const uint32_t at = start + below(length);
  const uint8_t marker[] = {0xFF, (uint8_t)(0xD0 + below(10))}, escaped[] = {0xFF, 0}, fill[] = {0xFF, 0xFF, 0xFF};
  switch (below(6)) {
    case 0: delete(file, at, below(file->length - at) % 64); break;
    case 1: insert(file, at, marker, 2); break;
    case 2: insert(file, at, escaped, 2); break;
    case 3: insert(file, at, fill, 3); break;
    default: file->data[at] = below(2) ? interesting() : file->data[at] ^ (uint8_t)(1u << below(8));
  }
}

static void change(File *file) {
  for (uint32_t left = below(5); left; left--) {
    const uint32_t kind = below(8);
    if (kind < 2)
      change_segment(file);
    else if (kind < 3)
      change_frame(file);
    else
      change_data(file);
  }
  if (!below(3)) file->length = below(file->length + 1);
}

// ---- Cases ----

static int decoded(const File *original) {
  static File file;
  file.length = original->length;
  memcpy(file.data, original->data, original->length);
  change(&file);
  static const int sizes[] = {8, 4, 2, 1, 0};
  JpegDecoder *const decoder = jpeg_open(sizes[below(5)], sizes[below(5)]);
  if (!decoder) exit(2);
  JpegStatus status = JPEG_MORE;
  int rows = 0;
  uint32_t start = 0;
  while (rows < ROWS && (status == JPEG_MORE || status == JPEG_ROW)) {
    uint32_t length = below(8) ? 1 + below(700) : 1 + below(9);
    if (length > file.length - start) length = file.length - start;
    uint8_t *const chunk = malloc(length ? length : 1);
    memcpy(chunk, file.data + start, length);
    const uint8_t *at = chunk;
    if (start == file.length) jpeg_end(decoder);
    do {
      status = jpeg_read(decoder, &at, chunk + length);
      if (status != JPEG_ROW) break;
      uint32_t sum = 0;
      for (int part = 0; part < jpeg_components(decoder); part++) {
        const JpegPlane plane = jpeg_plane(decoder, part);
        if (plane.top + plane.count > plane.height || plane.width > plane.stride) abort();
        for (int row = 0; row < plane.count; row++) sum += plane.rows[row * plane.stride + plane.width - 1];
      }
      if (sum > 1u << 30) abort();
    } while (++rows < ROWS);
    if (jpeg_memory(decoder) > 3u << 20) abort();
    start += length;
    free(chunk);
  }
  jpeg_close(decoder);
  return status == JPEG_DONE || rows == ROWS;
}

static int unfiltered(void) {
  static const int steps[] = {1, 2, 3, 4, 6, 8};
  const int step = steps[below(6)], length = step * (int)(1 + below(below(10) ? 80 : LONG_ROW / 8));
  const size_t room = (size_t)length + UNFILTER_SLACK;
  uint8_t *above = calloc(1, room), *row = malloc(room);
  int good = 1;
  for (uint32_t left = 1 + below(6); left && good; left--) {
    for (size_t at = 0; at < room; at++) row[at] = (uint8_t)below(256);
    good = png_unfilter((int)below(below(20) ? 5 : 256), row, above, length, step);
    uint8_t *const swapped = above;
    above = row, row = swapped;
  }
  uint8_t *const two = malloc(2 * (size_t)length + UNFILTER_SLACK);
  for (size_t at = 0; at < 2 * (size_t)length + UNFILTER_SLACK; at++) two[at] = (uint8_t)below(256);
  png_unfilter_pair((int)below(5), two, two + length, above, length, step);
  free(above), free(row), free(two);
  return good;
}

static int encoded(void) {
  const int width = 1 + (int)below(70), height = 1 + (int)below(70), out_width = 1 + (int)below(90), out_height = 1 + (int)below(90);
  const JpegForm form = (JpegForm)below(5);
  const int channels = form == FORM_RGB ? 3 : form == FORM_RGBX ? 4 : 1;
  const double left = below((uint32_t)width * 8) / 8.0, top = below((uint32_t)height * 8) / 8.0;
  const ResizeShape shape = {width, height, channels, left, top, left + (width - left) * (1 + below(8)) / 8.0,
                             top + (height - top) * (1 + below(8)) / 8.0, out_width, out_height, (ResizeKernel)(1 + below(3))};
  const size_t line = (size_t)width * (size_t)channels, out_line = (size_t)out_width * (size_t)channels;
  Resizer *const resizer = resize_open(&shape);
  uint8_t *const row = malloc(line);
  for (int y = 0; y < height; y++) {
    for (size_t x = 0; x < line; x++) row[x] = (uint8_t)(below(2) ? below(256) : 255 * below(2));
    if (!resize_push(resizer, row, line, 1)) exit(2);
  }
  if (resize_ready(resizer) != out_height) abort();
  uint8_t *const pixels = malloc(out_line * (size_t)out_height);
  resize_take(resizer, pixels, out_height);
  JpegEncoder *const encoder = jpeg_encoder_open(out_width, out_height, 1 + (int)below(100), below(2) || form == FORM_HALVED_PLANES, form);
  for (int y = 0; y < out_height;) {
    int count = 2 + 2 * (int)below(20);
    if (count > out_height - y) count = out_height - y;
    const uint8_t *const from = pixels + (size_t)y * out_line, *const rows[3] = {from, from, from};
    if (!jpeg_encode(encoder, rows, count)) exit(2);
    y += count;
    uint8_t *const bytes = malloc(jpeg_encoder_written(encoder) + 1);
    jpeg_encoder_take(encoder, bytes);
    free(bytes);
  }
  if (channels == 1 && chroma_loss(pixels, pixels, out_width, out_height) < 0) abort();
  jpeg_encoder_close(encoder), resize_close(resizer);
  free(row), free(pixels);
  return 1;
}

int main(int count, char **words) {
  if (count < 4) return 2;
  const long cases = atol(words[1]);
  state = strtoull(words[2], NULL, 10);
  const uint32_t files = (uint32_t)count - 3;
  File *const originals = malloc(files * sizeof(File));
  for (uint32_t each = 0; each < files; each++) originals[each] = read_file(words[3 + each]);
  long tried[3] = {0}, good[3] = {0};
  for (long each = 0; each < cases; each++) {
    const uint32_t turn = below(10), kind = turn < 7 ? 0 : turn < 9 ? 1 : 2;
    tried[kind]++;
    good[kind] += kind == 0 ? decoded(&originals[below(files)]) : kind == 1 ? unfiltered() : encoded();
  }
  free(originals);
  printf("decoded %ld of %ld, unfiltered %ld of %ld, encoded %ld\n", good[0], tried[0], good[1], tried[1], good[2]);
  return 0;
}
