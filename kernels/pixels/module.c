// vfa_kernels: the objects that Python sees. Each checks what it is given; the kernels trust what was checked.
//
// Sizes, boxes and buffers come from the renderers; bytes of pictures come from anybody, and are judged in the kernels.

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "chroma_loss.h"
#include "jpeg_decode.h"
#include "jpeg_encode.h"
#include "png_unfilter.h"
#include "python.h"
#include "resize.h"

static PyObject *refuse(const char *reason) {
  PyErr_SetString(PyExc_ValueError, reason);
  return NULL;
}

static PyObject *truth(bool value) { return PyBool_FromLong(value); }

static PyObject *none(void) { return Py_BuildValue(""); }

// A new object of `type`, all zeros behind its head; the type is kept as long as the object.
static void *made(PyObject *type) { return PyType_GenericAlloc(type, 0); }

static void release(PyObject *self) {
  PyObject *const type = self->type;
  PyObject_Free(self);
  Py_DecRef(type);
}

// ---- Resizer ----

typedef struct {
  PyObject head;
  ResizeShape shape;
  Resizer *resizer;
} ResizerObject;

static PyObject *resizer_type;  // one for the process: a Resizer is known by it

static PyObject *resizer_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"size", "box", "out", "kernel", "channels", NULL};
  ResizeShape shape = {.kernel = RESIZE_LANCZOS, .channels = 1};
  int kernel = RESIZE_LANCZOS;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "(ii)(dddd)(ii)|ii", names, &shape.width, &shape.height,
                                   &shape.left, &shape.top, &shape.right, &shape.bottom, &shape.out_width,
                                   &shape.out_height, &kernel, &shape.channels))
    return NULL;
  if (kernel < RESIZE_LANCZOS || kernel > RESIZE_BICUBIC) return refuse("there is no such kernel");
  if (shape.channels < 1 || shape.channels > RESIZE_MOST_CHANNELS) return refuse("channels are 1 to 4");
  shape.kernel = (ResizeKernel)kernel;
  if (shape.width < 1 || shape.height < 1 || shape.width > RESIZE_LONGEST_EDGE || shape.height > RESIZE_LONGEST_EDGE ||
      shape.out_width < 1 || shape.out_height < 1 || shape.out_width > RESIZE_LONGEST_OUT ||
      shape.out_height > RESIZE_LONGEST_OUT)
    return refuse("an edge is too short or too long");
  if (!(shape.left >= 0 && shape.left < shape.right && shape.right <= shape.width && shape.top >= 0 &&
        shape.top < shape.bottom && shape.bottom <= shape.height))
    return refuse("the box is empty, or not inside");
  ResizerObject *const self = made(type);
  if (!self) return NULL;
  self->shape = shape;
  self->resizer = resize_open(&shape);
  if (self->resizer) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void resizer_free(PyObject *self) {
  ResizerObject *const object = (ResizerObject *)self;
  if (object->resizer) resize_close(object->resizer);
  release(self);
}

static PyObject *resizer_push(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  Py_buffer rows;
  if (!PyArg_ParseTuple(arguments, "y*", &rows)) return NULL;
  const Py_ssize_t length = (Py_ssize_t)object->shape.width * object->shape.channels, count = rows.len / length;
  PyObject *result = NULL;
  if (rows.len % length)
    refuse("the rows are not whole");
  else if (count > resize_missing(object->resizer))
    refuse("more rows than the picture has");
  else if (!resize_push(object->resizer, rows.buf, (size_t)length, (int)count))
    PyErr_NoMemory();
  else
    result = none();
  PyBuffer_Release(&rows);
  return result;
}

static PyObject *resizer_take(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  int most = resize_ready(object->resizer);
  if (!PyArg_ParseTuple(arguments, "|i", &most)) return NULL;
  if (most < 0) return refuse("no number of rows");
  const int count = most < resize_ready(object->resizer) ? most : resize_ready(object->resizer);
  const Py_ssize_t length = (Py_ssize_t)object->shape.out_width * object->shape.channels;
  PyObject *const rows = PyBytes_FromStringAndSize(NULL, length * count);
  if (rows) resize_take(object->resizer, (uint8_t *)PyBytes_AsString(rows), count);
  return rows;
}

