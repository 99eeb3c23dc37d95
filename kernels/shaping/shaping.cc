// vfa_shaping: which glyphs of a font show a text, and where, as HarfBuzz says.
//
// Pillow's WebAssembly build can neither join Arabic letters nor order Devanagari's signs: it draws one character after
// the other. This module gives Python HarfBuzz's answer, and Pillow then draws glyph by glyph.
//
// HarfBuzz comes as one translation unit without C++'s run-time library. It needs no more of its host than malloc and
// a few functions on strings, which Pyodide exports.

#include "harfbuzz.cc"

#include "python.h"

extern "C" PyObject *PyInit_vfa_shaping(void);

namespace {

// The glyphs of a buffer that was shaped, as Python's list.
PyObject *glyphs_of(hb_buffer_t *buffer) {
  unsigned count = 0;
  const hb_glyph_info_t *infos = hb_buffer_get_glyph_infos(buffer, &count);
  const hb_glyph_position_t *positions = hb_buffer_get_glyph_positions(buffer, &count);
  PyObject *list = PyList_New(static_cast<Py_ssize_t>(count));
  if (!list) return nullptr;
  for (unsigned at = 0; at < count; at++) {
    const hb_glyph_position_t &position = positions[at];
    PyObject *glyph = Py_BuildValue("(Iiii)", infos[at].codepoint, position.x_offset, position.y_offset,
                                    position.x_advance);
    if (!glyph) {
      Py_DecRef(list);
      return nullptr;
    }
    PyList_SetItem(list, static_cast<Py_ssize_t>(at), glyph);
  }
  return list;
}

PyObject *shape(PyObject *, PyObject *arguments) {
  Py_buffer data;
  const char *text, *script;
  Py_ssize_t length;
  int right_to_left;
  if (!PyArg_ParseTuple(arguments, "y*s#sp", &data, &text, &length, &script, &right_to_left)) return nullptr;

  hb_blob_t *blob = hb_blob_create(static_cast<const char *>(data.buf), static_cast<unsigned>(data.len),
                                   HB_MEMORY_MODE_READONLY, nullptr, nullptr);
  hb_face_t *face = hb_face_create(blob, 0);
  hb_font_t *font = hb_font_create(face);
  hb_buffer_t *buffer = hb_buffer_create();
  hb_buffer_add_utf8(buffer, text, length, 0, length);
  hb_buffer_set_direction(buffer, right_to_left ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
  hb_buffer_set_script(buffer, hb_script_from_string(script, -1));
  hb_shape(font, buffer, nullptr, 0);
  PyObject *glyphs = hb_buffer_allocation_successful(buffer) ? glyphs_of(buffer) : PyErr_NoMemory();

  hb_buffer_destroy(buffer);
  hb_font_destroy(font);
  hb_face_destroy(face);
  hb_blob_destroy(blob);
  PyBuffer_Release(&data);
  return glyphs;
}

PyMethodDef methods[] = {
    {"shape", shape, METH_VARARGS,
     "shape(font: bytes, text: str, script: str, right_to_left: bool) -> list[tuple[int, int, int, int]]\n\n"
     "The glyphs from left to right: number, x offset, y offset (up) and advance, in the font's units."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {1,       nullptr, nullptr, 0,       nullptr, "vfa_shaping", nullptr,
                          0,       methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

__attribute__((visibility("default"))) PyObject *PyInit_vfa_shaping(void) { return PyModuleDef_Init(&definition); }
