// EXIF of JPEG, PNG and WebP files, kept in the result, and XMP that says that an algorithm made
// the colors.

const ORIENTATION = 0x0112, EXIF_IFD = 0x8769, GPS_IFD = 0x8825;
const WIDTH = 0xa002, HEIGHT = 0xa003;
const SIZES: Record<number, number> = // of TIFF's types, in bytes; TIFF 6.0, sec. 2
  { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8 };
const SHORT = 3, LONG = 4;
const EXIF_START = "Exif\0\0", XMP_START = "http://ns.adobe.com/xap/1.0/\0";
const LONGEST_SEGMENT = 65533; // bytes of a JPEG segment's content
const COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** What goes into the result's file. */
export interface Metadata {
  exif: Uint8Array | null; // a TIFF structure
  xmp: string;
}

/** Find the EXIF of a file: a TIFF structure; null if there is none. */
export function findExif(file: Uint8Array): Uint8Array | null {
  if (startsWith(file, "\xff\xd8")) return exifOfJpeg(file);
  if (startsWith(file, "\x89PNG")) return chunk(file, 8, "eXIf", false);
  if (startsWith(file, "RIFF")) {
    const exif = chunk(file, 12, "EXIF", true);
    return exif && startsWith(exif, EXIF_START) ? exif.subarray(EXIF_START.length) : exif;
  }
  return null;
}

/**
 * The orientation of a photo, 1 to 8; 1 (upright) if EXIF has none or is damaged. In EXIF it becomes
 * upright: some browsers apply it to JPEG only, and none can be asked not to.
 */
export function takeOrientation(exif: Uint8Array | null): number {
  if (!exif) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const little = startsWith(exif, "II");
  try {
    const first = view.getUint32(4, little);
    for (let i = 0; i < view.getUint16(first, little); i++) {
      const at = first + 2 + 12 * i;
      if (view.getUint16(at, little) !== ORIENTATION) continue;
      const value = view.getUint16(at + 8, little);
      view.setUint16(at + 8, 1, little);
      return value >= 1 && value <= 8 ? value : 1;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}

/**
 * EXIF for upright pixels of a size, without the thumbnail of the gray photo and, on request,
 * without the location. Throws a RangeError if it is damaged.
 */
export function updateExif(
  exif: Uint8Array, width: number, height: number, keepLocation: boolean,
): Uint8Array {
  const copy = exif.slice();
  const view = new DataView(copy.buffer);
  const little = startsWith(copy, "II");
  if (!little && !startsWith(copy, "MM")) throw new RangeError("no TIFF structure");
  const short = (at: number) => view.getUint16(at, little);
  const long = (at: number) => view.getUint32(at, little);
  const entries = (start: number) =>
    Array.from({ length: short(start) }, (_, i) => start + 2 + 12 * i);
  const setNumber = (at: number, value: number) => {
    if (short(at + 2) === SHORT) view.setUint16(at + 8, value, little);
    if (short(at + 2) === LONG) view.setUint32(at + 8, value, little);
  };
  const erase = (start: number) => {
    for (const at of entries(start)) {
      const bytes = (SIZES[short(at + 2)] ?? 0) * long(at + 4);
      if (bytes > 4) copy.fill(0, long(at + 8), long(at + 8) + bytes);
    }
    copy.fill(0, start, start + 2 + 12 * short(start));
  };

  const first = long(4);
  let location = 0;
  for (const at of entries(first)) {
    if (short(at) === GPS_IFD && !keepLocation) location = at;
    if (short(at) === EXIF_IFD) {
      for (const inner of entries(long(at + 8))) {
        if (short(inner) === WIDTH) setNumber(inner, width);
        if (short(inner) === HEIGHT) setNumber(inner, height);
      }
    }
  }
  const end = first + 2 + 12 * short(first);
  view.setUint32(end, 0, little); // the directory of the thumbnail
  if (location) {
    erase(long(location + 8));
    copy.copyWithin(location, location + 12, end + 4);
    view.setUint16(first, short(first) - 1, little);
  }
  return copy;
}

/** XMP that says, in IPTC's words, that an algorithm made part of the picture. */
export function sourceXmp(software: string, checkpoint: string): string {
  return `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
 Iptc4xmpExt:DigitalSourceType="${COMPOSITE}"><xmpMM:History><rdf:Seq>
<rdf:li stEvt:action="edited" stEvt:softwareAgent="${software}"
 stEvt:parameters="colorized; checkpoint sha256 ${checkpoint}"/>
</rdf:Seq></xmpMM:History></rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;
}

/** Put metadata into a JPEG or PNG file. Throws a RangeError if the format can't hold it. */
export function embed(file: Uint8Array<ArrayBuffer>, { exif, xmp }: Metadata): Blob {
  const text = new TextEncoder().encode(xmp);
  if (startsWith(file, "\x89PNG")) {
    const keyword = bytes("XML:com.adobe.xmp\0\0\0\0\0");
    const parts = [...(exif ? [pngChunk("eXIf", exif)] : []), pngChunk("iTXt", keyword, text)];
    const header = 33; // bytes: signature and IHDR
    return new Blob([file.subarray(0, header), ...parts, file.subarray(header)],
      { type: "image/png" });
  }
  const parts = [...(exif ? [segment(EXIF_START, exif)] : []), segment(XMP_START, text)];
  const start = file[3] === 0xe0 ? 4 + ((file[4] << 8) | file[5]) : 2; // after JFIF's header
  return new Blob([file.subarray(0, start), ...parts, file.subarray(start)],
    { type: "image/jpeg" });
}

function exifOfJpeg(file: Uint8Array): Uint8Array | null {
  for (let at = 2; at + 4 <= file.length && file[at] === 0xff && file[at + 1] !== 0xda;) {
    const length = (file[at + 2] << 8) | file[at + 3];
    const content = file.subarray(at + 4, at + 2 + length);
    if (file[at + 1] === 0xe1 && startsWith(content, EXIF_START)) {
      return content.subarray(EXIF_START.length);
    }
    at += 2 + length;
  }
  return null;
}

/** The content of a chunk of a PNG file (length, name) or of a RIFF file (name, length). */
function chunk(file: Uint8Array, start: number, name: string, riff: boolean): Uint8Array | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (let at = start; at + 8 <= file.length;) {
    const length = riff ? view.getUint32(at + 4, true) : view.getUint32(at);
    const named = startsWith(file.subarray(riff ? at : at + 4), name);
    if (named) return file.subarray(at + 8, at + 8 + length);
    at += riff ? 8 + length + (length % 2) : 12 + length;
  }
  return null;
}

function segment(start: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = 2 + start.length + content.length;
  if (length > LONGEST_SEGMENT + 2) throw new RangeError("too long for JPEG");
  return join([new Uint8Array([0xff, 0xe1, length >> 8, length & 255]), bytes(start), content]);
}

function pngChunk(name: string, ...contents: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const body = join([bytes(name), ...contents]);
  return join([bigEndian(body.length - 4), body, bigEndian(crc(body))]);
}

/** PNG's checksum (ISO 15948, annex D). */
function crc(data: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of data) sum = CRC_TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum >>> 0;
}

function bigEndian(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function startsWith(data: Uint8Array, text: string): boolean {
  return bytes(text).every((byte, at) => data[at] === byte);
}

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
