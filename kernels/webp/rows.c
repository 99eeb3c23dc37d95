// libwebp's decoders, a band of rows at a time.
//
// What libwebp offers its users decodes into a whole picture, and for lossless pictures and alpha holds a second one.
// This file drives libwebp's inner functions itself, such that no more is held than what later rows still need:
//
// - VP8 (lossy): a row of macroblocks, and what the next one is predicted from. libwebp hands over the rows through
//   VP8Io.put; the colours, half as fine, are upsampled here as libwebp does it by default, between the lines too, so
//   that a line is finished when the one below it has come.
// - VP8L (lossless, and a lossy picture's alpha): a pixel may repeat what stands up to 2^20 pixels before it, so that
//   many are kept. vp8l_dec.c is included below, for its functions are static. They count pixels from the picture's
//   first; `pixels_` is therefore set to where the first pixel would lie, had all been kept, and moves as pixels are
//   forgotten. Of the picture only what lies in the window is ever touched:
//     behind   a distance is at most 2^20 - 120 (WINDOW), or reaches 7 rows up and 8 pixels aside, which is less, and
//              libwebp checks that it does not reach above the first pixel;
//     ahead    a copy that begins in the last row asked for ends at most COPY pixels further.
//
// The bytes that libwebp takes are counted, for how many Huffman tables there are is the file's to say.

#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "src/dec/alphai_dec.h"
#include "src/dec/vp8i_dec.h"
#include "src/dec/vp8l_dec.c"

enum {
  BAND = NUM_ARGB_CACHE_ROWS,
  WINDOW = 1 << 20,
  COPY = 4096,
  MOVED = 1 << 18,  // pixels to decode between two moves of the window, at least
  LUMA_ROWS = 32,   // a row of macroblocks, and up to 8 rows that the loop filter held back
};

// ---------------------------------------------------------------------------------------------------------------
// Memory

typedef struct {
  size_t used, most, room;
} Account;

// Of the picture that is being decoded; every entrance to this file sets it.
static Account *account;

typedef union {
  size_t size;
  uint8_t aligned[16];
} Prefix;

void *WebPSafeMalloc(uint64_t count, size_t size) {
  const uint64_t wanted = count * size;  // libwebp's counts are below 2^32, its sizes below 2^16
  if (count >> 32 || size >> 16 || wanted > account->room - account->used) return NULL;
  Prefix *const block = malloc(sizeof(Prefix) + (size_t)wanted);
  if (!block) return NULL;
  block->size = (size_t)wanted;
  account->used += block->size;
  if (account->used > account->most) account->most = account->used;
  return block + 1;
}

void *WebPSafeCalloc(uint64_t count, size_t size) {
  void *const block = WebPSafeMalloc(count, size);
  if (block) memset(block, 0, (size_t)(count * size));
  return block;
}

void WebPSafeFree(void *const pointer) {
  if (!pointer) return;
  Prefix *const block = (Prefix *)pointer - 1;
  account->used -= block->size;
  free(block);
}

// ---------------------------------------------------------------------------------------------------------------
// Lossless

typedef struct {
  VP8LDecoder *decoder;
  VP8Io io;
  uint32_t *window;   // the pixels from `begin` on
  size_t begin, room;  // in pixels
  uint32_t *cache;    // a row for the predictor, then the finished rows
  int at, end;        // of the finished rows: the next to hand over, and the one behind the last
} Lossless;

static void lossless_close(Lossless *lossless) {
  if (lossless->decoder) {
    lossless->decoder->pixels_ = NULL;  // it points outside of the window
    VP8LDelete(lossless->decoder);
  }
  WebPSafeFree(lossless->window);
  WebPSafeFree(lossless->cache);
}

static RowsStatus lossless_status(const Lossless *lossless) {
  return lossless->decoder->status_ == VP8_STATUS_OUT_OF_MEMORY ? ROWS_NO_MEMORY : ROWS_BROKEN;
}

