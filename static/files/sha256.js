// SHA-256 piece by piece: browsers hash a whole buffer only, and that only over HTTPS.
//
// Written here and not taken from a package: a package's modules import one another, and our storage gives hashed names to our own imports
// only (adminset/static_files.py). NIST's vectors and the borders of its blocks are a test (tests/tasks/hostfiles/test_in_browser.py).
const K = new Int32Array(64);
const START = new Int32Array(8);

// The first 32 bits of the fractions of the cube and square roots of the first primes.
for (let candidate = 2, count = 0; count < 64; candidate += 1) {
  let prime = true;
  for (let d = 2; d * d <= candidate; d += 1) if (candidate % d === 0) prime = false;
  if (prime) {
    const fraction = (root) => ((root - Math.floor(root)) * 4294967296) | 0;
    if (count < 8) START[count] = fraction(Math.sqrt(candidate));
    K[count] = fraction(Math.cbrt(candidate));
    count += 1;
  }
}

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.length = 0;
    this.rest = new Uint8Array(64);
    this.words = new Int32Array(64);
  }

  /** Take bytes (Uint8Array). */
  update(bytes) {
    let at = 0;
    const held = this.length % 64;
    this.length += bytes.length;
    if (held) {
      at = Math.min(64 - held, bytes.length);
      this.rest.set(bytes.subarray(0, at), held);
      if (held + at < 64) return this;
      this.block(this.rest, 0);
    }
    for (; at + 64 <= bytes.length; at += 64) this.block(bytes, at);
    this.rest.set(bytes.subarray(at));
    return this;
  }

  /** Give the hash as hexadecimal digits; nothing can be taken afterwards. */
  hex() {
    const bits = this.length * 8;
    const held = this.length % 64;
    const tail = new Uint8Array(held < 56 ? 64 : 128);
    tail.set(this.rest.subarray(0, held));
    tail[held] = 0x80;
    const view = new DataView(tail.buffer);
    view.setUint32(tail.length - 8, Math.floor(bits / 4294967296));
    view.setUint32(tail.length - 4, bits >>> 0);
    for (let at = 0; at < tail.length; at += 64) this.block(tail, at);
    return [...this.state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  block(bytes, at) {
    const w = this.words;
    for (let i = 0, j = at; i < 16; i += 1, j += 4) w[i] = (bytes[j] << 24) | (bytes[j + 1] << 16) | (bytes[j + 2] << 8) | bytes[j + 3];
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    const s = this.state;
    let a = s[0];
    let b = s[1];
    let c = s[2];
    let d = s[3];
    let e = s[4];
    let f = s[5];
    let g = s[6];
    let h = s[7];
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    s[0] = (s[0] + a) | 0;
    s[1] = (s[1] + b) | 0;
    s[2] = (s[2] + c) | 0;
    s[3] = (s[3] + d) | 0;
    s[4] = (s[4] + e) | 0;
    s[5] = (s[5] + f) | 0;
    s[6] = (s[6] + g) | 0;
    s[7] = (s[7] + h) | 0;
  }
}