static PyObject *resizer_take_into(PyObject *self, PyObject *arguments) {
  ResizerObject *const object = (ResizerObject *)self;
  Py_buffer to;
  Py_ssize_t offset = 0;
  if (!PyArg_ParseTuple(arguments, "w*|n", &to, &offset)) return NULL;
  const Py_ssize_t length = (Py_ssize_t)object->shape.out_width * object->shape.channels;
  PyObject *result = NULL;
  if (offset < 0 || offset > to.len) {
    refuse("the offset is not inside");
  } else {
    const Py_ssize_t room = (to.len - offset) / length;
    const int count = room < resize_ready(object->resizer) ? (int)room : resize_ready(object->resizer);
    resize_take(object->resizer, (uint8_t *)to.buf + offset, count);
    result = Py_BuildValue("i", count);
  }
  PyBuffer_Release(&to);
  return result;
}

static PyObject *resizer_ready(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", resize_ready(((ResizerObject *)self)->resizer));
}

static PyObject *resizer_missing(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", resize_missing(((ResizerObject *)self)->resizer));
}

static PyObject *resizer_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)resize_memory(((ResizerObject *)self)->resizer));
}

static PyMethodDef resizer_methods[] = {
    {"push", resizer_push, METH_VARARGS, "Take the next rows of the source."},
    {"take", resizer_take, METH_VARARGS, "The rows that are made, or the first of them."},
    {"take_into", resizer_take_into, METH_VARARGS, "The same into a buffer; how many rows."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef resizer_attributes[] = {
    {"ready", resizer_ready, NULL, "Rows that are made, and were not taken.", NULL},
    {"missing", resizer_missing, NULL, "Rows of the source that have not come.", NULL},
    {"memory", resizer_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot resizer_slots[] = {
    {Py_tp_new, (void *)resizer_new},         {Py_tp_dealloc, (void *)resizer_free},
    {Py_tp_methods, (void *)resizer_methods}, {Py_tp_getset, (void *)resizer_attributes},
    {Py_tp_doc, "Resizes a picture whose rows come one after the other."},
    {0, NULL},
};

static PyType_Spec resizer_spec = {"vfa_kernels.Resizer", sizeof(ResizerObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   resizer_slots};

// ---- JpegDecoder ----

enum { MOST_ATTACHED = 12 };

typedef struct {
  PyObject head;
  JpegDecoder *decoder;
  Py_buffer data;  // the bytes that are being read, from `at` on
  const uint8_t *at;
  bool feeding, stepped, ended, done;
  int attached;
  struct {
    int component;
    ResizerObject *resizer;
  } resizers[MOST_ATTACHED];
} DecoderObject;

static int block_size(int scale) { return scale == 0 ? 0 : 8 / scale; }

static PyObject *decoder_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"luma", "chroma", NULL};
  int scales[2] = {1, 1};
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "|ii", names, &scales[0], &scales[1])) return NULL;
  for (int each = 0; each < 2; each++)
    if (scales[each] != 0 && scales[each] != 1 && scales[each] != 2 && scales[each] != 4 && scales[each] != 8)
      return refuse("scales are 1, 2, 4, 8, or 0 for what is not wanted");
  DecoderObject *const self = made(type);
  if (!self) return NULL;
  self->decoder = jpeg_open(block_size(scales[0]), block_size(scales[1]));
  if (self->decoder) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void stop_feeding(DecoderObject *self) {
  if (self->feeding) PyBuffer_Release(&self->data);
  self->feeding = false;
}

static void decoder_free(PyObject *self) {
  DecoderObject *const object = (DecoderObject *)self;
  stop_feeding(object);
  for (int each = 0; each < object->attached; each++) Py_DecRef(&object->resizers[each].resizer->head);
  if (object->decoder) jpeg_close(object->decoder);
  release(self);
}

static PyObject *decoder_attach(PyObject *self, PyObject *arguments) {
  DecoderObject *const object = (DecoderObject *)self;
  int component;
  PyObject *resizer;
  if (!PyArg_ParseTuple(arguments, "iO!", &component, resizer_type, &resizer)) return NULL;
  if (component < 0 || component >= JPEG_MOST_COMPONENTS) return refuse("there is no such component");
  if (object->attached == MOST_ATTACHED) return refuse("too many resizers");
  if (object->stepped) return refuse("rows have been decoded already");
  Py_IncRef(resizer);
  object->resizers[object->attached].component = component;
  object->resizers[object->attached++].resizer = (ResizerObject *)resizer;
  return none();
}

static PyObject *decoder_feed(PyObject *self, PyObject *arguments) {
  DecoderObject *const object = (DecoderObject *)self;
  Py_buffer data;
  if (!PyArg_ParseTuple(arguments, "y*", &data)) return NULL;
  if (object->ended || (object->feeding && object->at < (const uint8_t *)object->data.buf + object->data.len)) {
    PyBuffer_Release(&data);
    return refuse(object->ended ? "the file has ended" : "the bytes before are not read yet");
  }
  stop_feeding(object);
  object->data = data;
  object->at = data.buf;
  object->feeding = true;
  return none();
}

static PyObject *decoder_end(PyObject *self, PyObject *unused) {
  (void)unused;
  ((DecoderObject *)self)->ended = true;
  return none();
}

// Hand the row of units that is there to the resizers. False: an error is set.
static bool hand_on(DecoderObject *self) {
  for (int each = 0; each < self->attached; each++) {
    const int component = self->resizers[each].component;
    ResizerObject *const resizer = self->resizers[each].resizer;
    if (component >= jpeg_components(self->decoder)) return refuse("the picture has no such component") != NULL;
    const JpegPlane plane = jpeg_plane(self->decoder, component);
    const ResizeShape *const shape = &resizer->shape;
    if (shape->channels != 1 || shape->width != plane.width || shape->height != plane.height ||
        resize_missing(resizer->resizer) != plane.height - plane.top)
      return refuse("the resizer is for a plane of another size") != NULL;
    if (!resize_push(resizer->resizer, plane.rows, (size_t)plane.stride, plane.count)) return PyErr_NoMemory() != NULL;
  }
  return true;
}

static PyObject *failed(const DecoderObject *self, JpegStatus status) {
  switch (status) {
    case JPEG_NO_MEMORY: return PyErr_NoMemory();
    case JPEG_UNSUPPORTED:
      PyErr_SetString(PyExc_NotImplementedError, "the JPEG is of a kind that is not decoded here");
      return NULL;
    case JPEG_CUT_SHORT:
      return PyErr_Format(PyExc_ValueError, "the JPEG ends in row %d", jpeg_row(self->decoder));
    default: return refuse("the JPEG's header is broken");
  }
}

static PyObject *decoder_step(PyObject *self, PyObject *unused) {
  (void)unused;
  DecoderObject *const object = (DecoderObject *)self;
  if (object->done) return truth(false);
  const uint8_t none_left = 0;
  const uint8_t *at = object->feeding ? object->at : &none_left;
  const uint8_t *const end = object->feeding ? (const uint8_t *)object->data.buf + object->data.len : at;
  JpegStatus status = jpeg_read(object->decoder, &at, end);
  if (object->feeding) object->at = at;
  if (status == JPEG_MORE && object->ended) {
    jpeg_end(object->decoder);
    status = jpeg_read(object->decoder, &at, at);
  }
  if (at == end) stop_feeding(object);
  if (status == JPEG_ROW) {
    object->stepped = true;
    return hand_on(object) ? truth(true) : NULL;
  }
  object->done = status == JPEG_DONE;
  return status == JPEG_DONE || status == JPEG_MORE ? truth(false) : failed(object, status);
}

// The plane of the component that is named; false: an error is set.
static bool named_plane(PyObject *self, PyObject *arguments, JpegPlane *plane) {
  DecoderObject *const object = (DecoderObject *)self;
  int component;
  if (!PyArg_ParseTuple(arguments, "i", &component)) return false;
  if (component < 0 || component >= jpeg_components(object->decoder))
    return refuse("there is no such component, or no header yet") != NULL;
  *plane = jpeg_plane(object->decoder, component);
  return true;
}

static PyObject *decoder_size(PyObject *self, PyObject *arguments) {
  JpegPlane plane;
  return named_plane(self, arguments, &plane) ? Py_BuildValue("(ii)", plane.width, plane.height) : NULL;
}

static PyObject *decoder_rows(PyObject *self, PyObject *arguments) {
  JpegPlane plane;
  if (!named_plane(self, arguments, &plane)) return NULL;
  PyObject *const rows = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)plane.width * plane.count);
  if (!rows) return NULL;
  char *const to = PyBytes_AsString(rows);
  for (int row = 0; row < plane.count; row++)
    memcpy(to + (size_t)row * (size_t)plane.width, plane.rows + (size_t)row * (size_t)plane.stride, (size_t)plane.width);
  return rows;
}

