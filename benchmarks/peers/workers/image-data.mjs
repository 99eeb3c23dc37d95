// The class of the web that jSquash's codecs answer with, which workerd lacks; import it before them.

globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
