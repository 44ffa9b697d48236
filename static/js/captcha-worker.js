// Finds the number that the proof-of-work challenge hides: hex(SHA-256(salt + number)) == challenge.
// Our own synchronous SHA-256 is many times faster here than one promise for each number.
"use strict";

const ROUNDS = constants(64, 1 / 3);
const START = constants(8, 1 / 2);
const schedule = new Int32Array(64);

/** The first 32 bits of the fractional parts of a root of the first primes. */
function constants(count, power) {
  const found = new Int32Array(count);
  for (let candidate = 2, filled = 0; filled < count; candidate++) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
      if (candidate % divisor === 0) prime = false;
    }
    if (prime) {
      const root = candidate ** power;
      found[filled++] = (root - Math.floor(root)) * 2 ** 32;
    }
  }
  return found;
}

/** Spreads the 64 bytes of `block` from `at` on over the 64 rounds. */
function spread(block, at) {
  const w = schedule;
  for (let i = 0; i < 16; i++, at += 4) {
    w[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
}

/** Mixes the 64 bytes of `block` from `at` on into `state`. */
function mix(state, block, at) {
  spread(block, at);
  const w = schedule;
  let a = state[0];
  let b = state[1];
  let c = state[2];
  let d = state[3];
  let e = state[4];
  let f = state[5];
  let g = state[6];
  let h = state[7];
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/** The last one or two blocks of a message of `bits`; room for the digits behind `tail`. */
function padded(tail, length, bits) {
  const block = new Uint8Array(length < 56 ? 64 : 128);
  block.set(tail);
  block[length] = 0x80;
  block[block.length - 2] = bits >> 8;
  block[block.length - 1] = bits;
  return block;
}

/** The number, or null when there is none up to `last`. */
function solve(salt, wanted, last) {
  const prefix = new TextEncoder().encode(salt);
  const target = Int32Array.from({ length: 8 }, (_, i) => parseInt(wanted.substr(i * 8, 8), 16));
  const whole = prefix.length - (prefix.length % 64);
  const common = START.slice();
  for (let at = 0; at < whole; at += 64) mix(common, prefix, at);
  const tail = prefix.subarray(whole);
  const state = new Int32Array(8);
  let block = new Uint8Array(0);
  for (let number = 0, size = 0; number <= last; number++) {
    const digits = String(number);
    const length = tail.length + digits.length;
    if (digits.length !== size) {
      size = digits.length;
      block = padded(tail, length, (whole + length) * 8);
    }
    for (let i = 0; i < size; i++) block[tail.length + i] = digits.charCodeAt(i);
    state.set(common);
    for (let at = 0; at < block.length; at += 64) mix(state, block, at);
    if (state[0] === target[0] && state.every((word, i) => word === target[i])) return number;
  }
  return null;
}

self.onmessage = ({ data }) => self.postMessage(solve(data.salt, data.challenge, data.maxnumber));