static PyObject *decoder_components(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_components(((DecoderObject *)self)->decoder));
}

static PyObject *decoder_done(PyObject *self, void *closure) {
  (void)closure;
  return truth(((DecoderObject *)self)->done);
}

static PyObject *decoder_row(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_row(((DecoderObject *)self)->decoder));
}

static PyObject *decoder_damage(PyObject *self, void *closure) {
  (void)closure;
  const int row = jpeg_damage(((DecoderObject *)self)->decoder);
  return row < 0 ? none() : Py_BuildValue("i", row);
}

static PyObject *decoder_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)jpeg_memory(((DecoderObject *)self)->decoder));
}

static PyMethodDef decoder_methods[] = {
    {"attach", decoder_attach, METH_VARARGS, "Hand the component's rows to a Resizer as they are decoded."},
    {"feed", decoder_feed, METH_VARARGS, "Give the next bytes of the file."},
    {"end", decoder_end, METH_NOARGS, "Say that no more bytes will come."},
    {"step", decoder_step, METH_NOARGS, "Decode the next row of units; False: feed more, or all is done."},
    {"size", decoder_size, METH_VARARGS, "Width and height of a component's plane."},
    {"rows", decoder_rows, METH_VARARGS, "A component's rows that the last step decoded."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef decoder_attributes[] = {
    {"components", decoder_components, NULL, "How many, 0 before the header is read.", NULL},
    {"done", decoder_done, NULL, "Whether every row is decoded.", NULL},
    {"row", decoder_row, NULL, "Rows of the picture at full scale that were read.", NULL},
    {"damage", decoder_damage, NULL, "The first such row with damage that was passed over, or None.", NULL},
    {"memory", decoder_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot decoder_slots[] = {
    {Py_tp_new, (void *)decoder_new},         {Py_tp_dealloc, (void *)decoder_free},
    {Py_tp_methods, (void *)decoder_methods}, {Py_tp_getset, (void *)decoder_attributes},
    {Py_tp_doc, "Decodes a baseline JPEG, as its bytes come, to planes."},
    {0, NULL},
};

static PyType_Spec decoder_spec = {"vfa_kernels.JpegDecoder", sizeof(DecoderObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   decoder_slots};

// ---- JpegEncoder ----

enum { LONGEST_JPEG_EDGE = 65500 };  // of libjpeg

typedef struct {
  PyObject head;
  JpegForm form;
  int width;
  JpegEncoder *encoder;
} EncoderObject;

// Bytes of a pixel of each form's rows, and how many buffers they come in.
static const char *const FORMS[] = {"grey", "planes", "halved planes", "RGB", "RGBX"};
static const int CHANNELS[] = {1, 1, 1, 3, 4}, BUFFERS[] = {1, 3, 3, 1, 1};

static PyObject *encoder_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"size", "quality", "halved", "form", NULL};
  int width, height, quality, halved = 1, form = 0;
  const char *name = "planes";
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "(ii)i|ps", names, &width, &height, &quality, &halved, &name))
    return NULL;
  while (form <= FORM_RGBX && strcmp(FORMS[form], name) != 0) form++;
  if (form > FORM_RGBX) return refuse("there is no such form");
  if (width < 1 || height < 1 || width > LONGEST_JPEG_EDGE || height > LONGEST_JPEG_EDGE)
    return refuse("edges are 1 to 65,500");
  if (quality < 1 || quality > 100) return refuse("quality is 1 to 100");
  if (form == FORM_HALVED_PLANES && !halved) return refuse("halved planes cannot be stored in full");
  EncoderObject *const self = made(type);
  if (!self) return NULL;
  self->form = (JpegForm)form;
  self->width = width;
  self->encoder = jpeg_encoder_open(width, height, quality, halved, self->form);
  if (self->encoder) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void encoder_free(PyObject *self) {
  EncoderObject *const object = (EncoderObject *)self;
  if (object->encoder) jpeg_encoder_close(object->encoder);
  release(self);
}

static PyObject *written(const EncoderObject *self) {
  PyObject *const bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)jpeg_encoder_written(self->encoder));
  if (bytes) jpeg_encoder_take(self->encoder, (uint8_t *)PyBytes_AsString(bytes));
  return bytes;
}

