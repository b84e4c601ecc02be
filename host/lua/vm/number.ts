// Numbers as Redis' Lua reads and prints them: C's strtod, and printf's %g with its rounding.

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?$/;
const SPACE_AROUND = /^[\t-\r ]+|[\t-\r ]+$/g;
const WORD = /^([+-]?)(inf|infinity|nan(?:\([0-9a-z_]*\))?)$/i;

/** The number that a string is, undefined when it is none. */
export function textToNumber(text: string): number | undefined {
  const end = text.indexOf('\0');
  const body = (end < 0 ? text : text.slice(0, end)).replace(SPACE_AROUND, '');
  // Space behind is skipped, a null byte ends the text; nothing else may be there.
  if (DECIMAL.test(body)) return Number(body);
  const hex = HEX.exec(body);
  if (hex !== null) return hexNumber(hex);
  const word = WORD.exec(body);
  if (word === null) return undefined;
  if (word[2]?.[0] === 'n' || word[2]?.[0] === 'N') return Number.NaN;
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function hexNumber(match: RegExpExecArray): number | undefined {
  const whole = match[2] ?? '';
  const part = match[3] ?? '';
  if (whole.length + part.length === 0) return undefined;
  let value = 0;
  const digits = (whole + part).replace(/^0+/, '');
  if (digits.length <= 13) value = digits === '' ? 0 : Number.parseInt(digits, 16);
  else value = Number(BigInt(`0x${digits}`));
  const exponent = Number(match[4] ?? 0) - 4 * part.length;
  const result = exponent === 0 ? value : value * 2 ** exponent;
  return match[1] === '-' ? -result : result;
}

/** As `%.14g`. */
export function numberToText(n: number): string {
  if (Number.isInteger(n) && n > -1e14 && n < 1e14) {
    return n === 0 && Object.is(n, -0) ? '-0' : String(n);
  }
  const size = Math.abs(n);
  if (size >= 1e-4 && size < 1e14) {
    // The fewest digits that mean this number: when 14 are enough, they are those of %.14g.
    const text = String(n);
    if (text.length <= 15) return text;
  }
  return formatG(n, 14, false);
}

/** What is not a number, as C prints it; undefined: it is one. */
export function notFinite(n: number): string | undefined {
  // Of x86's two NaNs the one that 0/0 is; JavaScript does not keep them apart.
  if (Number.isNaN(n)) return '-nan';
  if (n === Number.POSITIVE_INFINITY) return 'inf';
  return n === Number.NEGATIVE_INFINITY ? '-inf' : undefined;
}

/** `%.<precision>e` with JavaScript's exponent made C's. */
export function formatE(n: number, precision: number): string {
  const text = roundedExponential(n, precision);
  const at = text.indexOf('e');
  const sign = text[at + 1] as string;
  const digits = text.slice(at + 2);
  return `${text.slice(0, at)}e${sign}${digits.length < 2 ? `0${digits}` : digits}`;
}

/** Half of the last digit exactly goes to the even one, as in C; JavaScript goes up. */
function roundedExponential(n: number, precision: number): string {
  const text = n.toExponential(Math.min(precision, 100));
  if (precision >= 76) return text;
  const exact = n.toExponential(Math.min(100, precision + 24));
  const at = exact.indexOf('e');
  const rest = exact.slice(at - 24, at);
  if (!/^50*$/.test(rest) || Number(exact) !== n) return text;
  const mantissa = exact.slice(0, at - 24).replace(/\.$/, '');
  const last = mantissa.charCodeAt(mantissa.length - 1) - 48;
  // An odd digit goes up, which is what JavaScript did.
  return last % 2 === 0 ? mantissa + exact.slice(at) : text;
}

/** `%.<precision>f`. */
export function formatF(n: number, precision: number): string {
  if (Math.abs(n) >= 1e21) {
    const whole = BigInt(n).toString();
    return precision > 0 ? `${whole}.${'0'.repeat(precision)}` : whole;
  }
  const sign = Object.is(n, -0) ? '-' : '';
  const text = n.toFixed(Math.min(precision, 100));
  const exact = n.toFixed(Math.min(100, precision + 24));
  const cut = exact.length - 24;
  if (precision <= 76 && /^50*$/.test(exact.slice(cut)) && Number(exact) === n) {
    const kept = exact.slice(0, cut).replace(/\.$/, '');
    if ((kept.charCodeAt(kept.length - 1) - 48) % 2 === 0) return sign + kept;
  }
  return sign + text;
}

/** `%.<precision>g`; `isFull` (the # flag) keeps zeros at the end. */
export function formatG(n: number, precision: number, isFull: boolean): string {
  const special = notFinite(n);
  if (special !== undefined) return special;
  const digits = precision === 0 ? 1 : precision;
  if (n === 0) {
    const zero = Object.is(n, -0) ? '-0' : '0';
    return isFull ? `${zero}.${'0'.repeat(digits - 1)}` : zero;
  }
  const text = formatE(n, digits - 1);
  const at = text.indexOf('e');
  const exponent = Number(text.slice(at + 1));
  if (exponent < -4 || exponent >= digits) {
    const mantissa = text.slice(0, at);
    return (isFull ? pointed(mantissa) : trimZeros(mantissa)) + text.slice(at);
  }
  const plain = formatF(Number(text), digits - 1 - exponent);
  return isFull ? pointed(plain) : trimZeros(plain);
}

/** The # flag: there is a point, also with nothing behind it. */
function pointed(text: string): string {
  return text.includes('.') ? text : `${text}.`;
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
