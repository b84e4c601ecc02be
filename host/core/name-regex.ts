// Regular expressions on names of keys, which are bytes: a name in UTF-8 is text, of any other each
// byte is the character of its number.

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();
const REPLACED = '\ufffd';

/** Bytes as text, a character each. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** A name as regular expressions see it. */
export function nameText(name: Uint8Array): string {
  const text = decoder.decode(name);
  if (!text.includes(REPLACED)) return text;
  // the name has that character itself, or bytes that are no text
  const again = encoder.encode(text);
  const isText = again.length === name.length && again.every((byte, i) => byte === name[i]);
  return isText ? text : latin1(name);
}

/** The expression for `nameText`: with whole characters where it allows that, and no state. */
export function nameRegex({ source, flags }: RegExp): RegExp {
  const kept = flags.replace(/[gy]/g, '');
  if (/[uv]/.test(kept)) return new RegExp(source, kept);
  try {
    return new RegExp(source, `${kept}u`);
  } catch {
    return new RegExp(source, kept);
  }
}