// Set where the picture's first pixel would lie.
static void lossless_place(Lossless *lossless) {
  lossless->decoder->pixels_ = (uint32_t *)((uintptr_t)lossless->window - lossless->begin * sizeof(uint32_t));
}

// `headed`: the data begin with a picture's header. An alpha's do not.
static RowsStatus lossless_open(Lossless *lossless, Span data, int headed, int width, int height) {
  VP8LDecoder *const decoder = lossless->decoder = VP8LNew();
  if (!decoder) return ROWS_NO_MEMORY;
  decoder->io_ = &lossless->io;
  VP8LInitBitReader(&decoder->br_, data.data, data.length);
  if (headed) {
    int its_width, its_height, has_alpha;
    if (!ReadImageInfo(&decoder->br_, &its_width, &its_height, &has_alpha)) return ROWS_BROKEN;
    if (its_width != width || its_height != height) return ROWS_BROKEN;
  }
  lossless->io.width = width;
  lossless->io.height = height;
  if (!DecodeImageStream(width, height, 1, decoder, NULL)) return lossless_status(lossless);
  // Its width may have become smaller now: several pixels of few colours are packed into one.
  const size_t total = (size_t)decoder->width_ * (size_t)decoder->height_;
  const size_t band = (size_t)decoder->width_ * BAND;
  const size_t room = WINDOW + (band > MOVED ? band : MOVED) + COPY;
  lossless->room = total < room ? total : room;
  lossless->window = WebPSafeMalloc(lossless->room, sizeof(uint32_t));
  lossless->cache = WebPSafeCalloc((size_t)width * (BAND + 1), sizeof(uint32_t));
  if (!lossless->window || !lossless->cache) return ROWS_NO_MEMORY;
  decoder->argb_cache_ = lossless->cache + width;
  lossless_place(lossless);
  return ROWS_OK;
}

// libwebp calls it when 16 rows are complete, and at the end of what was asked for.
static void lossless_finish(VP8LDecoder *decoder, int row) {
  const int count = row - decoder->last_row_;
  if (count <= 0) return;
  ApplyInverseTransforms(decoder, decoder->last_row_, count,
                         decoder->pixels_ + (size_t)decoder->width_ * (size_t)decoder->last_row_);
  decoder->last_row_ = row;
}

static RowsStatus lossless_band(Lossless *lossless) {
  VP8LDecoder *const decoder = lossless->decoder;
  const int from = decoder->last_row_;
  const int to = from + BAND < decoder->height_ ? from + BAND : decoder->height_;
  const size_t width = (size_t)decoder->width_;
  const size_t total = width * (size_t)decoder->height_;
  size_t needed = (size_t)to * width + COPY;
  if (needed > total) needed = total;
  if (needed > lossless->begin + lossless->room) {
    // A copy may have run into the rows to come: what is decoded ends there, and what is needed begins a window before
    // the first row that is not finished.
    const size_t first = (size_t)from * width;
    const size_t decoded = (size_t)decoder->last_pixel_ > first ? (size_t)decoder->last_pixel_ : first;
    const size_t begin = first - WINDOW;  // the room is larger than a window and a band
    memmove(lossless->window, lossless->window + (begin - lossless->begin), (decoded - begin) * sizeof(uint32_t));
    lossless->begin = begin;
    lossless_place(lossless);
  }
  if (!DecodeImageData(decoder, decoder->pixels_, decoder->width_, decoder->height_, to, lossless_finish))
    return lossless_status(lossless);
  if (decoder->last_row_ != to) return ROWS_BROKEN;
  lossless->at = 0;
  lossless->end = to - from;
  return ROWS_OK;
}

// The next row, a pixel in a word: alpha, red, green, blue from the top byte.
static RowsStatus lossless_row(Lossless *lossless, const uint32_t **row) {
  if (lossless->at == lossless->end) {
    const RowsStatus status = lossless_band(lossless);
    if (status != ROWS_OK) return status;
  }
  *row = lossless->decoder->argb_cache_ + (size_t)lossless->io.width * (size_t)lossless->at++;
  return ROWS_OK;
}