// How many rows the buffers have; negative: they do not fit the form or each other, which an error says.
static int rows_of(const EncoderObject *self, const Py_buffer *buffers) {
  const Py_ssize_t line = (Py_ssize_t)self->width * CHANNELS[self->form], count = buffers[0].len / line;
  const int missing = jpeg_encoder_missing(self->encoder);
  bool whole = buffers[0].len % line == 0, even = true;
  if (self->form == FORM_PLANES) whole &= buffers[1].len == buffers[0].len && buffers[2].len == buffers[0].len;
  if (self->form == FORM_HALVED_PLANES) {
    const Py_ssize_t half = (count + 1) / 2 * ((self->width + 1) / 2);
    whole &= buffers[1].len == half && buffers[2].len == half;
    even = count % 2 == 0 || count == missing;
  }
  if (count <= missing && whole && even) return (int)count;
  refuse(count > missing ? "more rows than the picture has" : whole ? "the rows are odd" : "the rows are not whole");
  return -1;
}

static PyObject *encoder_push(PyObject *self, PyObject *arguments) {
  EncoderObject *const object = (EncoderObject *)self;
  Py_buffer buffers[3];
  const int wanted = BUFFERS[object->form];
  if (!PyArg_ParseTuple(arguments, wanted == 3 ? "y*y*y*" : "y*", &buffers[0], &buffers[1], &buffers[2])) return NULL;
  const int count = rows_of(object, buffers);
  const uint8_t *rows[3] = {buffers[0].buf, NULL, NULL};
  for (int each = 1; each < wanted; each++) rows[each] = buffers[each].buf;
  PyObject *result = NULL;
  if (count >= 0) result = jpeg_encode(object->encoder, rows, count) ? written(object) : PyErr_NoMemory();
  for (int each = 0; each < wanted; each++) PyBuffer_Release(&buffers[each]);
  return result;
}

