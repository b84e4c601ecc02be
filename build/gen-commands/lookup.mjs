// Collision-free name lookup: finds a multiplier with which the hash of every name has a slot of
// its own, so that the engine does one load and one compare and never probes.
//
// Names are compared as little-endian 64-bit words, lower case, padded with zeros. The hash is
//   slot = ((word0 ^ salt) * multiplier mod 2^64) >> (64 - bits)
// where salt = length for commands and length + (parent id + 1) * SUB_SALT for subcommands.
// The same arithmetic stands in the generated table.ts; a test looks all names up in both.

export const SUB_SALT = 0x9e3779b97f4a7c15n;
const MASK64 = (1n << 64n) - 1n;
const TRIES_PER_SIZE = 4000;

/** The `index`-th little-endian word of a name, zero-padded. */
export function nameWord(name, index) {
  let word = 0n;
  for (let i = 7; i >= 0; i--) {
    word = (word << 8n) | BigInt(name.charCodeAt(index * 8 + i) || 0);
  }
  return word;
}

/** Deterministic stream of odd 64-bit multipliers (splitmix64 from zero). */
function* multipliers() {
  let state = 0n;
  for (;;) {
    state = (state + 0x9e3779b97f4a7c15n) & MASK64;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
    yield (z ^ (z >> 31n)) | 1n;
  }
}

/**
 * `entries`: {name, parent, id} (parent -1 for commands). Returns {bits, multiplier, slots} where
 * slots[i] is an id or -1.
 */
export function perfectTable(entries) {
  const keys = entries.map((entry) => {
    const salt = entry.parent < 0 ? 0n : BigInt(entry.parent + 1) * SUB_SALT;
    return nameWord(entry.name, 0) ^ ((salt + BigInt(entry.name.length)) & MASK64);
  });
  if (new Set(keys).size !== keys.length) {
    throw new Error('two names share length and first 8 bytes: widen the hash in lookup.mjs');
  }
  let bits = Math.max(4, Math.ceil(Math.log2(entries.length + 1)) + 2);
  for (; ; bits++) {
    let tries = 0;
    for (const multiplier of multipliers()) {
      const slots = tryMultiplier(keys, entries, multiplier, bits);
      if (slots) return { bits, multiplier, slots };
      if (++tries === TRIES_PER_SIZE) break;
    }
  }
}

function tryMultiplier(keys, entries, multiplier, bits) {
  const slots = new Array(1 << bits).fill(-1);
  const shift = BigInt(64 - bits);
  for (const [i, key] of keys.entries()) {
    const slot = Number(((key * multiplier) & MASK64) >> shift);
    if (slots[slot] >= 0) return null;
    slots[slot] = entries[i].id;
  }
  return slots;
}