// ---------------------------------------------------------------------------------------------------------------
// Lossy

typedef struct {
  VP8Decoder *decoder;
  VP8Io io;
  int channels, row;
  uint8_t *strip;      // finished rows, and one that is half finished
  int at, end;         // of the strip's rows: the next to hand over, and the one behind the last that is finished
  uint8_t *y, *u, *v;  // the last line, which waits for the one below it
} Lossy;

// alpha_dec.c would hold all of the alpha; it is not part of the build. The decoder is never told of any.
const uint8_t *VP8DecompressAlphaRows(VP8Decoder *const decoder, const VP8Io *const io, int row, int count) {
  (void)decoder, (void)io, (void)row, (void)count;
  return NULL;
}

void WebPDeallocateAlphaMemory(VP8Decoder *const decoder) { (void)decoder; }

static uint8_t *strip_row(const Lossy *lossy, int row) {
  return lossy->strip + (size_t)row * (size_t)lossy->io.width * (size_t)lossy->channels;
}

// Take rows of the picture, finish the line that waited, and let the last one wait. A band begins at an even row.
static int lossy_put(const VP8Io *io) {
  Lossy *const lossy = io->opaque;
  const int width = io->mb_w, count = io->mb_h, last = io->mb_y + count >= io->height;
  if (width != io->width || count < 1 || count > LUMA_ROWS || io->mb_y % 2 || (count % 2 && !last)) return 0;
  const WebPUpsampleLinePairFunc upsample = WebPUpsamplers[lossy->channels == 4 ? MODE_RGBA : MODE_RGB];
  const int waiting = io->mb_y > 0;
  if (waiting)
    upsample(lossy->y, io->y, lossy->u, lossy->v, io->u, io->v, strip_row(lossy, 0), strip_row(lossy, 1), width);
  else
    upsample(io->y, NULL, io->u, io->v, io->u, io->v, strip_row(lossy, 0), NULL, width);
  const uint8_t *y = io->y + io->y_stride, *u = io->u, *v = io->v;
  int row = 1;
  for (; row + 1 < count; row += 2) {
    upsample(y, y + io->y_stride, u, v, u + io->uv_stride, v + io->uv_stride, strip_row(lossy, waiting + row),
             strip_row(lossy, waiting + row + 1), width);
    y += 2 * io->y_stride;
    u += io->uv_stride;
    v += io->uv_stride;
  }
  if (row < count && last) {
    upsample(y, NULL, u, v, u, v, strip_row(lossy, waiting + row), NULL, width);
  } else if (row < count) {
    memcpy(lossy->y, y, (size_t)width);
    memcpy(lossy->u, u, (size_t)(width + 1) / 2);
    memcpy(lossy->v, v, (size_t)(width + 1) / 2);
  }
  lossy->at = 0;
  lossy->end = waiting + count - !last;
  return 1;
}

static RowsStatus lossy_status(const Lossy *lossy) {
  return lossy->decoder->status_ == VP8_STATUS_OUT_OF_MEMORY ? ROWS_NO_MEMORY : ROWS_BROKEN;
}