static PyObject *encoder_missing(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("i", jpeg_encoder_missing(((EncoderObject *)self)->encoder));
}

static PyObject *encoder_memory(PyObject *self, void *closure) {
  (void)closure;
  return Py_BuildValue("n", (Py_ssize_t)jpeg_encoder_memory(((EncoderObject *)self)->encoder));
}

static PyMethodDef encoder_methods[] = {
    {"push", encoder_push, METH_VARARGS, "Take the next rows: the bytes that are written by now."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef encoder_attributes[] = {
    {"missing", encoder_missing, NULL, "Rows that have not come.", NULL},
    {"memory", encoder_memory, NULL, "Bytes.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot encoder_slots[] = {
    {Py_tp_new, (void *)encoder_new},         {Py_tp_dealloc, (void *)encoder_free},
    {Py_tp_methods, (void *)encoder_methods}, {Py_tp_getset, (void *)encoder_attributes},
    {Py_tp_doc, "Writes a baseline JPEG from rows."},
    {0, NULL},
};

static PyType_Spec encoder_spec = {"vfa_kernels.JpegEncoder", sizeof(EncoderObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                   encoder_slots};

// ---- Unfilter ----

enum { LONGEST_ROW = 1 << 28, FEW = 2 * UNFILTER_SLACK };

typedef struct {
  PyObject head;
  int length, step;
  uint8_t *above, *row;  // with UNFILTER_SLACK behind them
} UnfilterObject;

static PyObject *unfilter_new(PyObject *type, PyObject *arguments, PyObject *named) {
  static char *names[] = {"length", "step", NULL};
  int length, step;
  if (!PyArg_ParseTupleAndKeywords(arguments, named, "ii", names, &length, &step)) return NULL;
  if (step < 1 || step > 8 || step == 5 || step == 7) return refuse("a pixel has 1, 2, 3, 4, 6 or 8 bytes");
  if (length < 1 || length > LONGEST_ROW || length % step) return refuse("a row is not of whole pixels, or too long");
  UnfilterObject *const self = made(type);
  if (!self) return NULL;
  self->length = length;
  self->step = step;
  self->above = calloc(1, (size_t)length + UNFILTER_SLACK);
  self->row = calloc(1, (size_t)length + UNFILTER_SLACK);
  if (self->above && self->row) return &self->head;
  Py_DecRef(&self->head);
  return PyErr_NoMemory();
}

static void unfilter_free(PyObject *self) {
  UnfilterObject *const object = (UnfilterObject *)self;
  free(object->above), free(object->row);
  release(self);
}

// Rows are undone where they go; the last one, and short ones, apart, for bytes behind a row are written too.
static bool undo_rows(UnfilterObject *self, const uint8_t *from, uint8_t *to, Py_ssize_t count) {
  const size_t length = (size_t)self->length;
  const uint8_t *above = self->above;
  for (Py_ssize_t each = 0; each < count; each++, from += 1 + length, to += length) {
    const bool apart = each == count - 1 || self->length < FEW;
    uint8_t *const row = apart ? self->row : to;
    memcpy(row, from + 1, length);
    if (!png_unfilter(from[0], row, above, self->length, self->step)) return false;
    above = row;
    if (!apart) continue;
    memcpy(to, row, length);
    self->row = self->above;
    self->above = row;
  }
  return true;
}

static PyObject *unfilter_push(PyObject *self, PyObject *arguments) {
  UnfilterObject *const object = (UnfilterObject *)self;
  Py_buffer rows;
  if (!PyArg_ParseTuple(arguments, "y*", &rows)) return NULL;
  const Py_ssize_t count = rows.len / (object->length + 1);
  PyObject *result = NULL;
  if (rows.len % (object->length + 1)) {
    refuse("the rows are not whole");
  } else {
    result = PyBytes_FromStringAndSize(NULL, count * object->length);
    if (result && !undo_rows(object, rows.buf, (uint8_t *)PyBytes_AsString(result), count)) {
      Py_DecRef(result);
      result = refuse("there is no such filter");
    }
  }
  PyBuffer_Release(&rows);
  return result;
}

static PyMethodDef unfilter_methods[] = {
    {"push", unfilter_push, METH_VARARGS, "Rows with their filter bytes as rows without."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot unfilter_slots[] = {
    {Py_tp_new, (void *)unfilter_new},
    {Py_tp_dealloc, (void *)unfilter_free},
    {Py_tp_methods, (void *)unfilter_methods},
    {Py_tp_doc, "Undoes the filters of a PNG's rows."},
    {0, NULL},
};

static PyType_Spec unfilter_spec = {"vfa_kernels.Unfilter", sizeof(UnfilterObject), 0, Py_TPFLAGS_IMMUTABLETYPE,
                                    unfilter_slots};

// ---- Chroma ----

static PyObject *loss(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_buffer cb, cr;
  int width, height;
  if (!PyArg_ParseTuple(arguments, "y*y*(ii)", &cb, &cr, &width, &height)) return NULL;
  PyObject *result = NULL;
  const bool fitting = width > 0 && height > 0 && width <= RESIZE_LONGEST_OUT && height <= RESIZE_LONGEST_OUT &&
                       cb.len == cr.len && cb.len / width == height && cb.len % width == 0;
  if (fitting) {
    const double levels = chroma_loss(cb.buf, cr.buf, width, height);
    result = levels < 0 ? PyErr_NoMemory() : Py_BuildValue("d", levels);
  } else {
    refuse("the planes are not of that size");
  }
  PyBuffer_Release(&cb);
  PyBuffer_Release(&cr);
  return result;
}

// 16 pixels at a time, through planes of this many.
enum { PART = 256 };

static void ycc(const uint8_t *from, Py_ssize_t count, int channels, uint8_t *to[3]) {
  uint8_t rgb[4 * PART], made_of[3][PART];
  for (Py_ssize_t at = 0; at < count; at += PART) {
    const int some = count - at < PART ? (int)(count - at) : PART;
    uint8_t *const planes[3] = {made_of[0], made_of[1], made_of[2]};
    uint8_t *mine[3] = {planes[0], planes[1], planes[2]};
    memset(rgb, 0, sizeof(rgb));
    split(from + at * channels, rgb, PART, some, channels);
    ycc_row(rgb, rgb + PART, rgb + 2 * PART, mine, some);
    for (int part = 0; part < 3; part++) memcpy(to[part] + at, planes[part], (size_t)some);
  }
}

static PyObject *ycc_planes(PyObject *self, PyObject *arguments) {
  (void)self;
  Py_buffer rows;
  int channels;
  if (!PyArg_ParseTuple(arguments, "y*i", &rows, &channels)) return NULL;
  PyObject *planes[3] = {NULL, NULL, NULL}, *result = NULL;
  if ((channels != 3 && channels != 4) || rows.len % channels) {
    refuse("pixels are of 3 or 4 bytes, and whole");
  } else {
    for (int part = 0; part < 3; part++) planes[part] = PyBytes_FromStringAndSize(NULL, rows.len / channels);
    if (planes[0] && planes[1] && planes[2]) {
      uint8_t *to[3];
      for (int part = 0; part < 3; part++) to[part] = (uint8_t *)PyBytes_AsString(planes[part]);
      ycc(rows.buf, rows.len / channels, channels, to);
      result = Py_BuildValue("(OOO)", planes[0], planes[1], planes[2]);
    }
  }
  for (int part = 0; part < 3; part++)
    if (planes[part]) Py_DecRef(planes[part]);
  PyBuffer_Release(&rows);
  return result;
}

static PyMethodDef functions[] = {
    {"chroma_loss", loss, METH_VARARGS, "Levels that halving the chroma planes would cost."},
    {"ycc_planes", ycc_planes, METH_VARARGS, "Y, Cb and Cr of pixels of 3 or 4 bytes."},
    {NULL, NULL, 0, NULL},
};

// ---- The module ----

static int add_type(PyObject *module, const char *name, PyType_Spec *spec, PyObject **kept) {
  PyObject *const type = PyType_FromModuleAndSpec(module, spec, NULL);
  if (!type) return -1;
  const int status = PyModule_AddObjectRef(module, name, type);
  if (kept && !status)
    *kept = type;
  else
    Py_DecRef(type);
  return status;
}

static int execute(PyObject *module) {
  if (add_type(module, "Resizer", &resizer_spec, &resizer_type)) return -1;
  if (add_type(module, "JpegDecoder", &decoder_spec, NULL) || add_type(module, "JpegEncoder", &encoder_spec, NULL)) return -1;
  return add_type(module, "Unfilter", &unfilter_spec, NULL);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0, NULL}};

static PyModuleDef definition = {.reference_count = 1, .name = "vfa_kernels", .methods = functions, .slots = slots};

PyObject *PyInit_vfa_kernels(void);

__attribute__((visibility("default"))) PyObject *PyInit_vfa_kernels(void) { return PyModuleDef_Init(&definition); }
