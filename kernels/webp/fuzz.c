// Decodes chunks of random changes to a good file's, natively and under sanitizers: `make fuzz-webp`.
//
//   fuzz <cases> <seed> <file>…      kernels/fuzz_webp.py writes the files
//
// A file has, as little-endian words: lossless, width, height, the pixels' length, the alpha's length; then both.

#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

static uint32_t random_below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return limit ? (uint32_t)(state >> 33) % limit : 0;
}

typedef struct {
  uint32_t lossless, width, height, lengths[2];
  uint8_t *chunks[2];
} Sample;

static Sample read_sample(const char *path) {
  Sample sample;
  FILE *const file = fopen(path, "rb");
  if (!file || fread(&sample, 4, 5, file) != 5) exit(2);
  for (int at = 0; at < 2; at++) {
    sample.chunks[at] = malloc(sample.lengths[at] + 1);
    if (fread(sample.chunks[at], 1, sample.lengths[at], file) != sample.lengths[at]) exit(2);
  }
  fclose(file);
  return sample;
}

// A copy of its own size, such that a byte read past the end is seen; at most cases changed, cut or both.
static Span changed(const uint8_t *data, uint32_t length) {
  uint32_t kept = length;
  if (length && random_below(3) == 0) kept = random_below(length + 1);
  uint8_t *const copy = malloc(kept ? kept : 1);
  memcpy(copy, data, kept);
  if (kept) {
    const uint32_t near = random_below(2) ? kept : kept < 64 ? kept : 64;  // headers and tables are at the start
    for (uint32_t left = random_below(6); left; left--) {
      const uint32_t at = random_below(near);
      copy[at] = random_below(2) ? (uint8_t)random_below(256) : copy[at] ^ (uint8_t)(1u << random_below(8));
    }
  }
  return (Span){copy, kept};
}

static int decoded(const Sample *sample) {
  const Span pixels = changed(sample->chunks[0], sample->lengths[0]);
  const Span alpha = changed(sample->chunks[1], sample->lengths[1]);
  const int channels = 3 + (int)random_below(2);
  const size_t room = random_below(20) ? (size_t)24 << 20 : random_below(6 << 20);
  Rows *rows = NULL;
  RowsStatus status = rows_open(&rows, pixels, alpha, (int)sample->lossless, (int)sample->width, (int)sample->height,
                                channels, room);
  while (status == ROWS_OK && rows_left(rows)) {
    int count = 1 + (int)random_below(40);
    if (count > rows_left(rows)) count = rows_left(rows);
    uint8_t *const to = malloc((size_t)count * rows_length(rows));
    status = rows_next(rows, count, to);
    free(to);
  }
  if (rows) {
    if (rows_most(rows) > room) abort();
    rows_close(rows);
  }
  free((void *)pixels.data);
  free((void *)alpha.data);
  return status == ROWS_OK;
}

int main(int count, char **words) {
  if (count < 4) return 2;
  const long cases = atol(words[1]);
  state = strtoull(words[2], NULL, 10);
  const int files = count - 3;
  Sample *const samples = malloc((size_t)files * sizeof(Sample));
  for (int at = 0; at < files; at++) samples[at] = read_sample(words[3 + at]);
  long good = 0;
  for (long at = 0; at < cases; at++) good += decoded(&samples[random_below((uint32_t)files)]);
  for (int at = 0; at < files; at++)
    for (int chunk = 0; chunk < 2; chunk++) free(samples[at].chunks[chunk]);
  free(samples);
  printf("%ld cases, %ld decoded to the end\n", cases, good);
  return 0;
}