static RowsStatus lossy_open(Lossy *lossy, Span data, int width, int height, int channels) {
  VP8Decoder *const decoder = lossy->decoder = VP8New();
  if (!decoder || !VP8InitIo(&lossy->io)) return ROWS_NO_MEMORY;
  lossy->channels = channels;
  lossy->io.data = data.data;
  lossy->io.data_size = data.length;
  lossy->io.opaque = lossy;
  lossy->io.put = lossy_put;
  if (!VP8GetHeaders(decoder, &lossy->io)) return lossy_status(lossy);
  if (!decoder->frm_hdr_.key_frame_ || lossy->io.width != width || lossy->io.height != height) return ROWS_BROKEN;
  if (VP8EnterCritical(decoder, &lossy->io) != VP8_STATUS_OK) return lossy_status(lossy);
  if (!VP8InitFrame(decoder, &lossy->io)) return lossy_status(lossy);
  const size_t line = (size_t)width;
  lossy->strip = WebPSafeMalloc(line * (LUMA_ROWS + 1), (size_t)channels);
  lossy->y = WebPSafeMalloc(line, 1);
  lossy->u = WebPSafeMalloc((line + 1) / 2, 1);
  lossy->v = WebPSafeMalloc((line + 1) / 2, 1);
  WebPInitUpsamplers();
  return lossy->strip && lossy->y && lossy->u && lossy->v ? ROWS_OK : ROWS_NO_MEMORY;
}

static void lossy_close(Lossy *lossy) {
  if (lossy->decoder) VP8Delete(lossy->decoder);
  WebPSafeFree(lossy->strip);
  WebPSafeFree(lossy->y);
  WebPSafeFree(lossy->u);
  WebPSafeFree(lossy->v);
}

static RowsStatus lossy_band(Lossy *lossy) {
  VP8Decoder *const decoder = lossy->decoder;
  while (lossy->at == lossy->end) {
    if (decoder->mb_y_ >= decoder->br_mb_y_) return ROWS_BROKEN;
    if (!VP8ParseIntraModeRow(&decoder->br_, decoder)) return ROWS_BROKEN;
    VP8BitReader *const tokens = &decoder->parts_[decoder->mb_y_ & decoder->num_parts_minus_one_];
    for (; decoder->mb_x_ < decoder->mb_w_; decoder->mb_x_++)
      if (!VP8DecodeMB(decoder, tokens)) return ROWS_BROKEN;
    VP8InitScanline(decoder);
    if (!VP8ProcessRow(decoder, &lossy->io)) return ROWS_BROKEN;
    decoder->mb_y_++;
  }
  return ROWS_OK;
}

static RowsStatus lossy_row(Lossy *lossy, const uint8_t **row) {
  if (lossy->at == lossy->end) {
    const RowsStatus status = lossy_band(lossy);
    if (status != ROWS_OK) return status;
  }
  *row = strip_row(lossy, lossy->at++);
  return ROWS_OK;
}

// ---------------------------------------------------------------------------------------------------------------
// A lossy picture's alpha: bytes as they are, or the greens of a lossless picture; both as differences to neighbours.

typedef struct {
  Span raw;
  int packed, filter, width;
  Lossless lossless;
  uint8_t *row, *above;  // `above` is NULL above the first
  uint8_t *lines;
} Alpha;

static RowsStatus alpha_open(Alpha *alpha, Span data, int width, int height) {
  if (data.length < 1 || data.data[0] >> 6) return ROWS_BROKEN;
  const int method = data.data[0] & 3;
  alpha->filter = data.data[0] >> 2 & 3;
  if (method > ALPHA_LOSSLESS_COMPRESSION || (data.data[0] >> 4 & 3) > 1) return ROWS_BROKEN;
  alpha->packed = method == ALPHA_LOSSLESS_COMPRESSION;
  alpha->raw = (Span){data.data + 1, data.length - 1};
  alpha->width = width;
  alpha->lines = WebPSafeMalloc((size_t)width * 2, 1);
  if (!alpha->lines) return ROWS_NO_MEMORY;
  alpha->row = alpha->lines;
  VP8FiltersInit();
  WebPInitAlphaProcessing();
  if (alpha->packed) return lossless_open(&alpha->lossless, alpha->raw, 0, width, height);
  return alpha->raw.length >= (size_t)width * (size_t)height ? ROWS_OK : ROWS_BROKEN;
}

