// Redis' glob patterns over short ASCII names, ignoring case: `*`, `?`, `[a-z]`, `[^a]`, `\x`.
// For CONFIG GET only: keys are matched in the core. Linear in pattern times name: a `*` is
// retried from the last one only, so no pattern explodes.

interface ClassMatch {
  isMatch: boolean;
  /** Index after the class. Redis: a class that is never closed ends with the pattern. */
  next: number;
}

function matchClass(pattern: string, start: number, char: string): ClassMatch {
  let i = start + 1;
  const isNegated = pattern[i] === '^';
  if (isNegated) i++;
  let isMatch = false;
  while (i < pattern.length && pattern[i] !== ']') {
    if (pattern[i] === '\\' && i + 1 < pattern.length) {
      i++;
      if (pattern[i] === char) isMatch = true;
      i++;
    } else if (pattern[i + 1] === '-' && i + 2 < pattern.length) {
      const [low, high] = [pattern[i]!, pattern[i + 2]!].sort();
      if (char >= low! && char <= high!) isMatch = true;
      i += 3;
    } else {
      if (pattern[i] === char) isMatch = true;
      i++;
    }
  }
  return { isMatch: isMatch !== isNegated, next: i + 1 };
}

/** Index after the pattern's next item when it matches `char`, else -1. */
function step(pattern: string, at: number, char: string): number {
  const item = pattern[at];
  if (item === undefined) return -1;
  if (item === '?') return at + 1;
  if (item === '[') {
    const { isMatch, next } = matchClass(pattern, at, char);
    return isMatch ? next : -1;
  }
  if (item === '\\' && at + 1 < pattern.length) return pattern[at + 1] === char ? at + 2 : -1;
  return item === char ? at + 1 : -1;
}

export function globMatches(patternText: string, nameText: string): boolean {
  const pattern = patternText.toLowerCase();
  const name = nameText.toLowerCase();
  let p = 0;
  let n = 0;
  let starAt = -1;
  let starName = 0;
  while (n < name.length) {
    if (pattern[p] === '*') {
      starAt = p++;
      starName = n;
      continue;
    }
    const next = step(pattern, p, name[n]!);
    if (next >= 0) {
      p = next;
      n++;
    } else if (starAt >= 0) {
      p = starAt + 1;
      n = ++starName;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p >= pattern.length;
}
