// CRC32C (Castagnoli, RFC 3720) of blobs, eight bytes at a time.

const PIECE_BYTES = 4 * 1024 * 1024;
const TABLES = makeTables();

function makeTables() {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[0][n] = crc;
  }
  for (let n = 0; n < 256; n += 1) {
    for (let k = 1; k < 8; k += 1) {
      const below = tables[k - 1][n];
      tables[k][n] = tables[0][below & 255] ^ (below >>> 8);
    }
  }
  return tables;
}

/** Return the checksum of what `crc` is of, and of some bytes behind it. */
export function extend(crc, bytes) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  let c = ~crc;
  let at = 0;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const end = bytes.length - 7; at < end; at += 8) {
    const low = words.getInt32(at, true) ^ c;
    const high = words.getInt32(at + 4, true);
    c = t7[low & 255] ^ t6[(low >>> 8) & 255] ^ t5[(low >>> 16) & 255] ^ t4[low >>> 24]
      ^ t3[high & 255] ^ t2[(high >>> 8) & 255] ^ t1[(high >>> 16) & 255] ^ t0[high >>> 24];
  }
  for (; at < bytes.length; at += 1) c = t0[(c ^ bytes[at]) & 255] ^ (c >>> 8);
  return ~c;
}

/** Return the same for a blob, of which a piece at a time is in memory. */
export async function sum(blob, crc) {
  let now = crc;
  for (let at = 0; at < blob.size; at += PIECE_BYTES) {
    now = extend(now, new Uint8Array(await blob.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return now;
}

/** Return a checksum as the service spells it: base64, the most significant byte first. */
export function spelled(crc) {
  return btoa(String.fromCharCode(crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255));
}