static RowsStatus alpha_row(Alpha *alpha, const uint8_t **row) {
  const size_t width = (size_t)alpha->width;
  if (alpha->packed) {
    const uint32_t *pixels;
    const RowsStatus status = lossless_row(&alpha->lossless, &pixels);
    if (status != ROWS_OK) return status;
    WebPExtractGreen(pixels, alpha->row, alpha->width);
  } else {
    memcpy(alpha->row, alpha->raw.data, width);
    alpha->raw.data += width;
  }
  if (alpha->filter != WEBP_FILTER_NONE)
    WebPUnfilters[alpha->filter](alpha->above, alpha->row, alpha->row, alpha->width);
  *row = alpha->above = alpha->row;
  alpha->row = alpha->row == alpha->lines ? alpha->lines + width : alpha->lines;
  return ROWS_OK;
}

static void alpha_close(Alpha *alpha) {
  lossless_close(&alpha->lossless);
  WebPSafeFree(alpha->lines);
}

// ---------------------------------------------------------------------------------------------------------------
// Both

struct Rows {
  Account account;
  int is_lossless, has_alpha, width, left, channels;
  Lossless lossless;
  Lossy lossy;
  Alpha alpha;
};

RowsStatus rows_open(Rows **opened, Span pixels, Span alpha, int lossless, int width, int height, int channels,
                     size_t room) {
  *opened = NULL;
  if (width < 1 || height < 1 || width > 16384 || height > 16384 || channels < 3 || channels > 4) return ROWS_BROKEN;
  Rows *const rows = calloc(1, sizeof(Rows));
  if (!rows) return ROWS_NO_MEMORY;
  *rows = (Rows){.account = {.room = room}, .is_lossless = lossless, .width = width, .left = height, .channels = channels};
  rows->has_alpha = !lossless && alpha.length > 0 && channels == 4;
  account = &rows->account;
  RowsStatus status = lossless ? lossless_open(&rows->lossless, pixels, 1, width, height)
                               : lossy_open(&rows->lossy, pixels, width, height, channels);
  if (status == ROWS_OK && rows->has_alpha) status = alpha_open(&rows->alpha, alpha, width, height);
  if (status == ROWS_OK)
    *opened = rows;
  else
    rows_close(rows);
  return status;
}

static RowsStatus next_row(Rows *rows, uint8_t *to) {
  RowsStatus status;
  if (rows->is_lossless) {
    const uint32_t *pixels;
    if ((status = lossless_row(&rows->lossless, &pixels)) != ROWS_OK) return status;
    VP8LConvertFromBGRA(pixels, rows->width, rows->channels == 4 ? MODE_RGBA : MODE_RGB, to);
    return ROWS_OK;
  }
  const uint8_t *row;
  if ((status = lossy_row(&rows->lossy, &row)) != ROWS_OK) return status;
  memcpy(to, row, rows_length(rows));
  if (!rows->has_alpha) return ROWS_OK;
  if ((status = alpha_row(&rows->alpha, &row)) != ROWS_OK) return status;
  for (int x = 0; x < rows->width; x++) to[4 * x + 3] = row[x];
  return ROWS_OK;
}

RowsStatus rows_next(Rows *rows, int count, uint8_t *to) {
  if (count < 0 || count > rows->left) return ROWS_BROKEN;
  account = &rows->account;
  for (; count; count--, rows->left--, to += rows_length(rows)) {
    const RowsStatus status = next_row(rows, to);
    if (status == ROWS_OK) continue;
    rows->left = 0;  // nothing can follow
    return status;
  }
  return ROWS_OK;
}

int rows_left(const Rows *rows) { return rows->left; }

size_t rows_length(const Rows *rows) { return (size_t)rows->width * (size_t)rows->channels; }

size_t rows_most(const Rows *rows) { return rows->account.most; }

void rows_close(Rows *rows) {
  account = &rows->account;
  alpha_close(&rows->alpha);
  lossy_close(&rows->lossy);
  lossless_close(&rows->lossless);
  free(rows);
}
